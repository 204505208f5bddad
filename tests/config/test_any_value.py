"""Bad values for every setting, made from its type and bounds: each is a mistake that names the setting."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from mjsdk.cli import main
from mjsdk.config import schema, termchecks, yamlio
from mjsdk.config.checks import check
from mjsdk.config.convert import from_plain, to_plain
from mjsdk.config.fields import LARGEST, Setting
from mjsdk.config.overrides import merge, tree
from mjsdk.config.root import Config
from mjsdk.config.settings import compose
from mjsdk.errors import ConfigError

COMPOSED = ("robot", "task", "extras", "preset")
"""Settings that the command line decides."""
OF_ANY_TYPE = (None, True, "text", 3, 1.5, [], [1], ["a"], [None], [[1]], [{}], {"a": 1}, {".*": "text"}, {".*": [1]})
NO_NUMBERS = (math.nan, math.inf, -math.inf, 1e300, -1e300, 10**30, 10**400)
NO_TEXT = ("a\0b", "a\nb", "\x1b[31m", "\udcff")


@attrs.frozen
class Place:
    """A setting, or a parameter of a term."""

    path: str
    annotation: Any
    value: Any
    setting: Setting
    endless: bool

    @property
    def pattern(self) -> Any:
        """How a number is put: alone, in a list as long as the present one, or for all that a map names."""
        arms = schema.union_arms(self.annotation)
        if float in arms or int in arms:
            return lambda number: number
        if any(schema.is_list(arm) for arm in arms):
            return lambda number: [number] * max(len(self.value or ()), (self.setting.length or (2, 2))[0], 1)
        return None


def places(config: Config, terms: Any) -> Iterator[Place]:
    for leaf in schema.leaves(config):
        if leaf.path not in COMPOSED and not leaf.path.endswith(".params"):
            yield Place(leaf.path, leaf.annotation, leaf.value, leaf.setting, leaf.setting.endless)
    for path, entry, term in schema.function_terms(config.env, terms):
        for leaf in schema.parameter_leaves(term, entry.params, f"{path}.params"):
            annotation = termchecks.written_as(leaf.annotation) or Any
            yield Place(leaf.path, annotation, leaf.value, Setting(""), leaf.value == math.inf)


def takes(annotation: Any, value: Any) -> bool:
    """Whether a value has a type; a list of the wrong length may have it."""
    arms = schema.union_arms(annotation)
    if len(arms) > 1:
        return any(takes(arm, value) for arm in arms)
    if annotation is Any:
        return True
    if schema.is_list(annotation):
        return isinstance(value, list) and all(takes(annotation.__args__[0], item) for item in value)
    if schema.is_map(annotation):
        return isinstance(value, dict) and all(takes(annotation.__args__[1], item) for item in value.values())
    return type(value) is annotation or (annotation is float and type(value) is int)


def bad_values(place: Place) -> Iterator[Any]:
    yield from (value for value in OF_ANY_TYPE if not takes(place.annotation, value))
    if place.pattern and place.annotation is not Any:
        infinite = NO_NUMBERS[1:3]
        numbers = [*(number for number in NO_NUMBERS if not (place.endless and number in infinite)), *outside(place)]
        yield from (place.pattern(number) for number in numbers)
    if place.setting.length:
        yield [1.0] * (place.setting.length[1] + 1)
    if str in schema.union_arms(place.annotation):
        yield from NO_TEXT
        yield from ["no such choice"] if place.setting.choices else []


def outside(place: Place) -> Iterator[float]:
    low, high = place.setting.bounds
    yield from [] if low is None else [low - 1]
    yield from [] if high is None else [high + 1]
    yield from (
        [] if place.setting.exclusive_min is None else [place.setting.exclusive_min, place.setting.exclusive_min - 1]
    )
    yield from [] if high is not None or low is not None else [2 * LARGEST, -2 * LARGEST]


@pytest.fixture(scope="module")
def base(session) -> Config:
    return compose(session).config


@pytest.fixture(scope="module")
def all_bad(base, terms) -> list[tuple[str, list[Any]]]:
    return [(place.path, list(bad_values(place))) for place in places(base, terms)]


def wrong_file(folder: Path, given: list[tuple[str, Any]]) -> Path:
    file = folder / "wrong.yaml"
    text = yamlio.dump(tree(given))
    file.write_text(text, encoding="utf-8", errors="backslashreplace")
    return file


def mistaken(found: ConfigError) -> set[str]:
    return {mistake.path.partition("[")[0] for mistake in found.mistakes}


def test_every_setting_has_bad_values(all_bad):
    assert len(all_bad) > 100
    assert min(len(values) for _, values in all_bad) >= 5


def rounds(all_bad: list[tuple[str, list[Any]]]) -> Iterator[list[tuple[str, Any]]]:
    """Bad values of all settings at once; those that choose a term come alone, because they decide about the others."""
    for wanted in (False, True):
        chosen = [(path, values) for path, values in all_bad if path.endswith(".func") == wanted]
        for values in itertools.zip_longest(*(values for _, values in chosen), fillvalue=rounds):
            yield [(path, value) for (path, _), value in zip(chosen, values, strict=True) if value is not rounds]


def test_a_bad_value_of_any_setting_is_a_mistake_that_names_it(session, all_bad, tmp_path):
    for given in rounds(all_bad):
        with pytest.raises(ConfigError) as caught:
            compose(session, file=wrong_file(tmp_path, given))
        missed = [(path, value) for path, value in given if not any(p.startswith(path) for p in mistaken(caught.value))]
        assert missed == []
        assert len(str(caught.value)) < 8000


def mistakes_of(base: Config, session: Any, path: str, value: Any) -> list[Any]:
    """What is wrong with the settings once one of them has that value."""
    data = to_plain(base)
    found = merge(data, tree([(path, value)]), session.terms()).mistakes
    try:
        return found or check(from_plain(data, session.terms()), session.terms(), robot=session.robot()).mistakes
    except ConfigError as error:
        return list(error.mistakes)


def test_a_bad_value_alone_breaks_no_check_of_others(session, base, all_bad):
    pairs = [(path, value) for path, values in all_bad for value in values]
    for path, value in random.Random(0).sample(pairs, 60):
        found = mistakes_of(base, session, path, value)
        assert any(mistake.path.startswith(path) for mistake in found), (path, value)


def test_a_value_at_its_bound_is_legal(session, base, terms):
    for place in places(base, terms):
        for bound in filter(None, place.setting.bounds if place.pattern else ()):
            value = place.pattern(bound)
            found = mistakes_of(base, session, place.path, value)
            assert not [mistake for mistake in found if mistake.path == place.path and "must be at" in mistake.message]


def run_main(capsys, *args: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(args)
    return caught.value.code, capsys.readouterr().err


def test_the_command_line_says_so_and_exits_with_2(parts, capsys, all_bad):
    plugins = ["--robot", str(parts / "stick.py"), "--task", str(parts / "stand.py")]
    chosen = [(path, values) for path, values in all_bad if "ranges" in path or "algorithm" in path]
    for path, values in random.Random(1).sample(chosen, 8):
        number = next(value for value in values if isinstance(value, (float, list)) and value not in ([], 1.5))
        code, told = run_main(capsys, "config", *plugins, f"--{path}={yamlio.flow(number)}")
        assert code == 2
        assert path in told
        assert "Traceback" not in told


@pytest.mark.parametrize(
    "text",
    ["!!int abc", "{? [a] : b}", "&a [*a]", "9" * 5000, "9" * 400, "1e400", "!!set {a}", "[" * 900, "*x", "\udcff"],
)
def test_whatever_yaml_can_hold_is_no_number_of_worlds(parts, capsys, text):
    plugins = ["--robot", str(parts / "stick.py"), "--task", str(parts / "stand.py")]
    code, told = run_main(capsys, "config", *plugins, "--env.scene.num-envs", text)
    assert code == 2
    assert "env.scene.num_envs: " in told
    assert len(told) < 400


def test_a_refused_training_leaves_nothing_behind(parts, capsys, tmp_path):
    plugins = ["--robot", str(parts / "stick.py"), "--task", str(parts / "stand.py")]
    code, _ = run_main(capsys, "train", *plugins, "--log-root", str(tmp_path / "logs"), "--env.sim.timestep", ".nan")
    assert code == 2
    assert list(tmp_path.iterdir()) == []
