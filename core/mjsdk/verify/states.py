"""States to begin a physics step from: those that a robot comes through, and wild ones."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import numpy as np
import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.scene import INITIAL

FIELDS = ("qpos", "qvel", "ctrl", "qacc_warmstart")
"""What a step goes on from."""
KINDS = ("walking", "wild")
ACTION_STD = 0.2
"""Standard deviation of the random actions: enough to move, sway and fall at last."""
_ROLLOUT_S = 2.0
"""Simulated time over which states are gathered [s]: standing, stepping, and some falls."""

States = Mapping[str, Tensor]
"""Each of `FIELDS` in N states, float32, shape (N, ...)."""


def walking(env: Env, seed: int) -> States:
    """One state of each world under small random actions: the first after one step, the last after two seconds."""
    generator = torch.Generator().manual_seed(seed)
    bound = {field: env.physics.bind(field) for field in FIELDS}
    states = {field: values.clone() for field, values in bound.items()}
    steps = max(1, round(_ROLLOUT_S / env.step_dt))
    when = torch.linspace(0, steps - 1, env.num_envs).round().long()
    for step in range(steps):
        env.step(ACTION_STD * torch.randn(env.num_envs, env.num_actions, generator=generator))
        for field, values in bound.items():
            states[field][when == step] = values[when == step]
    return states


def wild(model: mujoco.MjModel, count: int, seed: int) -> States:
    """Random poses, from the start pose to folded, sunk in and upside down, with random velocities."""
    random, data = np.random.default_rng(seed), mujoco.MjData(model)
    states = {field: np.empty((count, getattr(data, field).size), np.float32) for field in FIELDS}
    for i in range(count):
        mujoco.mj_resetDataKeyframe(model, data, model.key(INITIAL).id)
        _throw(model, data.qpos, random, wildness=i / count)
        mujoco.mj_forward(model, data)
        data.qacc_warmstart[:] = data.qacc  # at rest: near what the solver finds, and not that
        data.qvel[:] = random.normal(size=model.nv)
        for field, rows in states.items():
            rows[i] = getattr(data, field)
    return {field: torch.from_numpy(rows) for field, rows in states.items()}


def _throw(model: mujoco.MjModel, qpos: np.ndarray, random: np.random.Generator, wildness: float) -> None:
    """Lower and turn free bodies, and move joints towards any position: not at all to wholly, wildness 0 to 1."""
    hinges = np.flatnonzero(model.jnt_type >= int(mujoco.mjtJoint.mjJNT_SLIDE))
    low, high = np.where(model.jnt_limited[hinges], model.jnt_range[hinges].T, [[-1.0], [1.0]])
    at = model.jnt_qposadr[hinges]
    qpos[at] += wildness * (random.uniform(low, high) - qpos[at])
    for at in model.jnt_qposadr[model.jnt_type == int(mujoco.mjtJoint.mjJNT_FREE)]:
        qpos[at + 2] *= 1.0 - wildness * random.random()
        qpos[at + 3 : at + 7] += wildness * random.normal(size=4)
    mujoco.mj_normalizeQuat(model, qpos)
