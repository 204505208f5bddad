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
from mjsdk.mdp import errors, events, loops, rewards
from mjsdk.mdp.actions import SteppingJointPosition, SteppingJointPositionConfig
from mjsdk.mdp.clock import GaitClock, GaitClockConfig
from mjsdk.mdp.commands import STANDING
from mjsdk.ops.compiled import Filled


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

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Reset some worlds."""
        if self._tilts:
            super().__call__(env, worlds)
            return
        random, start = worlds.rand(12), worlds.take(env.robot.start_pose_w).float()
        pose, velocity = torch.empty_like(start), random.new_empty(len(random), 6)
        loops.upright_root(random, self._low, self._high, start, pose, velocity)
        env.robot.write_base(worlds, pose, velocity)


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
    events.ResetRoot: LoopedResetRoot,
    rewards.action_rate_l2: lambda env: Filled(env, loops.squared_changes, env.actions.action, env.actions.prev_action),
    rewards.ang_vel_xy_l2: lambda env: Filled(env, loops.squares, env.robot.root_ang_vel_b[:, :2]),
    rewards.flat_orientation_l2: flat_orientation_l2,
    rewards.is_alive: lambda env: Filled(env, loops.opposite, env.terminations.terminated),
    rewards.joint_pos_limits: joint_pos_limits,
    rewards.lin_vel_z_l2: lambda env: Filled(env, loops.squares, env.robot.root_lin_vel_w[:, 2:]),
    rewards.track_angular_velocity: track_angular_velocity,
    rewards.track_linear_velocity: track_linear_velocity,
}
