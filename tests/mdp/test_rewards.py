from __future__ import annotations

import math

import pytest
import torch

from mjsdk.env.rotations import quat_from_euler
from mjsdk.mdp import metrics, rewards
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.testing.worlds import small_env


@pytest.fixture
def env():
    env = small_env(2, edit=lambda c: c.env.commands.update(twist=UniformVelocityConfig(func="uniform_velocity")))
    env.commands.terms["twist"].fix(env.all_worlds, torch.tensor([0.5, 0.0, 0.4]))
    return env


def place(env, *, roll=0.0, yaw=0.0, lin=(0.0, 0.0, 0.0), ang=(0.0, 0.0, 0.0), height=0.5):
    """Put both worlds' bases there: Euler angles [rad], velocity in the world [m/s], angular in the base [rad/s]."""
    quat = quat_from_euler(*(torch.tensor([angle]) for angle in (roll, 0.0, yaw))).expand(2, 4)
    pos = torch.tensor([0.0, 0.0, height]).expand(2, 3)
    env.robot.write_root(env.all_worlds, pos, quat, torch.tensor(lin).expand(2, 3), torch.tensor(ang).expand(2, 3))


def test_following_the_command_exactly_earns_all_whatever_the_heading(env):
    place(env, yaw=1.0, lin=(0.5 * math.cos(1.0), 0.5 * math.sin(1.0), 0.0), ang=(0.0, 0.0, 0.4))
    assert torch.allclose(rewards.track_linear_velocity(env, "twist"), torch.ones(2), atol=1e-5)
    assert torch.allclose(rewards.track_angular_velocity(env, "twist"), torch.ones(2), atol=1e-5)
    assert torch.allclose(metrics.lin_vel_error(env, "twist"), torch.zeros(2), atol=1e-5)
    assert torch.allclose(metrics.ang_vel_error(env, "twist"), torch.zeros(2), atol=1e-5)


def test_drifting_costs_only_where_standing_is_asked_for(env):
    place(env, yaw=1.0, lin=(0.3, 0.4, 0.0))
    assert not rewards.drift(env, "twist").any()
    env.commands.terms["twist"].fix(env.worlds(None, torch.tensor([1])), torch.zeros(3))
    assert rewards.drift(env, "twist").tolist() == pytest.approx([0.0, 0.5], abs=1e-5)


def test_the_yaw_rate_is_about_the_vertical_though_the_base_is_tilted(env):
    place(env, roll=0.5, ang=(0.0, math.sin(0.5), math.cos(0.5)))
    assert torch.allclose(env.robot.yaw_rate, torch.ones(2), atol=1e-5)
