"""Versions of terms that a compiled loop computes on the CPU: see `mjsdk.ops.compiled.LoopOps`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mjsdk.mdp import errors, loops
from mjsdk.mdp.actions import SteppingJointPosition
from mjsdk.mdp.clock import GaitClock
from mjsdk.mdp.commands import STANDING


class LoopedGaitClock(GaitClock):
    """See `GaitClock`."""

    def _advance(self, progress: float) -> None:
        name, lean = self.config.velocity_command, self.config.catch_lean
        measures = bool(name and lean)
        twist = self.env.command(name) if name else self.command
        gravity = self.env.robot.projected_gravity_b if measures else self.command
        limit = math.sin(lean) ** 2 if measures else math.inf
        clock = (self.phase, self.moving, self.told, self.foot_phase, self.command)
        loops.advance(twist, STANDING if name else -1.0, gravity, limit, self._side, progress, self._offsets, *clock)


class LoopedSteppingJointPosition(SteppingJointPosition):
    """See `SteppingJointPosition`."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._joints = torch.tensor(self.joints.ids)

    def target(self, action: Tensor) -> Tensor:
        """Joint position targets [rad] for a raw action, shape (E, size)."""
        if self.config.clip is not None:
            action = action.clamp(*self.config.clip)
        target, clock = torch.empty_like(self.last_step), self._clock
        servos = (self.offset, self.scale, self.env.robot.encoder_bias, self._joints)
        feet = (clock.moving, clock.foot_phase, clock.config.swing)
        loops.stepping_targets(action, self.config.standing, *servos, *feet, self._lift, self.last_step, target)
        return target


def velocity_errors(command: Tensor, lin_vel_yaw: Tensor, yaw_rate: Tensor) -> tuple[Tensor, ...]:
    """See `mjsdk.mdp.errors.velocity_errors`."""
    rows = torch.empty(5, len(command))
    loops.velocity_errors(command, lin_vel_yaw, yaw_rate, STANDING, rows)
    return rows.unbind(0)


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    GaitClock: LoopedGaitClock,
    SteppingJointPosition: LoopedSteppingJointPosition,
    errors.velocity_errors: velocity_errors,
}
