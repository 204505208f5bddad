"""Environments on MuJoCo Warp are those on native MuJoCo, and do not wait for it."""

from __future__ import annotations

import pytest
import torch

from mjsdk import ops
from mjsdk.config import EventTermConfig
from mjsdk.testing.syncs import no_host_syncs
from mjsdk.testing.worlds import TESTBOT, TESTTASK, small_env

WORLDS, STEPS = 16, 12
RANDOMIZED = {
    "mass": EventTermConfig(func="randomize_mass", params={"bodies": "@base", "mass_range": [0.0, 0.2]}),
    "friction": EventTermConfig(func="randomize_friction", params={"geoms": "@feet", "friction_range": [0.4, 1.2]}),
}
PAIRS = pytest.mark.parametrize(("robot", "task"), [(TESTBOT, TESTTASK), ("go1", "velocity")], ids=["testbot", "go1"])


@pytest.fixture(params=[True, False], ids=["loops", "tensors"], autouse=True)
def loops(request, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", request.param)
    return request.param


def env_on(physics, robot=TESTBOT, task=TESTTASK, **sim):
    def edit(config):
        config.train.physics = physics
        config.env.events |= RANDOMIZED
        config.env.episode_length_s = 7 * config.env.step_dt
        config.env.sim.solver = "newton"
        for name, value in sim.items():
            setattr(config.env.sim, name, value)

    if robot == "go1":
        pytest.importorskip("mjsdk_robot_go1")
    return small_env(WORLDS, robot=robot, task=task, edit=edit)


def actions(env):
    generator = torch.Generator().manual_seed(0)
    return [0.3 * torch.randn(env.num_envs, env.num_actions, generator=generator) for _ in range(STEPS)]


@PAIRS
def test_both_physics_give_the_same_episodes(robot, task):
    native, warp = env_on("cpu", robot, task), env_on("warp", robot, task)
    assert (native.physics.name, warp.physics.name) == ("cpu", "warp")
    for ours, theirs in zip(warp.reset(seed=3).values(), native.reset(seed=3).values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)
    ends = 0
    for action in actions(native):
        (obs, reward, *ended, _), (obs_now, reward_now, *ended_now, _) = native.step(action), warp.step(action)
        for ours, theirs in zip(obs_now.values(), obs.values(), strict=True):
            torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0.01)
        torch.testing.assert_close(reward_now, reward, atol=1e-3, rtol=1e-2)
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(ended_now, ended, strict=True))
        ends += int((ended[0] | ended[1]).sum())
    assert ends >= WORLDS


@PAIRS
def test_no_step_waits_for_the_device(robot, task, loops):
    if loops:
        pytest.skip("loops are for CPUs")
    env = env_on("warp", robot, task)
    env.stagger_episodes()
    env.step(torch.zeros(env.num_envs, env.num_actions))
    with no_host_syncs(env):
        for action in actions(env):
            env.step(action)
    assert env.log_iteration()["train/episodes"] > WORLDS


def test_going_on_from_a_saved_state_is_exact():
    env = env_on("warp")
    before, after = actions(env)[:6], actions(env)[6:]
    for action in before:
        env.step(action)
    saved = env.state_dict()
    wanted = [env.step(action) for action in after]
    other = env_on("warp")
    other.load_state_dict(saved)
    for action, (obs, reward, *_) in zip(after, wanted, strict=True):
        obs_now, reward_now, *_ = other.step(action)
        assert all(torch.equal(obs_now[name], values) for name, values in obs.items())
        assert torch.equal(reward_now, reward)


def test_contacts_that_find_no_memory_are_reported_once_per_iteration_and_training_goes_on(caplog):
    env = env_on("warp", nconmax=1, njmax=8)
    caplog.clear()
    for _ in range(2):
        for action in actions(env):
            env.step(action)
        logged = env.log_iteration()
    assert 0 < logged["overflow/solver_rows"] <= WORLDS
    said = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert any("--env.sim.njmax" in text for text in said)
    assert len(said) <= 2
    assert env.robot.joint_pos.isfinite().all()
