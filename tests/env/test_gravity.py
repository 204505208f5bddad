from __future__ import annotations

import math

import pytest
import torch

from mjsdk import ops
from mjsdk.testing.worlds import small_env


@pytest.fixture(params=[True, False], ids=["loops", "tensors"])
def env_under(request, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", request.param)

    def make(*gravity):
        return small_env(2, edit=lambda config: setattr(config.env.sim, "gravity", list(gravity)))

    return make


def turned(env, roll):
    """The base of all worlds, turned about its x axis [rad]."""
    quat = torch.tensor([[math.cos(roll / 2), math.sin(roll / 2), 0.0, 0.0]]).expand(2, -1)
    nothing = torch.zeros(2, 3)
    env.robot.write_root(env.all_worlds, nothing, quat, nothing, nothing)
    return env.robot


def test_gravity_that_leans_is_seen_as_it_pulls(env_under):
    robot = turned(env_under(3.0, 0.0, -4.0), 0.0)
    torch.testing.assert_close(robot.projected_gravity_b, torch.tensor([[0.6, 0.0, -0.8]]).expand(2, -1))


def test_it_is_seen_from_the_base(env_under):
    robot = turned(env_under(3.0, 0.0, -4.0), math.pi / 2)
    torch.testing.assert_close(robot.projected_gravity_b[0], torch.tensor([0.6, -0.8, 0.0]))


def test_up_and_down_are_the_worlds_whatever_gravity_is(env_under):
    robot = turned(env_under(3.0, 0.0, -4.0), 0.0)
    assert robot.down_b.tolist() == [[0.0, 0.0, -1.0]] * 2


def test_straight_gravity_is_exactly_down(env_under):
    robot = turned(env_under(0.0, 0.0, -3.7), 0.4)
    assert torch.equal(robot.projected_gravity_b, robot.down_b)


def test_without_gravity_its_direction_is_zero_and_upright_robots_go_on(env_under):
    env = env_under(0.0, 0.0, 0.0)
    _, reward, terminated, *_ = env.step(torch.zeros(2, env.num_actions))
    assert env.robot.projected_gravity_b.tolist() == [[0.0, 0.0, 0.0]] * 2
    assert reward.isfinite().all()
    assert not terminated.any()


def test_a_vertical_x_axis_has_no_heading_and_no_nan(env_under):
    env = env_under(0.0, 0.0, -9.81)
    half = math.sqrt(0.5)
    quat, ones = torch.tensor([[half, 0.0, half, 0.0]]).expand(2, -1), torch.ones(2, 3)
    env.robot.write_root(env.all_worlds, ones, quat, ones, ones)
    assert env.robot.root_lin_vel_yaw.isfinite().all()
