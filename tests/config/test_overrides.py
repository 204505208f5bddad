from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.config import Config
from mjsdk.config.convert import to_plain
from mjsdk.config.overrides import merge, parse_flags, tree
from mjsdk.errors import ConfigError


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--env.scene.num-envs", "512"], [("env.scene.num_envs", 512)]),
        (["--agent.algorithm.learning_rate=3e-4"], [("agent.algorithm.learning_rate", 3e-4)]),
        (["--agent.resume"], [("agent.resume", True)]),
        (["--agent.resume", "--agent.seed", "2"], [("agent.resume", True), ("agent.seed", 2)]),
        (["--a.range", "-1,1"], [("a.range", [-1, 1])]),
        (["--a.range", "[-1, 1]"], [("a.range", [-1, 1])]),
        (["--a.weight", "-0.05"], [("a.weight", -0.05)]),
        (["--a.weight", "-.5e-3"], [("a.weight", -0.5e-3)]),
        (["--a.dims", "128,128,128"], [("a.dims", [128, 128, 128])]),
        (["--a.scale", '{".*": 0.5}'], [("a.scale", {".*": 0.5})]),
        (["--a.name="], [("a.name", "")]),
        (["--a.name", "x,y"], [("a.name", "x,y")]),
        (["--a.pattern", "["], [("a.pattern", "[")]),
        (["--a.feet", "@feet"], [("a.feet", "@feet")]),
        (["--a.bound", "null"], [("a.bound", None)]),
    ],
)
def test_flags_are_paths_and_values(args, expected):
    assert parse_flags(args) == expected


def test_what_is_no_flag_is_a_mistake():
    with pytest.raises(ConfigError, match="512: is not a setting"):
        parse_flags(["--a.b", "1", "512"])


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_a_value_whatever_its_sign(number):
    assert parse_flags(["--a.b", str(number)]) == [("a.b", number)]


@given(st.lists(st.integers() | st.floats(-1e6, 1e6), min_size=2, max_size=5))
def test_numbers_joined_by_commas_are_a_list(numbers):
    assert parse_flags(["--a.b", ",".join(map(str, numbers))]) == [("a.b", numbers)]


def test_the_last_of_two_values_wins():
    assert tree([("a.b", 1), ("a.c", 2), ("a.b", 3)]) == {"a": {"b": 3, "c": 2}}


@pytest.fixture
def data(session):
    task = session.task()
    return to_plain(Config(env=task.env, agent=task.agent))


def flags(data, terms, *args):
    return merge(data, tree(parse_flags(args)), terms, typed=True)


def messages(merged):
    return {mistake.path: mistake.message for mistake in merged.mistakes}


def test_a_term_is_added_by_its_func(data, terms):
    merged = flags(data, terms, "--env.rewards.jump.weight", "0.1", "--env.rewards.jump.func", "my_extra:jump")
    assert not merged.mistakes
    assert data["env"]["rewards"]["jump"] == {"weight": 0.1, "func": "my_extra:jump"}


def test_a_misspelt_term_is_no_new_term(data, terms):
    merged = flags(data, terms, "--env.rewards.uprigt.weight", "-1")
    message = messages(merged)["env.rewards.uprigt"]
    assert "no reward term 'uprigt', did you mean 'upright'?" in message
    assert "give its func" in message
    assert "uprigt" not in data["env"]["rewards"]


def test_null_removes_a_term(data, terms):
    assert not flags(data, terms, "--env.events.push", "null").mistakes
    assert data["env"]["events"] == {}


def test_null_for_a_term_that_is_not_there_is_a_mistake(data, terms):
    assert "did you mean 'push'?" in messages(flags(data, terms, "--env.events.psh", "null"))["env.events.psh"]


def test_a_new_func_starts_without_the_old_parameters(data, terms):
    flags(data, terms, "--env.rewards.upright.func", "my_extra:jump")
    assert data["env"]["rewards"]["upright"] == {"func": "my_extra:jump", "params": {}, "weight": 1.0}


def test_a_new_action_starts_without_the_settings_of_the_old_one(data, terms):
    flags(data, terms, "--env.actions.joint_pos.func", "stand:hold", "--env.actions.joint_pos.stiffness", "2")
    assert data["env"]["actions"]["joint_pos"] == {"func": "stand:hold", "stiffness": 2}


def test_parameters_merge_and_maps_are_replaced(data, terms):
    given = {
        "env": {
            "rewards": {"upright": {"params": {"gentle": True}}},
            "actions": {"joint_pos": {"scale": {".*": 0.2}}},
        }
    }
    assert not merge(data, given, terms).mistakes
    assert data["env"]["rewards"]["upright"]["params"] == {"std": 0.25, "gentle": True}
    assert data["env"]["actions"]["joint_pos"]["scale"] == {".*": 0.2}


def test_a_section_that_was_null_is_filled(data, terms):
    assert not flags(data, terms, "--env.observations.critic.terms.gyro.noise.scale", "0.1").mistakes
    assert data["env"]["observations"]["critic"]["terms"]["gyro"]["noise"] == {"scale": 0.1}


@pytest.mark.parametrize(
    ("flag", "text", "value"),
    [
        ("--agent.run-name", "007", "007"),
        ("--agent.run-name", "1e3", "1e3"),
        ("--agent.run-name", "12", "12"),
        ("--agent.logger", "none", "none"),
        ("--agent.clip-actions", "none", None),
        ("--agent.actor.hidden-dims", "64", [64]),
        ("--env.scene.num-envs", "64", 64),
    ],
)
def test_a_flag_is_fitted_to_what_the_setting_takes(data, terms, flag, text, value):
    (path, _), *_ = parse_flags([flag])
    flags(data, terms, flag, text)
    for key in path.split("."):
        data = data[key]
    assert data == value
    assert type(data) is type(value)


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--env.scene.num-env", "did you mean 'num_envs'?"),
        ("--num-envs", "did you mean env.scene.num_envs?"),
        ("--agent.learning-rate", "did you mean agent.algorithm.learning_rate?"),
        ("--env.rewards.upright.std", "write params.std"),
    ],
)
def test_an_unknown_flag_is_reported_the_nearest_setting(data, terms, flag, hint):
    (message,) = messages(flags(data, terms, flag, "1")).values()
    assert hint in message


def test_a_path_of_thousands_of_parts_is_a_mistake():
    with pytest.raises(ConfigError, match="has more parts than any setting's path"):
        parse_flags(["--env" + ".x" * 5000, "1"])
