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

    def __init__(self, env: Env, *args: Any, **params: Any) -> None:
        super().__init__(env, *args, **params)
        self._columns = torch.full((self._factors.shape[1],), -1)
        """Which column of the open-loop step belongs to each joint, shape (J,); -1 where there is none."""
        if self._stepping is not None:
            self._columns[self._stepping.index] = torch.arange(self._stepping.size)

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        out, error = torch.empty(env.num_envs), env.robot.joint_pos_rel
        step = self._stepping.last_step if self._stepping else error
        loops.posture(error, step, self._columns, env.command(self._command), self._from_speed, self._factors, out)
        return out


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    FootCrowding: LoopedFootCrowding,
    GaitReward: LoopedGaitReward,
    VariablePosture: LoopedPosture,
}
