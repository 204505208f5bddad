from __future__ import annotations

import copy

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mjsdk.config import Config, RewardTermConfig, yamlio
from mjsdk.config.convert import from_plain, show, to_plain
from mjsdk.errors import ConfigError
from mjsdk.terms import TermRegistry


@pytest.fixture
def plain(session):
    """The test task's settings as plain data."""
    task = session.task()
    return to_plain(Config(robot="stick", task="stand", env=task.env, agent=task.agent))


def mistakes(data, terms):
    with pytest.raises(ConfigError) as caught:
        from_plain(data, terms)
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def test_plain_data_makes_the_same_settings_again(plain, terms):
    config = from_plain(plain, terms)
    assert to_plain(config) == plain
    assert from_plain(yaml.safe_load(yamlio.dump(plain)), terms) == config


@settings(max_examples=30, deadline=None)
@given(
    num_envs=st.integers(1, 65536),
    lr=st.floats(1e-12, 1.0),
    dims=st.lists(st.integers(1, 2048), max_size=4),
    text=st.text(),
    clip=st.none() | st.floats(0.1, 10),
    params=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.lists(st.text())),
)
def test_any_settings_survive_plain_data_and_yaml(num_envs, lr, dims, text, clip, params):
    config = Config(robot=text)
    config.env.scene.num_envs = num_envs
    config.agent.algorithm.learning_rate = lr
    config.agent.actor.hidden_dims = dims
    config.agent.clip_actions = clip
    config.env.rewards["some"] = RewardTermConfig(func=text, params=params)
    assert from_plain(to_plain(config), TermRegistry()) == config
    assert from_plain(yaml.safe_load(yamlio.dump(to_plain(config))), TermRegistry()) == config


def test_commands_and_actions_get_the_class_of_their_term(plain, terms):
    config = from_plain(plain, terms)
    assert config.env.commands["go"].ranges.speed == [0.0, 1.0]
    assert config.env.actions["joint_pos"].scale == {"left_.*": 0.5, "right_.*": 0.4}


def test_a_whole_number_is_a_number(plain, terms):
    plain["env"]["sim"]["timestep"] = 1
    value = from_plain(plain, terms).env.sim.timestep
    assert value == 1.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("env.scene.num_envs", "12", "takes a whole number, not '12'"),
        ("env.scene.num_envs", 1.5, "takes a whole number, not 1.5"),
        ("env.scene.num_envs", True, "takes a whole number, not true"),
        ("env.sim.timestep", "fast", "takes a number, not 'fast'"),
        ("env.sim.timestep", None, "takes a number, not null"),
        ("agent.resume", 1, "takes true or false, not 1"),
        ("agent.run_name", 7, "takes text, not 7"),
        ("agent.actor.hidden_dims", "128", "takes a list of whole numbers, not '128'"),
        ("agent.clip_actions", "much", "takes a number or null, not 'much'"),
        ("env.scene.sensors", [], "takes a map to values, not []"),
        ("env.sim", 3, "takes a section with timestep"),
        ("env.actions.joint_pos.scale", [1.0], "takes a number or a map to numbers, not [1.0]"),
        ("env.commands.go", 3, "takes a section with func"),
    ],
)
def test_a_wrong_type_names_the_path_and_what_is_taken(plain, terms, path, value, message):
    *parents, leaf = path.split(".")
    node = plain
    for parent in parents:
        node = node[parent]
    node[leaf] = value
    found = mistakes(plain, terms)
    assert list(found) == [path]
    assert found[path].startswith(message)


def test_elements_of_lists_are_named_by_position(plain, terms):
    plain["agent"]["actor"]["hidden_dims"] = [64, "wide", 64]
    assert mistakes(plain, terms) == {"agent.actor.hidden_dims[1]": "takes a whole number, not 'wide'"}


def test_all_mistakes_come_at_once(plain, terms):
    plain["agent"]["seed"] = "one"
    plain["env"]["scene"]["num_env"] = 3
    plain["env"]["commands"]["go"]["ranges"]["sped"] = [0, 1]
    del plain["env"]["rewards"]["upright"]["func"]
    plain["agent"]["learning_rate"] = 1e-3
    found = mistakes(plain, terms)
    assert set(found) == {
        "agent.seed",
        "env.scene.num_env",
        "env.commands.go.ranges.sped",
        "env.rewards.upright.func",
        "agent.learning_rate",
    }
    assert "did you mean 'num_envs'?" in found["env.scene.num_env"]
    assert "did you mean 'speed'?" in found["env.commands.go.ranges.sped"]
    assert found["env.rewards.upright.func"] == "must be given"
    assert "did you mean agent.algorithm.learning_rate?" in found["agent.learning_rate"]


def test_a_parameter_beside_params_is_reported_where_it_belongs(plain, terms):
    plain["env"]["rewards"]["upright"]["std"] = 0.2
    assert "write params.std" in mistakes(plain, terms)["env.rewards.upright.std"]


def test_an_unknown_command_term_lists_the_legal_ones(plain, terms):
    plain["env"]["commands"]["go"]["func"] = "stand:goo"
    assert "did you mean 'stand:go'?" in mistakes(plain, terms)["env.commands.go.func"]


def test_tuples_and_numbers_of_numpy_become_plain():
    config = Config()
    config.env.rewards["some"] = RewardTermConfig(
        func="x", params={"a": (1, 2), "b": np.float32(0.5), "c": np.arange(2)}
    )
    plain = to_plain(config)["env"]["rewards"]["some"]["params"]
    assert plain == {"a": [1, 2], "b": 0.5, "c": [0, 1]}
    assert all(type(value) in (list, float) for value in plain.values())


def test_objects_are_no_settings():
    config = Config()
    config.env.rewards["some"] = RewardTermConfig(func="x", params={"a": object()})
    with pytest.raises(ConfigError, match=r"env\.rewards\.some\.params\.a: takes plain data, not a object"):
        to_plain(config)


def test_structuring_leaves_the_data_alone(plain, terms):
    before = copy.deepcopy(plain)
    from_plain(plain, terms)
    assert plain == before


class Untrue(dict):
    def items(self):
        raise RuntimeError("no")


class Endless(dict):
    def items(self):
        while True:
            yield "a", 1


def holding_itself() -> list:
    held: list = []
    held.append(held)
    return held


def exploding() -> list:
    value: list = ["x"]
    for _ in range(40):
        value = [value, value]
    return value


@pytest.mark.parametrize("make", [holding_itself, exploding, Untrue, Endless, lambda: [0] * 10**6, object, lambda: 1j])
def test_objects_of_plugins_that_are_no_plain_data_are_mistakes_at_their_path(make):
    config = Config()
    config.env.rewards["some"] = RewardTermConfig(func="some", params={"a": make()})
    with pytest.raises(ConfigError) as caught:
        to_plain(config)
    assert caught.value.mistakes[0].path.startswith("env.rewards.some.params.a")


def test_a_configuration_whose_parts_are_gone_is_a_mistake():
    config = Config()
    del config.env
    with pytest.raises(ConfigError, match="reading it raises AttributeError"):
        to_plain(config)


@pytest.mark.parametrize("value", [10**400, 2**63, pytest.param(-(10**5000), id="5000 digits")])
def test_whole_numbers_that_no_array_can_hold_are_mistakes(plain, terms, value):
    plain["env"]["decimation"] = plain["env"]["episode_length_s"] = value
    found = mistakes(plain, terms)
    assert found == dict.fromkeys(["env.decimation", "env.episode_length_s"], "is too large for a number")


@pytest.mark.parametrize("make", [object, lambda: 10**5000, lambda: "x" * 5000, lambda: "a\nb", exploding])
def test_any_value_is_shown_on_one_short_line(make):
    text = show(make())
    assert len(text.splitlines()) == 1
    assert len(text) <= 200


def test_a_setting_by_its_earlier_name_is_answered_with_the_new_one(plain, terms):
    plain["env"]["commands"]["clock"] = {"func": "gait_clock", "catch_lean": 0.2}
    assert mistakes(plain, terms)["env.commands.clock.catch_lean"].startswith(
        "no such setting; it is recovery_tilt now."
    )
