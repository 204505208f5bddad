"""Noise of sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.kernels.mirror import add_uniform

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class UniformNoise:
    """Adds noise between -scale and scale to a tensor of shape (E, D), with `scale` of shape (D,)."""

    def __init__(self, env: Env, name: str, values: Tensor, scale: Tensor) -> None:
        self._env, self._values, self._scale = env, values, scale
        self._seed = env.buffers.new(f"{name}/noise", 1, dtype=torch.long)
        if kernels.used_on(env.device):
            arrays = (kernels.array(values), kernels.array(scale))
            self._arrays: tuple[np.ndarray, ...] = (*arrays, kernels.array(self._seed).view(np.uint64))
        else:
            self._arrays = ()
            self._noise = kernels.zeros(*values.shape, device=env.device)
        self.reseed()

    def reseed(self) -> None:
        """Begin anew, with a seed from the environment's generator."""
        self._seed.random_(generator=self._env.generator)

    def add(self) -> None:
        """Add new noise to what the tensor holds now."""
        if self._arrays:
            add_uniform(*self._arrays)
        else:
            self._values.addcmul_(self._noise.uniform_(-1.0, 1.0, generator=self._env.generator), self._scale)
