"""Compiled loops give what the tensor operations give that they stand for."""

from __future__ import annotations

import pytest
import torch

from mjsdk import ops
from mjsdk.ops.ahead import loops_of, parsed
from mjsdk.testing.worlds import TESTBOT, small_env


def shorten(composed):
    composed.env.episode_length_s = 0.5


def an_env(robot):
    if robot != TESTBOT:
        pytest.importorskip(f"mjsdk_robot_{robot}")
    env = small_env(16, robot=robot, task="velocity", edit=shorten)
    env.commands.terms["twist"].config.resampling_time_range = [0.1, 0.4]
    return env


@pytest.fixture
def without_loops(monkeypatch):
    """Makes environments without loops, which draw random numbers for as many worlds as those with loops."""

    def make(robot):
        with monkeypatch.context() as patch:
            patch.setattr(ops, "LOOPS", False)
            env = an_env(robot)
        env.ops.numbers = lambda mask: mask.nonzero().squeeze(1)
        return env

    return make


@pytest.mark.parametrize("robot", [TESTBOT, "g1", "go1"])
def test_a_step_is_the_same_with_and_without_loops(robot, without_loops):
    """60 steps with resets and new commands; each begins from the same state, as they would drift apart."""
    ours, theirs = an_env(robot), without_loops(robot)
    generator, ends = torch.Generator().manual_seed(0), 0
    for _ in range(60):
        theirs.load_state_dict(ours.state_dict())
        action = torch.randn(16, ours.num_actions, generator=generator) * 0.4
        found = []
        for env in (ours, theirs):
            obs, reward, terminated, truncated, _ = env.step(action)
            terms = env.state_dict()["buffer/log/rewards"]
            found.append((obs["critic"], reward, terminated, truncated, env.actions.controls, terms))
        ends += int((terminated | truncated).sum())
        torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)
    assert ends


@pytest.mark.parametrize("robot", [TESTBOT, "g1", "go1"])
def test_loops_follow_settings_that_change(robot, without_loops):
    ours, theirs = an_env(robot), without_loops(robot)
    for env in (ours, theirs):
        env.set_setting("commands.gait.swing", 0.3)
        env.set_setting("rewards.upright.params.std", 0.1)
    theirs.load_state_dict(ours.state_dict())
    for env in (ours, theirs):
        env.step(torch.full((16, env.num_actions), 0.4))
    for name, term in ours.rewards.terms.items():
        torch.testing.assert_close(term(), theirs.rewards.terms[name](), atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("robot", ["g1", "go1"])
def test_all_that_a_training_needs_is_compiled_ahead(robot, monkeypatch):
    used = [*loops_of(("mjsdk.ops", "mjsdk.mdp", "mjsdk_task_velocity"))]
    for loop in used:
        monkeypatch.delitem(vars(loop), "_dispatcher", raising=False)
    env = an_env(robot)
    env.reset()
    for _ in range(60):
        env.step(torch.randn(16, env.num_actions) * 0.4)
    ahead = {loop: {parsed(types) for types in loop.types} for loop in used}
    late = {k.function.__name__: set(k._dispatcher.signatures) - ahead[k] for k in used if "_dispatcher" in vars(k)}
    assert late
    assert {name: types for name, types in late.items() if types} == {}
