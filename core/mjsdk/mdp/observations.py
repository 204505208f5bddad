"""Observation terms: `term(env, **params) -> Tensor (E, D)`."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.selection import Joints


def base_lin_vel(env: Env) -> Tensor:
    """Velocity of the base [m/s], base frame, shape (E, 3). Real robots cannot measure it: for critics."""
    return env.robot.root_lin_vel_b


def base_ang_vel(env: Env) -> Tensor:
    """Angular velocity of the base [rad/s], base frame, shape (E, 3)."""
    return env.robot.root_ang_vel_b


def projected_gravity(env: Env) -> Tensor:
    """Direction of gravity [-], base frame, shape (E, 3)."""
    return env.robot.projected_gravity_b


def base_height(env: Env) -> Tensor:
    """Height of the base over the origin [m], shape (E, 1)."""
    return env.robot.root_pos_w[:, 2:3]


def joint_pos_rel(env: Env, joints: Joints = ".*", biased: bool = False) -> Tensor:  # type: ignore[assignment]
    """Joint positions relative to the default pose [rad], shape (E, J).

    Args:
        joints: The joints, as a role or patterns.
        biased: Add the encoders' bias, as a real robot's readings have it.
    """
    relative = env.robot.joint_pos - env.robot.default_joint_pos
    return (relative + env.robot.encoder_bias if biased else relative)[:, joints.index]


def joint_vel(env: Env, joints: Joints = ".*") -> Tensor:  # type: ignore[assignment]
    """Joint velocities [rad/s], shape (E, J).

    Args:
        joints: The joints, as a role or patterns.
    """
    return env.robot.joint_vel[:, joints.index]


def last_action(env: Env) -> Tensor:
    """What the policy asked for in the last step [-], shape (E, A)."""
    return env.actions.action


def generated_commands(env: Env, command: str) -> Tensor:
    """What is asked of the policy now, shape (E, size).

    Args:
        command: Name of the command.
    """
    return env.command(command)


def sensor(env: Env, sensor: str) -> Tensor:
    """Readings of a sensor of the scene, shape (E, parts x width).

    Args:
        sensor: Name of the sensor in `env.scene.sensors`.
    """
    return env.sensor(sensor).flatten(1)


def contact(env: Env, sensor: str) -> Tensor:
    """Which parts touch something, 0 or 1, shape (E, parts).

    Args:
        sensor: Name of a contact sensor in `env.scene.sensors`.
    """
    return env.contact(sensor).in_contact.float()


TERMS = {
    "base_ang_vel": base_ang_vel,
    "base_height": base_height,
    "base_lin_vel": base_lin_vel,
    "contact": contact,
    "generated_commands": generated_commands,
    "joint_pos_rel": joint_pos_rel,
    "joint_vel": joint_vel,
    "last_action": last_action,
    "projected_gravity": projected_gravity,
    "sensor": sensor,
}
