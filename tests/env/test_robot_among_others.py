"""A robot that shares its model with objects, a door, balls and passive joints."""

from __future__ import annotations

import pytest
import torch

from mjsdk import ops
from mjsdk.config import RewardTermConfig
from mjsdk.env.robot_state import runs
from mjsdk.errors import ConfigError
from mjsdk.mdp.actions import JointPositionConfig
from mjsdk.testing.worlds import small_env

FOREIGN = ("crate", "door", "bin", "left_ball", "right_ball")


@pytest.fixture(params=[True, False], ids=["loops", "tensors"])
def env(request, crowd, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", request.param)
    return small_env(3, robot=crowd)


def driving(joints):
    def edit(config):
        config.env.actions["joint_pos"] = JointPositionConfig(func="joint_position", scale=0.1, joints=joints)

    return edit


def columns(env, joint):
    start = env.model.joint(joint).qposadr[0]
    return slice(start, start + len(env.model.joint(joint).qpos0))


def zeros(env):
    return torch.zeros(env.num_envs, env.num_actions)


@pytest.mark.parametrize(
    ("given", "found"),
    [((), []), ((4, 5, 6), [(4, slice(0, 3))]), ((1, 3, 4), [(1, slice(0, 1)), (3, slice(1, 3))])],
)
def test_columns_are_written_in_runs(given, found):
    assert runs(given) == found


def test_a_reset_moves_the_robot_and_leaves_the_rest_as_the_model_has_it(env):
    for _ in range(3):
        env.step(zeros(env))
    env.reset()
    qpos, model = env.physics.bind("qpos"), env.model
    for joint in FOREIGN:
        at_rest = torch.tensor(model.qpos0[columns(env, joint)], dtype=torch.float32)
        assert torch.equal(qpos[:, columns(env, joint)], at_rest.expand(3, -1)), joint
    joints = env.robot.joint_pos - env.robot.default_joint_pos
    assert len(joints.unique()) == joints.numel()
    assert float(joints.abs().max()) <= 0.1 + 1e-6


def test_joints_are_read_and_written_in_their_own_columns(env):
    pos = torch.arange(12.0).view(3, 4) / 100.0
    env.robot.write_joints(env.all_worlds, pos, -pos)
    assert torch.equal(env.robot.joint_pos, pos)
    assert torch.equal(env.robot.joint_vel, -pos)
    assert float(env.physics.bind("qpos")[2, env.model.joint("right_toe").qposadr[0]]) == pytest.approx(0.11)


def test_the_base_is_read_and_written_in_its_own_columns(env):
    quat = torch.tensor([[0.0, 1.0, 0.0, 0.0]]).expand(3, -1)
    lin, ang = torch.tensor([[1.0, 2.0, 3.0]]).expand(3, -1), torch.tensor([[0.0, 0.0, 4.0]]).expand(3, -1)
    crate = env.physics.bind("qpos")[:, columns(env, "crate")].clone()
    env.robot.write_root(env.all_worlds, lin + 1.0, quat, lin, ang)
    assert env.robot.root_pos_w[0].tolist() == [2.0, 3.0, 4.0]
    assert env.robot.root_lin_vel_b[0].tolist() == [1.0, -2.0, -3.0]
    assert env.robot.projected_gravity_b[0].tolist() == [0.0, 0.0, 1.0]
    assert env.robot.yaw_rate[0] == -4.0
    assert torch.equal(env.physics.bind("qpos")[:, columns(env, "crate")], crate)


def test_passive_joints_are_observed_and_not_driven(env):
    assert env.num_actions == 2
    assert env.observation_slices["actor"]["joint_pos_rel"] == slice(6, 10)
    before = env.robot.joint_pos.clone()
    for _ in range(10):
        env.step(torch.full((3, 2), 3.0))
    moved = (env.robot.joint_pos - before)[:, [0, 2]]
    assert (moved > 0.1).all()


@pytest.mark.parametrize("joints", ["@toes", [".*_hip", ".*_toe"]])
def test_a_passive_joint_that_is_named_is_an_error(crowd, joints):
    with pytest.raises(ConfigError, match=r"no actuator drives left_toe, right_toe. Legal: left_hip, right_hip"):
        small_env(robot=crowd, edit=driving(joints))


def test_a_door_beside_the_robot_is_no_joint_of_it(crowd):
    with pytest.raises(ConfigError, match="'door' matches no joints"):
        small_env(
            robot=crowd, edit=lambda c: c.env.observations["actor"].terms["joint_vel"].params.update(joints="door")
        )


def test_servos_that_no_action_moves_hold_the_initial_pose(crowd):
    env = small_env(robot=crowd, edit=driving("left_hip"))
    env.step(zeros(env))
    right = env.model.actuator("right_hip").id
    assert env.actions.controls[:, right].tolist() == [pytest.approx(0.1)] * env.num_envs


def test_power_is_what_motors_do_to_the_robots_joints(crowd):
    def edit(config):
        config.env.rewards["power"] = RewardTermConfig(func="electrical_power", weight=-1.0)

    env = small_env(robot=crowd, edit=edit)
    torque = env.robot.actuator_force
    for _ in range(5):
        env.step(torch.full((4, 2), 2.0))
    speed = env.robot.joint_vel[:, [0, 2]]
    torch.testing.assert_close(env.robot.power.sum(1), (speed * torque).abs().sum(1))
    term = env.rewards.terms["power"]()
    torch.testing.assert_close(term, (speed * torque).clamp(min=0.0).sum(1))


def test_going_on_from_a_saved_state_is_exact(crowd):
    one, other = small_env(robot=crowd), small_env(robot=crowd, seed=7)
    for _ in range(30):
        one.step(torch.ones(4, 2))
    other.load_state_dict(one.state_dict())
    for _ in range(30):
        first, second = one.step(torch.ones(4, 2))[0]["actor"], other.step(torch.ones(4, 2))[0]["actor"]
    assert torch.equal(first, second)
