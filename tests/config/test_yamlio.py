from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
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
    [("a: [1", "is not YAML"), ("- 1", "must hold settings"), (b"\xff\xfe\x00", "cannot be read")],
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
