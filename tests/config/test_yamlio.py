from __future__ import annotations

import math
import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mjsdk.config import yamlio
from mjsdk.errors import ConfigError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(DATA)
def test_what_is_written_is_read_back_by_us_and_by_pyyaml(data):
    text = yamlio.dump(data)
    assert yamlio.load(text) == data
    assert yaml.safe_load(text) == data


@given(SCALARS)
def test_a_value_on_one_line_is_read_back_with_its_type(value):
    read = yamlio.load(yamlio.flow(value))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("3E4", 3e4), ("-1e+2", -100.0), ("1.", 1.0), (".5", 0.5), ("-1.5e-3", -0.0015), ("12", 12)],
)
def test_numbers_are_read_as_people_write_them(text, value):
    read = yamlio.load(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["yes", "off", "2026-01-01", "1:30", "007", "0x10", "e3", "1.0.0", "."])
def test_names_and_dates_stay_text(text):
    assert yamlio.load(text) == text


def test_infinity_and_not_a_number_are_read():
    assert yamlio.load("[.inf, -.inf]") == [math.inf, -math.inf]
    assert math.isnan(yamlio.load(".nan"))


def test_a_small_float_is_a_float_for_pyyaml_too():
    assert yaml.safe_load(yamlio.dump({"tolerance": 1e-8})) == {"tolerance": 1e-8}


def test_a_key_given_twice_is_a_mistake(tmp_path):
    file = tmp_path / "twice.yaml"
    file.write_text("agent:\n  seed: 1\n  seed: 2\n")
    with pytest.raises(ConfigError, match="the key 'seed' is given twice"):
        yamlio.load_file(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a: [1", "is not YAML"), ("- 1", "must hold settings"), (b"\xff\xfe\x00", "it is UTF-16; save it as UTF-8")],
)
def test_a_file_that_holds_no_settings_is_named(tmp_path, content, message):
    file = tmp_path / "broken.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=message) as caught:
        yamlio.load_file(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: is no such file"):
        yamlio.load_file(tmp_path / "none.yaml")


def test_an_empty_file_changes_nothing(tmp_path):
    file = tmp_path / "empty.yaml"
    file.write_text("# nothing yet\n")
    assert yamlio.load_file(file) == {}


def test_comments_stand_behind_the_values_they_are_about():
    data = {"env": {"decimation": 2, "on": "@imu"}, "extras": []}
    text = yamlio.annotated(data, {"env.decimation": "preset cpu"})
    assert text == "env:\n  decimation: 2  # preset cpu\n  'on': '@imu'\nextras: []\n"
    assert yaml.safe_load(text) == data


def test_nesting_without_end_is_one_message(tmp_path):
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    with pytest.raises(ConfigError, match="more than 64 values inside each other"):
        yamlio.load_file(tmp_path / "deep.yaml")


YAML = st.text(st.sampled_from(list("ab01 -?:,[]{}&*!<>|#'\"%@\\\n\t.e~=u\ud800\0")), max_size=60)


def outcome(text: str) -> str:
    try:
        return yamlio.flow(yamlio.load(text))
    except yaml.YAMLError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(YAML | st.text())
def test_any_text_is_data_or_no_yaml_in_one_line(text):
    assert len(outcome(text).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!int abc", "line 1, column 4: 'abc' cannot be read as !!int"),
        ("a: !!float x", "'x' cannot be read as !!float"),
        ("a: !!map x", "'x' cannot be read as !!map"),
        (f"a: {'9' * 5000}", "cannot be read as !!int"),
        ("a: !!timestamp 2020-01-01", "with the tag !!timestamp"),
        ("a: !!binary YQ==", "with the tag !!binary"),
        ("a: !!set {b}", "with the tag !!set"),
        ("a: !!omap [b: 1]", "with the tag !!omap"),
        ("a: !!python/object:os.system x", "with the tag !!python/object:os.system"),
        ("? [a]\n: b", "line 1, column 3: the key this is not text"),
        ("1: b", "the key '1' is not text; write it in quotes"),
        ("a: &a [*a]", "line 1, column 8: a value that contains itself"),
        ("a: &a {b: {<<: *a}}", "a value that contains itself"),
        ("a: 1\n--- \nb: 2", "found another document"),
        ("a:\n\t- 1", "line 2, column 1"),
        ("a: b\0", "unacceptable character"),
        ('a: "\\UFFFFFFFF"', "too large"),
    ],
)
def test_what_is_no_plain_data_is_a_mistake_with_its_place(text, message):
    with pytest.raises(yaml.YAMLError) as caught:
        yamlio.load(text)
    assert message in str(caught.value)


def chain(first: str, link: str, length: int) -> str:
    """Lines of which each refers to the one before."""
    return "\n".join([f"a0: &a0 {first}", *(f"a{i}: &a{i} {link % {'a': f'*a{i - 1}'}}" for i in range(1, length))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (chain("[x]", "[%(a)s, %(a)s, %(a)s, %(a)s]", 20), "more than 50,000 values"),
        (chain("{x: 1}", "{<<: [%(a)s, %(a)s, %(a)s, %(a)s]}", 20), "more than 50,000 values"),
        (chain("[x]", "[[[[%(a)s]]]]", 40), "more than 64 values inside each other"),
    ],
)
def test_aliases_that_explode_are_refused_at_once(text, message):
    with pytest.raises(yaml.YAMLError, match=message):
        yamlio.load(text)


def test_aliases_and_merges_of_sane_size_are_read():
    assert yamlio.load("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "c": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_a_wide_encoding_is_named_as_such(tmp_path, encoding):
    (tmp_path / "wide.yaml").write_bytes("agent: {seed: 1}".encode(encoding))
    with pytest.raises(
        ConfigError, match=rf"wide\.yaml: cannot be read: it is {encoding[:6].upper()}; save it as UTF-8"
    ):
        yamlio.load_file(tmp_path / "wide.yaml")


def test_a_byte_order_mark_of_utf_8_is_no_part_of_the_text(tmp_path):
    (tmp_path / "bom.yaml").write_bytes("agent: {run_name: schön}".encode("utf-8-sig"))
    assert yamlio.load_file(tmp_path / "bom.yaml") == {"agent": {"run_name": "schön"}}


def test_another_encoding_is_said_with_the_line(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: schön".encode("latin-1"))
    with pytest.raises(ConfigError, match="line 2 is not UTF-8"):
        yamlio.load_file(tmp_path / "latin.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_folders_pipes_and_endless_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * 1_000_001)
    for file, message in {
        ".": "is a folder",
        "pipe": "a pipe or a device",
        "large": "1,000,001 bytes, and may have 1,000,000",
    }.items():
        with pytest.raises(ConfigError, match=message):
            yamlio.load_file(tmp_path / file)
