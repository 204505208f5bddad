"""Pushes at known times and speeds, the same for every policy."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.mdp.events import push_towards

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
        self.counts = torch.zeros(env.num_envs, dtype=torch.long)
        """Pushes of each world in its first episode, shape (E,)."""

    def __call__(self, step: int, alive: Tensor) -> None:
        """Push the worlds whose turn it is before control step `step`; those that are `alive`, shape (E,), count."""
        angle = torch.rand(self._env.num_envs, generator=self._generator) * 2.0 * math.pi
        if step < self._first:
            return
        due = torch.eq(self._phase, step % self._period)
        self.counts += due & alive
        device = self._env.device
        worlds = self._env.worlds(due.to(device))
        if not worlds.known_empty:
            push_towards(self._env, worlds, worlds.take(angle.to(device)), SPEED)
