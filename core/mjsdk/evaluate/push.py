"""Pushes at known times and speeds, the same for every policy."""

from __future__ import annotations

import math

import torch

from mjsdk.env import Env

SPEED = 0.5
"""Change of the base's horizontal velocity [m/s]."""
INTERVAL_S = 3.0
"""Time between pushes of one world [s]; each world begins at a random time within the first interval."""


class Pusher:
    """Pushes every world in a random direction every `INTERVAL_S`."""

    def __init__(self, env: Env, seed: int) -> None:
        self._env = env
        self._generator = torch.Generator().manual_seed(seed)
        self._period = max(1, round(INTERVAL_S / env.step_dt))
        # Not in the first second: a robot that has not found its gait yet is a test of its start.
        self._phase = torch.randint(0, self._period, (env.num_envs,), generator=self._generator)
        self._first = round(1.0 / env.step_dt)

    def __call__(self, step: int) -> None:
        """Push the worlds whose turn it is before control step `step`."""
        angle = torch.rand(self._env.num_envs, generator=self._generator) * 2.0 * math.pi
        due = torch.eq(self._phase, step % self._period)
        ids = due.nonzero().squeeze(1) if step >= self._first else self._phase[:0]
        if not len(ids):
            return
        ids, kick = ids.to(self._env.device), SPEED * torch.stack((torch.cos(angle), torch.sin(angle)), 1)[ids]
        robot = self._env.robot
        velocity = robot.root_lin_vel_w[ids].clone()
        velocity[:, :2] += kick.to(velocity.device)
        robot.write_root(ids, robot.root_pos_w[ids], robot.root_quat_w[ids], velocity, robot.root_ang_vel_b[ids])
