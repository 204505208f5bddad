"""Kernels give what the tensor operations give that they stand for."""

from __future__ import annotations

import pytest
import torch
from mjsdk.kernels.ahead import kernels_of, parsed

from mjsdk import kernels
from mjsdk.testing.worlds import TESTBOT, small_env


def shorten(composed):
    composed.env.episode_length_s = 0.5


def an_env(robot):
    if robot != TESTBOT:
        pytest.importorskip(f"mjsdk_robot_{robot}")
    env = small_env(16, robot=robot, task="velocity", edit=shorten)
    env.commands.terms["twist"].config.resampling_time_range = [0.1, 0.4]
    return env


@pytest.mark.parametrize("robot", [TESTBOT, "g1", "go1"])
def test_a_step_is_the_same_with_and_without_kernels(robot, monkeypatch):
    """60 steps with resets and new commands; each begins from the same state, as they would drift apart."""
    ours = an_env(robot)
    monkeypatch.setattr(kernels, "ENABLED", False)
    theirs = an_env(robot)
    generator, ends = torch.Generator().manual_seed(0), 0
    for _ in range(60):
        theirs.load_state_dict(ours.state_dict())
        action = torch.randn(16, ours.num_actions, generator=generator) * 0.4
        found = []
        for env, enabled in ((ours, True), (theirs, False)):
            monkeypatch.setattr(kernels, "ENABLED", enabled)
            obs, reward, terminated, truncated, _ = env.step(action)
            terms = env.state_dict()["buffer/log/rewards"]
            found.append((obs["critic"], reward, terminated, truncated, env.actions.controls, terms))
        ends += int((terminated | truncated).sum())
        torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)
    assert ends


def test_prepared_terms_follow_settings_that_change(monkeypatch):
    env = an_env(TESTBOT)
    env.set_setting("commands.gait.swing", 0.3)
    env.set_setting("rewards.upright.params.std", 0.1)
    for _ in range(5):
        env.step(torch.randn(16, env.num_actions) * 0.4)
    values = dict(zip(env.rewards.terms, env.rewards.rows.compute().clone(), strict=True))
    for name in ("gait", "upright"):
        torch.testing.assert_close(values[name], env.rewards.terms[name](), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("robot", ["g1", "go1"])
def test_all_that_a_training_needs_is_compiled_ahead(robot, monkeypatch):
    used = [*kernels_of("mjsdk.kernels"), *kernels_of("mjsdk_task_velocity.kernels")]
    for kernel in used:
        monkeypatch.setattr(kernel, "_dispatcher", None)
    env = an_env(robot)
    env.reset()
    for _ in range(60):
        env.step(torch.randn(16, env.num_actions) * 0.4)
    ahead = {kernel: {parsed(types) for types in kernel.types} for kernel in used}
    late = {k.function.__name__: set(k._dispatcher.signatures) - ahead[k] for k in used if k._dispatcher is not None}
    assert late
    assert {name: types for name, types in late.items() if types} == {}
