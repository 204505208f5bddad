"""Versions of terms that a compiled loop computes on the CPU: see `mjsdk.ops.compiled.LoopOps`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.env.worlds import Worlds
from mjsdk.mdp import errors, events, loops, metrics, observations, rewards, terminations
from mjsdk.mdp.actions import SteppingJointPosition, SteppingJointPositionConfig
from mjsdk.mdp.clock import GaitClock, GaitClockConfig
from mjsdk.mdp.commands import STANDING, UniformVelocity, UniformVelocityConfig
from mjsdk.ops.compiled import Filled
from mjsdk.robot.selection import Joints


class LoopedGaitClock(GaitClock):
    """See `GaitClock`."""

    def __init__(self, env: Env, name: str, config: GaitClockConfig) -> None:
        super().__init__(env, name, config)
        clock = (self.phase, self.moving, self.step_commanded, self.foot_phase, self.command)
        self._fill = loops.advance.bind(self._offsets, *clock, self._side)

    def _advance(self, progress: float) -> None:
        name, lean = self.config.velocity_command, self.config.recovery_tilt
        measures = bool(name and lean)
        twist = self.env.command(name) if name else self.command
        gravity = self.env.robot.projected_gravity_b if measures else self.command
        limit = math.sin(lean) ** 2 if measures else math.inf
        self._fill(twist.numpy(), STANDING if name else -1.0, gravity.numpy(), limit, progress)


class LoopedSteppingJointPosition(SteppingJointPosition):
    """See `SteppingJointPosition`."""

    def __init__(self, env: Env, name: str, config: SteppingJointPositionConfig) -> None:
        super().__init__(env, name, config)
        self._target = env.zeros(*self.last_step.shape)
        servos = (self.offset, self.scale, env.robot.encoder_bias, torch.tensor(self.joints.ids))
        feet = (self._clock.moving, self._clock.foot_phase)
        self._fill = loops.stepping_targets.bind(*servos, *feet, self._lift, self.last_step, self._target)

    def target(self, action: Tensor) -> Tensor:
        """Joint position targets [rad] for an action, shape (E, size)."""
        self._fill(action.numpy(), self.config.standing, self._clock.config.swing)
        return self._target


def joint_pos_limits(env: Env) -> Callable[[Env], Tensor]:
    """See `rewards.joint_pos_limits`."""
    robot = env.robot
    if not robot.joints_in_place:
        return rewards.joint_pos_limits
    return Filled(env, loops.beyond_limits, robot.joint_pos, robot.soft_joint_pos_limits)


def copied(env: Env, source: Tensor, after: Callable[[], object] | None = None) -> Filled:
    """An observation that is standing memory, shape (E, D), which `after` brings up to date."""
    return Filled(env, loops.copy, source, after=after, width=source.shape[1])


def of_base(env: Env, part: int) -> Filled:
    """A part of `RobotState.base_motion`."""
    return copied(env, env.robot.base_motion()[part], env.robot.base_motion)


def joint_pos_rel(env: Env, joints: Joints, biased: bool) -> Callable[[Env], Tensor]:
    """See `observations.joint_pos_rel`."""
    robot, index = env.robot, joints.index
    if not robot.joints_in_place or not isinstance(index, slice):
        return partial(observations.joint_pos_rel, joints=joints, biased=biased)
    position, bias = robot.joint_pos[:, index], robot.encoder_bias[:, index]
    default, width = robot.default_joint_pos[index], position.shape[1]
    return Filled(env, loops.joint_errors, position, default, bias, biased, width=width)


def joint_vel(env: Env, joints: Joints) -> Callable[[Env], Tensor]:
    """See `observations.joint_vel`."""
    if env.robot.joints_in_place and isinstance(joints.index, slice):
        return copied(env, env.robot.joint_vel[:, joints.index])
    return partial(observations.joint_vel, joints=joints)


def bad_orientation(env: Env, limit_angle: float) -> Filled:
    """See `terminations.bad_orientation`."""
    tilt = (env.robot.down_b[:, 2], -math.cos(limit_angle))
    return Filled(env, loops.above, *tilt, after=env.robot.base_motion, dtype=torch.bool)


def time_out(env: Env) -> Filled:
    """See `terminations.time_out`."""
    return Filled(env, loops.above, env.episode_length_buf, env.max_episode_length - 1, dtype=torch.bool)


def velocity_errors(env: Env, command: str) -> Callable[[], errors.VelocityErrors]:
    """See `errors.velocity_errors`."""
    robot, rows = env.robot, env.zeros(5, env.num_envs)
    found = errors.VelocityErrors(*rows.unbind(0))
    fill = loops.velocity_errors.bind(env.command(command), robot.root_lin_vel_yaw, robot.yaw_rate, STANDING, rows)

    def compute() -> errors.VelocityErrors:
        robot.base_motion()
        fill()
        return found

    return compute


class LoopedResetRoot(events.ResetRoot):
    """See `events.ResetRoot`."""

    def __init__(self, env: Env, **ranges: events.Ranges) -> None:
        super().__init__(env, **ranges)
        self._fill = loops.upright_root.bind(self._low, self._high)

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Reset some worlds."""
        if self._tilts:
            super().__call__(env, worlds)
            return
        ids, random = worlds.ids.numpy(), worlds.rand(12)
        base = random.new_empty(random.shape[0], 13)
        self._fill(env.robot.start_pose_w.numpy(), ids, random.numpy(), base.numpy())
        env.robot.write_base(worlds, base[:, :7], base[:, 7:])


class LoopedResetJoints(events.ResetJoints):
    """See `events.ResetJoints`."""

    def __init__(self, env: Env, **ranges: list[float]) -> None:
        super().__init__(env, **ranges)
        self._spread = loops.spread.bind(self._low, self._high, *self._bounds)

    def draw(self, worlds: Worlds) -> Tensor:
        """Positions [rad] and velocities [rad/s] of joints, shape (rows, 2 J)."""
        drawn = worlds.rand(self._low.shape[0])
        self._spread(drawn.numpy())
        return drawn


class LoopedUniformVelocity(UniformVelocity):
    """See `UniformVelocity`."""

    def __init__(self, env: Env, name: str, config: UniformVelocityConfig) -> None:
        super().__init__(env, name, config)
        tables = (self._low, self._high, self._modes, self._parts)
        self._fill = loops.resample_velocity.bind(*tables, self.command, self._heading, self._mode)

    def resample(self, worlds: Worlds) -> None:
        """Draw the kind and the numbers."""
        self._follow_settings()
        self._fill(worlds.ids.numpy(), worlds.rand(5).numpy())


def error(env: Env, command: str, which: str) -> Filled:
    """One of `errors.VelocityErrors`."""
    after = partial(errors.errors_of, env, command)
    return Filled(env, loops.copy_row, getattr(after(), which), after=after)


def track_linear_velocity(env: Env, command: str, std: float) -> Filled:
    """See `rewards.track_linear_velocity`."""
    after = partial(errors.errors_of, env, command)
    return Filled(env, loops.exponentials, after().squared_lin_vel, -1.0 / (std * std), after=after)


def track_angular_velocity(env: Env, command: str, std: float) -> Filled:
    """See `rewards.track_angular_velocity`."""
    after = partial(errors.errors_of, env, command)
    return Filled(env, loops.exponentials, after().squared_ang_vel, -1.0 / (std * std), after=after)


def flat_orientation_l2(env: Env) -> Filled:
    """See `rewards.flat_orientation_l2`."""
    return Filled(env, loops.squares, env.robot.down_b[:, :2], after=env.robot.base_motion)


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    GaitClock: LoopedGaitClock,
    SteppingJointPosition: LoopedSteppingJointPosition,
    errors.velocity_errors: velocity_errors,
    UniformVelocity: LoopedUniformVelocity,
    events.ResetJoints: LoopedResetJoints,
    events.ResetRoot: LoopedResetRoot,
    metrics.ang_vel_error: partial(error, which="ang_vel"),
    metrics.lin_vel_error: partial(error, which="lin_vel"),
    observations.base_ang_vel: lambda env: copied(env, env.robot.root_ang_vel_b),
    observations.base_height: lambda env: copied(env, env.robot.root_pos_w[:, 2:3]),
    observations.base_lin_vel: lambda env: of_base(env, 2),
    observations.contact: lambda env, sensor: copied(env, env.contact(sensor).in_contact),
    observations.generated_commands: lambda env, command: copied(env, env.command(command)),
    observations.joint_pos_rel: joint_pos_rel,
    observations.joint_vel: joint_vel,
    observations.last_action: lambda env: copied(env, env.actions.action),
    observations.projected_gravity: lambda env: of_base(env, 0),
    observations.sensor: lambda env, sensor: copied(env, env.sensor(sensor).flatten(1)),
    rewards.action_rate_l2: lambda env: Filled(env, loops.squared_changes, env.actions.action, env.actions.prev_action),
    rewards.ang_vel_xy_l2: lambda env: Filled(env, loops.squares, env.robot.root_ang_vel_b[:, :2]),
    rewards.angular_velocity_error_l2: partial(error, which="squared_ang_vel"),
    rewards.drift: partial(error, which="drift"),
    rewards.flat_orientation_l2: flat_orientation_l2,
    rewards.joint_pos_limits: joint_pos_limits,
    rewards.lin_vel_z_l2: lambda env: Filled(env, loops.squares, env.robot.root_lin_vel_w[:, 2:]),
    rewards.linear_velocity_error_l2: partial(error, which="squared_lin_vel"),
    rewards.track_angular_velocity: track_angular_velocity,
    rewards.track_linear_velocity: track_linear_velocity,
    terminations.bad_orientation: bad_orientation,
    terminations.time_out: time_out,
}
