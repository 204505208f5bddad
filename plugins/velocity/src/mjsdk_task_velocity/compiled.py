"""Versions of terms that a compiled loop computes on the CPU: see `mjsdk.ops.compiled.LoopOps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.ops.compiled import Filled
from mjsdk.robot.selection import Bodies, Sites
from mjsdk_task_velocity import loops, observations
from mjsdk_task_velocity.rewards import FootCrowding, GaitReward, VariablePosture, body_upright


def gait(env: Env, *args: Any, **params: Any) -> Filled:
    """See `GaitReward`."""
    term = GaitReward(env, *args, **params)
    clock, contact, swing = term.clock, term.contact, env.zeros(1)
    state = (clock.foot_phase, swing, clock.step_commanded, contact.in_contact, contact.load)
    feet = (env.robot.site_pos_w, np.array(term.feet.ids), env.sensor(term.velocity))
    limits = (term.load, term.rest, term.height, term.slip)
    return Filled(env, loops.gait_reward, *state, *feet, *limits, after=lambda: swing.fill_(clock.config.swing))


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


def foot_force(env: Env, sensor: str) -> Filled:
    """See `observations.foot_force`."""
    force = env.contact(sensor).force_w
    return Filled(env, loops.log_force, force, width=force.shape[1])


def foot_height(env: Env, feet: Sites) -> Filled:
    """See `observations.foot_height`."""
    return Filled(env, loops.heights, env.robot.site_pos_w, np.array(feet.ids), width=len(feet))


VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    FootCrowding: foot_crowding,
    GaitReward: gait,
    VariablePosture: posture,
    body_upright: upright,
    observations.foot_force: foot_force,
    observations.foot_height: foot_height,
}
