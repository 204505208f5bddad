"""Versions of rewards that a compiled loop computes on the CPU: see `mjsdk.ops.compiled.LoopOps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk_task_velocity import loops
from mjsdk_task_velocity.rewards import FootCrowding, GaitReward, VariablePosture


class LoopedGaitReward(GaitReward):
    """See `GaitReward`."""

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        out, clock, contact = torch.empty(env.num_envs), self._clock, self._contact
        loops.gait_reward(
            *(clock.foot_phase, clock.config.swing, clock.told, contact.in_contact, contact.load, self._load),
            *(env.robot.pos_of_sites_w(self._feet), self._rest, self._height),
            *(env.sensor(self._velocity), self._slip, out),
        )
        return out


class LoopedFootCrowding(FootCrowding):
    """See `FootCrowding`."""

    def __call__(self, env: Env) -> Tensor:
        """The penalty, shape (E,)."""
        out = torch.empty(env.num_envs)
        loops.crowding(env.robot.pos_of_sites_w(self._feet), *self._pairs.contiguous(), self._inverse, out)
        return out


class LoopedPosture(VariablePosture):
    """See `VariablePosture`."""

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        out = torch.empty(env.num_envs)
        loops.posture(self._error(env), env.command(self._command), self._from_speed, self._factors, out)
        return out


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    FootCrowding: LoopedFootCrowding,
    GaitReward: LoopedGaitReward,
    VariablePosture: LoopedPosture,
}
