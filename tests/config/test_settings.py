from __future__ import annotations

import attrs
import pytest

from mjsdk.config.convert import from_plain, to_plain
from mjsdk.config.overrides import parse_flags
from mjsdk.config.presets import numbers
from mjsdk.config.settings import Given, Settings, as_yaml, compose
from mjsdk.errors import ConfigError
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session


def flags(text):
    return parse_flags(text.split())


def mistakes(session, text="", **arguments):
    with pytest.raises(ConfigError) as caught:
        compose(session, overrides=flags(text), **arguments)
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def test_later_layers_win_and_are_named(session, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("agent:\n  save_interval: 7\n  seed: 3\n")
    composed = compose(session, file=file, overrides=flags("--agent.seed 4"))
    config, origins = composed.config, composed.origins
    assert (config.agent.num_steps_per_env, origins["agent.num_steps_per_env"]) == (16, "task stand")
    assert (config.env.viewer.distance, origins["env.viewer.distance"]) == (2.0, "robot stick")
    assert (config.env.sim.solver, origins["env.sim.solver"]) == ("pgs", "preset cpu")
    assert (config.agent.save_interval, origins["agent.save_interval"]) == (7, "file mine.yaml")
    assert (config.agent.seed, origins["agent.seed"]) == (4, "flag")


def test_values_that_are_the_default_have_no_origin(session):
    origins = compose(session, overrides=flags("--agent.gamma 0.99".replace("agent.", "agent.algorithm."))).origins
    assert "agent.algorithm.gamma" not in origins
    assert "agent.max_iterations" not in origins


def test_a_robot_adapts_parameters_of_terms(session):
    composed = compose(session)
    assert composed.config.env.rewards["upright"].params["std"] == 0.3
    assert composed.origins["env.rewards.upright.params.std"] == "robot stick"
    assert composed.origins["env.rewards.upright.weight"] == "task stand"


def test_composing_twice_gives_the_same_and_shares_nothing(session):
    first, second = compose(session), compose(session)
    assert first == second
    first.config.env.rewards.clear()
    assert second.config.env.rewards


@pytest.mark.parametrize(
    ("device", "preset", "recorded", "num_envs"),
    [
        ("cpu", None, "cpu", 512),
        ("cuda:0", None, "gpu", 4096),
        ("cuda", "stable", "gpu,stable", 4096),
        ("cuda", "cpu", "cpu", 512),
        ("cpu", "gpu,fast", "gpu,fast", 4096),
    ],
)
def test_the_device_chooses_a_preset_unless_asked(session, device, preset, recorded, num_envs):
    config = compose(session, device=device, preset=preset).config
    assert config.preset == recorded
    assert config.env.scene.num_envs == num_envs


@pytest.mark.parametrize("physics", ["cpu", "warp"])
@pytest.mark.parametrize("preset", ["cpu", "gpu", "stable", "fast", "faithful"])
def test_every_preset_is_recommended_and_controls_at_50_hz(session, preset, physics):
    composed = compose(session, preset=preset, physics=physics)
    assert composed.warnings == []
    assert composed.config.env.step_dt == pytest.approx(0.02)


@pytest.mark.parametrize("preset", ["cpu", "gpu", "fast"])
@pytest.mark.parametrize(("physics", "solver", "iterations"), [("cpu", "pgs", 8), ("warp", "newton", 6)])
def test_cheap_physics_has_the_cheapest_solver_that_there_is(session, preset, physics, solver, iterations):
    env = compose(session, preset=preset, physics=physics).config.env
    assert (env.sim.solver, env.sim.iterations, env.decimation, env.sim.timestep) == (solver, iterations, 2, 0.01)


def test_faithful_physics_is_the_same_everywhere(session):
    cpu, warp = (compose(session, preset="cpu,faithful", physics=physics).config for physics in ("cpu", "warp"))
    assert cpu == warp
    assert cpu.env.sim.solver == "newton"


def test_a_solver_that_warp_lacks_is_a_mistake_that_says_where_it_is_from(session, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("env: {sim: {solver: pgs}}\n")
    on_warp = {"device": "cuda:0", "physics": "warp"}
    for typed in (mistakes(session, "--env.sim.solver pgs", **on_warp), mistakes(session, file=file, **on_warp)):
        assert "the physics 'warp' has no pgs. Legal: cg, newton; --preset fast" in typed["env.sim.solver"]
    assert typed["env.sim.solver"].endswith("has pgs (from file mine.yaml)")
    assert compose(session, overrides=flags("--env.sim.solver cg"), **on_warp).config.env.sim.solver == "cg"


def test_presets_apply_in_the_order_given(session):
    assert compose(session, preset="gpu,stable").config.agent.algorithm.schedule == "fixed"
    assert compose(session, preset="stable,gpu").config.agent.algorithm.schedule == "adaptive"


def test_a_task_has_its_own_numbers_for_a_preset(session):
    composed = compose(session, preset="gpu")
    assert composed.config.agent.num_steps_per_env == 32
    assert composed.origins["agent.num_steps_per_env"] == "preset gpu"


@pytest.mark.parametrize(("collisions", "chosen"), [("lean", "lean"), ("feet", None)])
def test_fast_physics_collides_lean_where_the_robot_knows_how(session, collisions, chosen):
    robot = attrs.evolve(session.robot(), collisions={"first": (), collisions: ()})
    assert numbers("fast", robot, {}, "cpu").get("env.scene.collisions") == chosen


def test_an_unknown_preset_lists_the_legal_ones(session):
    message = mistakes(session, preset="stabel")["preset"]
    assert "did you mean 'stable'?" in message
    assert "cpu, gpu, stable, fast, faithful" in message


def test_what_config_prints_is_a_file_for_config(session, tmp_path):
    composed = compose(session, overrides=flags("--agent.seed 4 --env.events.push null"))
    file = tmp_path / "all.yaml"
    file.write_text(as_yaml(composed))
    assert "push: null  # flag" in file.read_text()
    assert compose(session, file=file).config == composed.config


def test_a_saved_configuration_is_rebuilt_from_plain_data(session):
    config = compose(session).config
    assert from_plain(to_plain(config), session.terms()) == config


def test_a_file_for_another_robot_is_refused(session, tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text("robot: spider\n")
    assert "these settings are for 'spider'" in mistakes(session, file=file)["robot"]


def test_a_file_may_name_the_preset(session, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("preset: gpu\n")
    assert compose(session, file=file).config.preset == "gpu"


def test_mistakes_of_all_kinds_come_at_once(session, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("agent:\n  seeed: 1\n")
    text = (
        "--env.scene.num-env 512 --agent.seed x --env.rewards.uprigt.weight 1 --agent.algorithm.gamma 2 "
        "--env.rewards.upright.params.stdd 1 --env.scene.sensors.imu.on nothing.* --agent.algorithm.schedule fixd"
    )
    found = mistakes(session, text, file=file)
    assert set(found) == {
        "agent.seeed",
        "env.scene.num_env",
        "agent.seed",
        "env.rewards.uprigt",
        "agent.algorithm.gamma",
        "env.rewards.upright.params.stdd",
        "env.scene.sensors.imu.on",
        "agent.algorithm.schedule",
    }


def test_a_mistaken_entry_does_not_hide_the_others(session):
    found = mistakes(session, "--env.rewards.tired.func stand:tird --env.commands.go.func stand:goo --agent.seed -1")
    assert set(found) == {"env.rewards.tired.func", "env.commands.go.func", "agent.seed"}


def test_an_extra_adds_a_reward(session):
    composed = compose(session, overrides=flags("--env.rewards.jump.func my_extra:jump --env.rewards.jump.weight 0.1"))
    assert composed.config.env.rewards["jump"].weight == 0.1
    assert composed.origins["env.rewards.jump.func"] == "flag"


def test_a_mistake_says_which_layer_it_is_from(session, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("agent: {algorithm: {gamma: 2}}\n")
    assert mistakes(session, file=file)["agent.algorithm.gamma"] == "must be at most 1, not 2 (from file mine.yaml)"


def test_a_task_that_is_wrong_in_itself_is_blamed(parts, tmp_path):
    task = tmp_path / "broken.py"
    text = (parts / "stand.py").read_text().replace("AgentConfig(num_steps_per_env=16)", 'AgentConfig(seed="x")')
    task.write_text(text.replace("stand:", "broken:"))
    with pytest.raises(ConfigError, match=r"agent\.seed: takes a whole number, not 'x'\nThis comes from task 'broken'"):
        compose(open_session(str(parts / "stick.py"), str(task), core=core_terms))


def test_a_file_that_needs_an_extra_says_so(parts, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("extras: [my_extra]\n")
    session = open_session(str(parts / "stick.py"), str(parts / "stand.py"), core=core_terms)
    assert mistakes(session, file=file) == {"extras": "'my_extra' is not loaded; a new training needs --with my_extra"}


def test_a_flag_cannot_claim_an_extra_that_is_not_loaded(session):
    with pytest.raises(ConfigError, match="extras: 'my_extra' is not loaded"):
        compose(session, overrides=[("extras", "my_extra")])


def test_the_preset_tells_who_chose_it(session):
    assert compose(session).origins["preset"] == "device cpu"
    assert compose(session, preset="cpu").origins["preset"] == "command line"


def test_settings_that_are_complete_take_layers_and_stay_as_they_were(session):
    data = to_plain(compose(session).config)
    settings = Settings(session, data)
    settings.apply({"agent": {"seed": 7}}, "file mine.yaml")
    settings.apply({"agent": {"seed": 8}}, "flag", typed=True)
    assert (settings.config().agent.seed, settings.origins["agent.seed"], data["agent"]["seed"]) == (8, "flag", 1)


def test_mistakes_in_complete_settings_and_in_layers_come_at_once(session):
    data = to_plain(compose(session).config)
    data["agent"]["save_interval"] = "often"
    settings = Settings(session, data)
    settings.apply({"agent": {"algorithm": {"gamma": 2}, "seeed": 1}}, "file mine.yaml")
    with pytest.raises(ConfigError) as caught:
        settings.config()
    found = {mistake.path: mistake.message for mistake in caught.value.mistakes}
    assert found.keys() == {"agent.seeed", "agent.save_interval"}
    assert found["agent.save_interval"] == "takes a whole number, not 'often'"


def test_what_is_given_is_known_before_it_is_composed_and_its_file_is_read_once(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("agent: {seed: 3, max_iterations: 5}\n")
    given = Given(file=file, overrides=flags("--agent.seed 4 --agent.seed 6"))
    assert (given.get("agent.seed"), given.get("agent.max_iterations"), given.get("agent.resume", False)) == (
        6,
        5,
        False,
    )
    file.unlink()
    assert given.get("agent.max_iterations") == 5
