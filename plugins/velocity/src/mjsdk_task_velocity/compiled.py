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


def foot_crowding(env: Env, *args: Any, **params: Any) -> Filled:
    """See `FootCrowding`."""
    term = FootCrowding(env, *args, **params)
    first, second = np.array(term.feet.ids)[term.pairs.numpy()]
    return Filled(env, loops.crowding, env.robot.site_pos_w, first, second, term.inverse)


def posture(env: Env, *args: Any, **params: Any) -> Callable[[Env], Tensor]:
    """See `VariablePosture`."""
    term, robot = VariablePosture(env, *args, **params), env.robot
    if not robot.joints_in_place:
        return term
    columns, step = torch.full((len(robot.default_joint_pos),), -1), env.zeros(1, 1)
    if term.stepping is not None:
        step = term.stepping.last_step
        columns[term.stepping.index] = torch.arange(term.stepping.size)
    pose = (robot.joint_pos, robot.default_joint_pos, step, columns)
    return Filled(env, loops.posture, *pose, env.command(term.command), term.from_speed, term.factors)


def upright(env: Env, bodies: Bodies, std: float) -> Callable[[Env], Tensor]:
    """See `body_upright`."""
    factor = -4.0 / (std * std * len(bodies))
    return Filled(env, loops.uprightness, env.robot.body_quat_w, np.array(bodies.ids), factor)


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    FootCrowding: foot_crowding,
    GaitReward: LoopedGaitReward,
    VariablePosture: posture,
    body_upright: upright,
}
