"""Noise of sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class UniformNoise:
    """Adds noise between -scale and scale to a tensor of shape (E, D), with `scale` of shape (D,)."""

    def __init__(self, env: Env, name: str, values: Tensor, scale: Tensor) -> None:
        self._env = env
        self._seed = env.buffers.new(f"{name}/noise", 1, dtype=torch.long)
        self.add = env.ops.prepared(env.ops.add_noise, values, scale, self._seed, env.generator)
        """Adds new noise to what the tensor holds now."""
        self.reseed()

    def reseed(self) -> None:
        """Start over with a seed from the environment's generator."""
        self._seed.random_(generator=self._env.generator)
