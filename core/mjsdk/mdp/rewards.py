"""Reward terms: `term(env, **params) -> Tensor (E,)`, positive as they are; penalties get a negative weight."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.env.robot_state import take
from mjsdk.mdp.errors import errors_of
from mjsdk.robot.selection import Joints, PerJoint
from mjsdk.terms import CommandName


def sum_of_squares(values: Tensor) -> Tensor:
    """Of each world's numbers, shape (E, n) to (E,). A product, since `pow` is one kind of operation more per step."""
    return (values * values).sum(1)


def is_alive(env: Env) -> Tensor:
    """1 in every step in which the world did not fail."""
    return (~env.terminations.terminated).float()


def is_terminated(env: Env) -> Tensor:
    """1 in the step in which the world failed."""
    return env.terminations.terminated.float()


def track_linear_velocity(env: Env, command: CommandName, std: float = 0.5) -> Tensor:
    """How well the horizontal velocity follows the command: exp(-error^2 / std^2), in the heading frame.

    Args:
        command: Name of the command; its first two numbers are forward and sideways velocity [m/s].
        std: Error at which the reward has fallen to 37 % [m/s]. Recommended: 0.1..1. Bounds: 0.001..1000.
            Smaller asks for more precision and gives a weaker hint from afar; two terms, one wide and one narrow, do
            both.
    """
    return torch.exp(errors_of(env, command).squared_lin_vel * (-1.0 / (std * std)))


def track_angular_velocity(env: Env, command: CommandName, std: float = 0.5) -> Tensor:
    """How well the yaw rate follows the command: exp(-error^2 / std^2).

    Args:
        command: Name of the command; its third number is the yaw rate [rad/s].
        std: Error at which the reward has fallen to 37 % [rad/s]. Recommended: 0.2..1. Bounds: 0.001..1000.
            Steps make the yaw rate swing: below 0.3 the swing drowns the mean.
    """
    return torch.exp(errors_of(env, command).squared_ang_vel * (-1.0 / (std * std)))


def linear_velocity_error_l2(env: Env, command: CommandName) -> Tensor:
    """Squared distance of the horizontal velocity from the command [m^2/s^2], in the heading frame.

    Args:
        command: Name of the command; its first two numbers are forward and sideways velocity [m/s].
    """
    return errors_of(env, command).squared_lin_vel


def angular_velocity_error_l2(env: Env, command: CommandName) -> Tensor:
    """Squared distance of the yaw rate from the command [rad^2/s^2].

    The noise of exploration makes errors at which track_angular_velocity is flat and teaches little. A square is as
    steep there as anywhere: it tells the mean from the noise, and makes noise expensive where it turns the robot.

    Args:
        command: Name of the command; its third number is the yaw rate [rad/s].
    """
    return errors_of(env, command).squared_ang_vel


def drift(env: Env, command: CommandName) -> Tensor:
    """How fast the base moves although it is commanded to stand [m/s]; 0 where it is commanded to move.

    The exponentials of the tracking terms are flat near 0: a slow sway costs nothing there. This is as steep as
    anywhere.

    Args:
        command: Name of the command; its first two numbers are forward and sideways velocity [m/s].
    """
    return errors_of(env, command).drift


def upright(env: Env, std: float = 0.45) -> Tensor:
    """How upright the base is: exp(-|sine of its tilt|^2 / std^2).

    Args:
        std: Sine of the tilt at which the reward has fallen to 37 % [-]. Recommended: 0.1..1. Bounds: 0.001..1000.
            Smaller is stricter.
    """
    return torch.exp(flat_orientation_l2(env) * (-1.0 / (std * std)))


def flat_orientation_l2(env: Env) -> Tensor:
    """Squared sine of the base's tilt from the vertical [-], whatever gravity is."""
    return sum_of_squares(env.robot.down_b[:, :2])


def lin_vel_z_l2(env: Env) -> Tensor:
    """Squared vertical velocity of the base [m^2/s^2]."""
    speed = env.robot.root_lin_vel_w[:, 2]
    return speed * speed


def ang_vel_xy_l2(env: Env) -> Tensor:
    """Squared roll and pitch rates of the base [rad^2/s^2]."""
    return sum_of_squares(env.robot.root_ang_vel_b[:, :2])


def base_height_l2(env: Env, target: float) -> Tensor:
    """Squared difference of the base's height from a target [m^2].

    Args:
        target: Height over the ground [m]. Recommended: 0..3.
    """
    return (env.robot.root_pos_w[:, 2] - target).square()


def joint_torques_l2(env: Env) -> Tensor:
    """Sum of squared torques [N^2 m^2]."""
    return sum_of_squares(env.robot.actuator_force)


def joint_vel_l2(env: Env, joints: Joints = ".*") -> Tensor:  # type: ignore[assignment]
    """Sum of squared joint velocities [rad^2/s^2].

    Args:
        joints: The joints, as a role or patterns.
    """
    return sum_of_squares(take(env.robot.joint_vel, joints.index))


def joint_acc_l2(env: Env, joints: Joints = ".*") -> Tensor:  # type: ignore[assignment]
    """Sum of squared joint accelerations [rad^2/s^4].

    Args:
        joints: The joints, as a role or patterns.
    """
    return sum_of_squares(take(env.robot.joint_acc, joints.index))


def action_rate_l2(env: Env) -> Tensor:
    """Sum of squared changes of the action since the step before [-]."""
    return sum_of_squares(env.actions.action - env.actions.prev_action)


def action_acc_l2(env: Env) -> Tensor:
    """Sum of squared second differences of the action [-]."""
    actions = env.actions
    return sum_of_squares(actions.action - 2.0 * actions.prev_action + actions.prev_prev_action)


def joint_pos_limits(env: Env) -> Tensor:
    """How far joints are beyond their soft limits, summed [rad]."""
    pos, limits = env.robot.joint_pos, env.robot.soft_joint_pos_limits
    return (pos - pos.clamp(*limits.unbind(1))).abs_().sum(1)


def electrical_power(env: Env) -> Tensor:
    """Mechanical power that the motors spend, without recuperation [W]."""
    return (env.robot.joint_torque * env.robot.joint_vel).clamp(min=0.0).sum(1)


def posture(env: Env, std: PerJoint = 0.3) -> Tensor:  # type: ignore[assignment]
    """How close the joints are to the default pose: exp(-mean(error^2 / std^2)).

    Args:
        std: Tolerance of each joint [rad], a number or a map from patterns to numbers. Recommended: 0.02..1.
            Bounds: 0.001..1000. Small for joints that should stay quiet, large for those that do the work.
    """
    error = env.robot.joint_pos_rel
    return torch.exp(-(error / std).square().mean(1))  # type: ignore[operator]


TERMS = {
    "action_acc_l2": action_acc_l2,
    "action_rate_l2": action_rate_l2,
    "angular_velocity_error_l2": angular_velocity_error_l2,
    "ang_vel_xy_l2": ang_vel_xy_l2,
    "base_height_l2": base_height_l2,
    "drift": drift,
    "electrical_power": electrical_power,
    "flat_orientation_l2": flat_orientation_l2,
    "is_alive": is_alive,
    "is_terminated": is_terminated,
    "joint_acc_l2": joint_acc_l2,
    "joint_pos_limits": joint_pos_limits,
    "joint_torques_l2": joint_torques_l2,
    "joint_vel_l2": joint_vel_l2,
    "lin_vel_z_l2": lin_vel_z_l2,
    "linear_velocity_error_l2": linear_velocity_error_l2,
    "posture": posture,
    "track_angular_velocity": track_angular_velocity,
    "track_linear_velocity": track_linear_velocity,
    "upright": upright,
}
