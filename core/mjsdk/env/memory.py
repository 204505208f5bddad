"""Delay and history of an observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk.config.env import ObservationTermConfig
from mjsdk.env.worlds import Worlds

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class Memory:
    """The last frames of one term: gives them delayed and stacked, oldest first.

    Each world draws its delay as an episode begins. A world's first frame fills its whole memory, so that nothing from
    the episode before is seen.
    """

    def __init__(self, env: Env, name: str, config: ObservationTermConfig, width: int, corrupt: bool) -> None:
        self._lags = (config.delay_min_lag, config.delay_max_lag) if corrupt else (0, 0)
        self._length = config.history_length
        depth = self._lags[1] + self._length
        self._frames = env.buffers.new(f"{name}/frames", env.num_envs, depth, width)
        self._fresh = env.buffers.new(f"{name}/fresh", env.num_envs, dtype=torch.bool, fill=True)
        self._lag = env.buffers.new(f"{name}/lag", env.num_envs, dtype=torch.long)

    def __call__(self, present: Tensor) -> Tensor:
        """Take in the present frame, shape (E, D), and give `history_length` frames, shape (E, history_length x D)."""
        self._frames.copy_(torch.cat((self._frames[:, 1:], present.unsqueeze(1)), 1))
        fresh = self._fresh.view(-1, 1, 1)
        self._frames.copy_(torch.where(fresh, present.unsqueeze(1), self._frames))
        self._fresh.fill_(False)
        return self._delayed().flatten(1)

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds and draw their delays."""
        worlds.fill(self._fresh, True)
        low, high = self._lags
        if high:
            worlds.write(self._lag, worlds.integers(low, high))

    def _delayed(self) -> Tensor:
        depth = self._frames.shape[1]
        if not self._lags[1]:
            return self._frames[:, depth - self._length :]
        ages = torch.arange(self._length - 1, -1, -1, device=self._lag.device)
        at = depth - 1 - self._lag.unsqueeze(1) - ages
        return self._frames.gather(1, at.unsqueeze(-1).expand(-1, -1, self._frames.shape[2]))
