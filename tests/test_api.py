"""mjsdk from Python: robots, configurations, environments and runs."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

import mjsdk
from mjsdk.cli import main
from mjsdk.errors import ConfigError, UnknownPlugin, UnknownRun

ROBOT, TASK = "g1", "velocity"
SMALL = {"env.scene.num_envs": 4, "env.sim.threads": 1}


@pytest.fixture(scope="module")
def config():
    return mjsdk.compose(ROBOT, TASK, SMALL)


def test_a_robot_has_facts_a_fresh_spec_and_a_model():
    robot = mjsdk.load_robot(ROBOT)
    assert robot.name == robot.facts.name == ROBOT
    assert (robot.summary, robot.poses, robot.roles) == (robot.facts.summary, robot.facts.poses, robot.facts.roles)
    assert robot.spec() is not robot.spec()
    assert len(robot.spec().actuators) == robot.compile().nu > 0
    assert "Session" not in repr(robot)


def test_the_collision_preset_of_a_model_can_be_chosen():
    robot = mjsdk.load_robot(ROBOT)
    lean, full = (robot.compile(preset) for preset in (next(iter(robot.collisions)), "full"))
    assert (lean.geom_contype > 0).sum() < (full.geom_contype > 0).sum()


def test_overrides_are_mappings_or_text_and_the_last_wins():
    composed = mjsdk.compose(
        ROBOT, TASK, {"env.scene.num_envs": 64}, "env.scene.num_envs=128", "agent.actor.activation=tanh"
    )
    assert (composed.env.scene.num_envs, composed.agent.actor.activation) == (128, "tanh")


def test_presets_and_files_come_before_overrides(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("agent: {algorithm: {gamma: 0.97, lam: 0.9}}")
    composed = mjsdk.compose(ROBOT, TASK, {"agent.algorithm.lam": 0.93}, preset="stable", file=file)
    assert (composed.agent.algorithm.gamma, composed.agent.algorithm.lam) == (0.97, 0.93)
    assert "stable" in composed.preset


def test_mistakes_in_overrides_are_all_told_with_their_paths():
    with pytest.raises(ConfigError) as caught:
        mjsdk.compose(ROBOT, TASK, {"env.scene.num_env": 4, "agent.algorithm.gamma": "high"})
    assert {mistake.path for mistake in caught.value.mistakes} == {"env.scene.num_env", "agent.algorithm.gamma"}


def test_warnings_of_a_configuration_are_logged(caplog):
    with caplog.at_level(logging.WARNING, "mjsdk"):
        mjsdk.compose(ROBOT, TASK, {"agent.algorithm.learning_rate": 0.5})
    assert "agent.algorithm.learning_rate: 0.5 is outside of the recommended range" in caplog.text


def test_an_environment_is_made_from_a_configuration(config):
    env = mjsdk.make_env(config, {"env.episode_length_s": 3.0}, num_envs=3, seed=5)
    assert (env.num_envs, env.config.episode_length_s) == (3, 3.0)
    assert config.env.scene.num_envs == 4
    assert env.reset()["actor"].shape[0] == 3


def test_an_environment_is_made_from_names():
    env = mjsdk.make_env(ROBOT, TASK, "env.sim.threads=1", num_envs=2)
    assert env.num_envs == 2


def test_an_extra_of_one_file_adds_a_reward(tmp_path):
    extra = tmp_path / "my_extra.py"
    extra.write_text(
        "import mjsdk\nMJSDK_API = 1\n"
        "@mjsdk.hookimpl\ndef mjsdk_reward_terms(): return {'jump': jump}\n"
        "def jump(env): return env.robot.root_lin_vel_b[:, 2] * 0 + 1.0\n"
    )
    jump = {"env.rewards.jump.func": "my_extra:jump", "env.rewards.jump.weight": 0.1}
    composed = mjsdk.compose(ROBOT, TASK, SMALL, jump, extras=[str(extra)])
    assert composed.env.rewards["jump"].func == "my_extra:jump"
    env = mjsdk.make_env(composed)
    env.reset()
    env.step(env.robot.joint_pos.new_zeros(4, env.num_actions))
    assert env.log_iteration()["reward/jump"] == pytest.approx(0.1)


def test_mistakes_on_top_of_a_configuration_are_reported_too(config):
    with pytest.raises(ConfigError, match="num_env: no such setting, did you mean 'num_envs'"):
        mjsdk.make_env(config, {"env.scene.num_env": 4})


@pytest.mark.parametrize("arguments", [(ROBOT,), (ROBOT, {"env.scene.num_envs": 4})])
def test_a_robot_without_task_makes_no_environment(arguments):
    with pytest.raises(TypeError, match="the names of a robot and of a task"):
        mjsdk.make_env(*arguments)


def test_a_configuration_has_its_own_extras(config):
    with pytest.raises(TypeError, match="a configuration has its own"):
        mjsdk.make_env(config, extras=["hop"])


def test_an_unknown_robot_or_run_is_named(tmp_path):
    with pytest.raises(UnknownPlugin, match="no robot 'gone'"):
        mjsdk.load_robot("gone")
    with pytest.raises(UnknownRun, match="no run in"):
        mjsdk.load_run("latest", log_root=tmp_path)


@pytest.mark.slow
def test_a_run_has_its_settings_its_curve_and_a_policy(tmp_path):
    settings = ("--env.scene.num-envs", "4", "--agent.num-steps-per-env", "8", "--agent.logger", "none")
    flags = ("--robot", ROBOT, "--task", TASK, "--log-root", str(tmp_path), "--agent.max-iterations", "1", *settings)
    with pytest.raises(SystemExit) as caught:
        main(["train", *flags])
    assert not caught.value.code
    run = mjsdk.load_run("latest", log_root=tmp_path)
    assert (len(run.metrics), run.config.env.scene.num_envs) == (1, 4)
    assert run.path.is_relative_to(tmp_path)
    policy, env = run.policy(), run.make_env({"env.scene.num_envs": 2})
    assert policy(env.reset()).shape == (2, env.num_actions)


@pytest.mark.parametrize("wrong", [math.nan, "many", None, 10**400, [[1]]])
def test_a_configuration_edited_by_hand_is_checked_before_anything_is_built(wrong):
    config = mjsdk.compose(ROBOT, TASK)
    config.env.sim.timestep = wrong
    with pytest.raises(ConfigError, match=r"env\.sim\.timestep"):
        mjsdk.make_env(config)


def test_numbers_of_numpy_are_numbers():
    assert mjsdk.compose(ROBOT, TASK, {"env.episode_length_s": np.float64(3.0)}).env.episode_length_s == 3.0
