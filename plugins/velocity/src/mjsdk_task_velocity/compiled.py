"""Versions of rewards that a compiled loop computes on the CPU: see `mjsdk.ops.compiled.LoopOps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.ops.compiled import Filled
from mjsdk.robot.selection import Bodies
from mjsdk_task_velocity import loops
from mjsdk_task_velocity.rewards import FootCrowding, GaitReward, VariablePosture, body_upright


class LoopedGaitReward(GaitReward):
    """See `GaitReward`."""

    def __init__(self, env: Env, *args: Any, **params: Any) -> None:
        super().__init__(env, *args, **params)
        clock, contact, self._values = self._clock, self._contact, env.zeros(env.num_envs)
        feet = (env.robot.site_pos_w, np.array(self._feet.ids), env.sensor(self._velocity))
        limits = (self._load, self._rest, self._height, self._slip)
        state = (clock.foot_phase, clock.step_commanded, contact.in_contact, contact.load)
        self._fill = loops.gait_reward.bind(*state, *feet, *limits, self._values)

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        self._fill(self._clock.config.swing)
        return self._values


def foot_crowding(env: Env, *args: Any, **params: Any) -> Callable[[Env], Tensor]:
    """See `FootCrowding`."""
    term = FootCrowding(env, *args, **params)
    first, second = np.array(term.feet.ids)[term.pairs.numpy()]
    return Filled(env, loops.crowding, env.robot.site_pos_w, first, second, term.inverse)


class LoopedPosture(VariablePosture):
    """See `VariablePosture`."""

    def __init__(self, env: Env, *args: Any, **params: Any) -> None:
        super().__init__(env, *args, **params)
        columns, self._values = torch.full((self._factors.shape[1],), -1), env.zeros(env.num_envs)
        step = self._stepping.last_step if self._stepping else env.robot.joint_pos_rel
        if self._stepping is not None:
            columns[self._stepping.index] = torch.arange(self._stepping.size)
        scales = (self._from_speed, self._factors)
        self._fill = loops.posture.bind(step, columns, env.command(self._command), *scales, self._values)

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        self._fill(env.robot.joint_pos_rel.numpy())
        return self._values


def upright(env: Env, bodies: Bodies, std: float) -> Callable[[Env], Tensor]:
    """See `body_upright`."""
    factor = -4.0 / (std * std * len(bodies))
    return Filled(env, loops.uprightness, env.robot.body_quat_w, np.array(bodies.ids), factor)


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    FootCrowding: foot_crowding,
    GaitReward: LoopedGaitReward,
    VariablePosture: LoopedPosture,
    body_upright: upright,
}
