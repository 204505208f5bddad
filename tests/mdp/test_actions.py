from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.mdp.actions import JointPositionConfig, SteppingJointPositionConfig, swing_bump
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.testing.worlds import small_env


def using(config):
    return lambda c: c.env.actions.update(joint_pos=config)


def test_an_action_of_zero_asks_for_the_default_pose():
    env = small_env()
    env.step(torch.zeros(4, 2))
    assert torch.equal(env.actions.controls, env.robot.default_joint_pos.expand(4, 2))


def test_scales_are_a_number_or_one_per_pattern():
    env = small_env(edit=using(JointPositionConfig(func="joint_position", scale={"left.*": 0.5, ".*": 0.1})))
    env.step(torch.ones(4, 2))
    assert torch.allclose(env.actions.controls, torch.tensor([0.5, 0.1]).expand(4, 2))


def test_the_last_three_actions_are_remembered_until_the_reset():
    env = small_env()
    for value in (1.0, 2.0, 3.0):
        env.step(torch.full((4, 2), value))
    remembered = (env.actions.action, env.actions.prev_action, env.actions.prev_prev_action)
    assert [float(tensor[0, 0]) for tensor in remembered] == [3.0, 2.0, 1.0]
    env.reset()
    assert not any(tensor.any() for tensor in remembered)


def test_patterns_that_match_nothing_are_mistakes_of_their_setting():
    env = small_env()
    config = JointPositionConfig(func="joint_position", joints="knee", scale={"toe": 1.0})
    assert [path for path, _ in config.mistakes(env.names, env.roles)] == ["joints", "scale"]


def stepping(config):
    config.env.episode_length_s = 2.0
    config.env.commands["gait"] = GaitClockConfig(func="gait_clock", frequency=1.0)
    config.env.actions["joint_pos"] = SteppingJointPositionConfig(func="stepping_joint_position", scale=0.1)


def test_the_open_loop_step_lifts_one_foot_at_a_time():
    env = small_env(4, edit=stepping)
    steps = []
    for _ in range(50):
        env.step(torch.zeros(4, 2))
        steps.append(env.actions.terms["joint_pos"].last_step.clone())
    lifted = torch.stack(steps) < -0.05
    assert lifted.any(0).all()
    assert not lifted.all(2).any()


def test_actions_are_smaller_while_the_clock_stands_still():
    def quieter(config):
        stepping(config)
        config.env.actions["joint_pos"].standing = 0.25

    env = small_env(2, edit=quieter)
    term, clock = env.actions.terms["joint_pos"], env.commands.terms["gait"]
    clock.moving.copy_(torch.tensor([False, True]))
    action = torch.ones(2, 2)
    moved = term.target(action) - term.last_step - term.offset
    assert torch.allclose(moved, torch.tensor([[0.025], [0.1]]).expand(2, 2))
    assert (action == 1.0).all()


@given(st.floats(0.0, 1.0), st.floats(0.2, 0.8))
def test_the_bump_is_between_zero_and_one_and_zero_in_the_stance(phase, swing):
    bump = float(swing_bump(torch.tensor(phase), swing))
    assert -1e-6 <= bump <= 1.0 + 1e-6
    assert phase < swing or bump == pytest.approx(0.0, abs=1e-6)
