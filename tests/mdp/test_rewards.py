from __future__ import annotations

import math

import pytest
import torch

from mjsdk.env.rotations import quat_from_euler
from mjsdk.mdp import metrics, rewards, terminations
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.testing.worlds import small_env


@pytest.fixture
def env():
    env = small_env(2, edit=lambda c: c.env.commands.update(twist=UniformVelocityConfig(func="uniform_velocity")))
    env.commands.terms["twist"].fix(env.all_ids, torch.tensor([0.5, 0.0, 0.4]))
    return env


def place(env, *, roll=0.0, yaw=0.0, lin=(0.0, 0.0, 0.0), ang=(0.0, 0.0, 0.0), height=0.5):
    """Put both worlds' bases there: Euler angles [rad], velocity in the world [m/s], angular in the base [rad/s]."""
    quat = quat_from_euler(*(torch.tensor([angle]) for angle in (roll, 0.0, yaw))).expand(2, 4)
    pos = torch.tensor([0.0, 0.0, height]).expand(2, 3)
    env.robot.write_root(env.all_ids, pos, quat, torch.tensor(lin).expand(2, 3), torch.tensor(ang).expand(2, 3))


def test_following_the_command_exactly_earns_all_whatever_the_heading(env):
    place(env, yaw=1.0, lin=(0.5 * math.cos(1.0), 0.5 * math.sin(1.0), 0.0), ang=(0.0, 0.0, 0.4))
    assert torch.allclose(rewards.track_linear_velocity(env, "twist"), torch.ones(2), atol=1e-5)
    assert torch.allclose(rewards.track_angular_velocity(env, "twist"), torch.ones(2), atol=1e-5)
    assert torch.allclose(metrics.lin_vel_error(env, "twist"), torch.zeros(2), atol=1e-5)
    assert torch.allclose(metrics.ang_vel_error(env, "twist"), torch.zeros(2), atol=1e-5)


def test_an_error_of_one_std_earns_37_percent(env):
    place(env, lin=(1.0, 0.0, 0.0), ang=(0.0, 0.0, 0.9))
    assert float(rewards.track_linear_velocity(env, "twist", std=0.5)[0]) == pytest.approx(math.exp(-1.0), rel=1e-4)
    assert float(rewards.track_angular_velocity(env, "twist", std=0.5)[0]) == pytest.approx(math.exp(-1.0), rel=1e-4)


def test_drifting_costs_only_where_standing_is_asked_for(env):
    place(env, yaw=1.0, lin=(0.3, 0.4, 0.0))
    assert not rewards.drift(env, "twist").any()
    env.commands.terms["twist"].fix(torch.tensor([1]), torch.zeros(3))
    assert rewards.drift(env, "twist").tolist() == pytest.approx([0.0, 0.5], abs=1e-5)


def test_the_square_of_an_error_is_as_steep_far_away_as_near(env):
    place(env, lin=(0.5, 3.0, 0.0), ang=(0.0, 0.0, -1.6))
    assert rewards.linear_velocity_error_l2(env, "twist").tolist() == pytest.approx([9.0, 9.0], rel=1e-4)
    assert rewards.angular_velocity_error_l2(env, "twist").tolist() == pytest.approx([4.0, 4.0], rel=1e-4)


def test_the_yaw_rate_is_about_the_vertical_though_the_base_is_tilted(env):
    place(env, roll=0.5, ang=(0.0, math.sin(0.5), math.cos(0.5)))
    assert torch.allclose(env.robot.yaw_rate, torch.ones(2), atol=1e-5)


def test_tilting_costs_the_square_of_its_sine(env):
    place(env, roll=0.3)
    assert torch.allclose(rewards.flat_orientation_l2(env), torch.full((2,), math.sin(0.3) ** 2), atol=1e-5)
    assert torch.allclose(rewards.upright(env, std=math.sin(0.3)), torch.full((2,), math.exp(-1.0)), atol=1e-4)


def test_falling_and_rolling_cost_their_squares(env):
    place(env, lin=(0.0, 0.0, -2.0), ang=(3.0, 4.0, 0.0))
    assert rewards.lin_vel_z_l2(env).tolist() == pytest.approx([4.0, 4.0])
    assert rewards.ang_vel_xy_l2(env).tolist() == pytest.approx([25.0, 25.0])


def test_joints_cost_only_beyond_their_soft_limits(env):
    high = env.robot.soft_joint_pos_limits[:, 1]
    env.robot.write_joints(env.all_ids, torch.stack((high - 0.1, high + 0.05)), torch.zeros(2, 2))
    assert rewards.joint_pos_limits(env).tolist() == pytest.approx([0.0, 0.1], abs=1e-5)


def test_changes_of_the_action_cost_their_squares(env):
    for value in (0.0, 1.0, 3.0):
        env.step(torch.full((2, 2), value))
    assert rewards.action_rate_l2(env).tolist() == pytest.approx([8.0, 8.0])
    assert rewards.action_acc_l2(env).tolist() == pytest.approx([2.0, 2.0])


def test_the_pose_earns_less_the_farther_the_joints_are(env):
    joints = env.robot.default_joint_pos + torch.tensor([[0.0, 0.0], [0.3, 0.3]])
    env.robot.write_joints(env.all_ids, joints, torch.zeros(2, 2))
    assert rewards.posture(env, std=torch.tensor([0.3, 0.3])).tolist() == pytest.approx([1.0, math.exp(-1.0)], rel=1e-4)


def test_a_base_that_is_tilted_or_too_low_ends_the_episode(env):
    place(env, roll=1.0, height=0.2)
    assert terminations.bad_orientation(env, limit_angle=0.9).all()
    assert not terminations.bad_orientation(env, limit_angle=1.1).any()
    assert terminations.root_height_below(env, minimum_height=0.25).all()
    assert not terminations.root_height_below(env, minimum_height=0.15).any()
