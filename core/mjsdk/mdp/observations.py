"""Observation terms: `term(env, **params) -> Tensor (E, D)`."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.env.mirror import AXIAL, POLAR, Mirror, Reflection, reflects
from mjsdk.env.robot_state import take
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.robot.selection import Joints
from mjsdk.terms import CommandName, SensorName

_SENSOR_REFLECTIONS = {
    "gyro": AXIAL,
    "accelerometer": POLAR,
    "velocimeter": POLAR,
    "touch": Reflection.of_signs(1.0),
}
"""Sensors that measure in the frame of their part. What is measured in the world's frame cannot be mirrored alone."""


def _of_joints(mirror: Mirror, env: Env, joints: Joints, **_: object) -> Reflection:
    return mirror.joints(joints.ids)


def _of_sensor(mirror: Mirror, env: Env, sensor: str) -> Reflection:
    parts, kind = env.sensor_parts(sensor), env.config.scene.sensors[sensor].type
    if kind not in _SENSOR_REFLECTIONS:
        message = (
            f"a sensor of type {kind} cannot be mirrored. Legal: {listing(_SENSOR_REFLECTIONS)}; or empty mirror_clock"
        )
        raise ConfigError([Mistake(f"env.scene.sensors.{sensor}.type", message)])
    single = _SENSOR_REFLECTIONS[kind]
    width = len(single.signs)
    sources = tuple(width * i + k for i in mirror.parts(parts).sources for k in single.sources)
    return Reflection(sources, single.signs * len(parts))


@reflects(POLAR)
def base_lin_vel(env: Env) -> Tensor:
    """Velocity of the base [m/s], base frame, shape (E, 3). Real robots cannot measure it: for critics."""
    return env.robot.root_lin_vel_b


@reflects(AXIAL)
def base_ang_vel(env: Env) -> Tensor:
    """Angular velocity of the base [rad/s], base frame, shape (E, 3)."""
    return env.robot.root_ang_vel_b


@reflects(POLAR)
def projected_gravity(env: Env) -> Tensor:
    """Direction of gravity [-], base frame, shape (E, 3)."""
    return env.robot.projected_gravity_b


@reflects(Reflection.of_signs(1.0))
def base_height(env: Env) -> Tensor:
    """Height of the base over the origin [m], shape (E, 1)."""
    return env.robot.root_pos_w[:, 2:3]


@reflects(_of_joints)
def joint_pos_rel(env: Env, joints: Joints = ".*", biased: bool = False) -> Tensor:  # type: ignore[assignment]
    """Joint positions relative to the default pose [rad], shape (E, J).

    Args:
        joints: The joints, as a role or patterns.
        biased: Add the encoders' bias, as a real robot's readings have it.
    """
    relative = env.robot.joint_pos_rel
    return take(relative + env.robot.encoder_bias if biased else relative, joints.index)


@reflects(_of_joints)
def joint_vel(env: Env, joints: Joints = ".*") -> Tensor:  # type: ignore[assignment]
    """Joint velocities [rad/s], shape (E, J).

    Args:
        joints: The joints, as a role or patterns.
    """
    return take(env.robot.joint_vel, joints.index)


@reflects(lambda mirror, env: env.actions.reflection(mirror))
def last_action(env: Env) -> Tensor:
    """What the policy asked for in the last step [-], shape (E, A)."""
    return env.actions.action


@reflects(lambda mirror, env, command: env.commands.terms[command].reflection)
def generated_commands(env: Env, command: CommandName) -> Tensor:
    """What is asked of the policy now, shape (E, size).

    Args:
        command: Name of the command.
    """
    return env.command(command)


@reflects(_of_sensor)
def sensor(env: Env, sensor: SensorName) -> Tensor:
    """Readings of a sensor of the scene, shape (E, parts x width).

    Args:
        sensor: Name of the sensor in `env.scene.sensors`.
    """
    return env.sensor(sensor).flatten(1)


@reflects(lambda mirror, env, sensor: mirror.parts(env.sensor_parts(sensor)))
def contact(env: Env, sensor: SensorName) -> Tensor:
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
