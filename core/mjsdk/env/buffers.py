"""Tensors of the environment that a resumed training needs."""

from __future__ import annotations

import torch
from torch import Tensor


class Buffers:
    """Named tensors, one per thing that an environment remembers from step to step.

    Whatever keeps state allocates it here, so that saving and loading an environment is copying these, and nothing that
    a term remembers can be forgotten.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._tensors: dict[str, Tensor] = {}
        self.complete = False
        """Whether the environment is built: what is allocated later would be missing in a checkpoint."""

    def new(self, name: str, *shape: int, dtype: torch.dtype = torch.float32, fill: float = 0.0) -> Tensor:
        """A new tensor, filled; it is written in place and never replaced."""
        if name in self._tensors:
            raise ValueError(f"there is a buffer '{name}' already; give the second one another name")
        if self.complete:
            raise ValueError(f"the buffer '{name}' comes too late; allocate it in the __init__ of a class")
        self._tensors[name] = torch.full(shape, fill, dtype=dtype, device=self.device)
        return self._tensors[name]

    @property
    def names(self) -> frozenset[str]:
        """Names of all tensors so far."""
        return frozenset(self._tensors)

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of that name itself."""
        return self._tensors[name]

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of all tensors, by name."""
        return {name: tensor.clone() for name, tensor in self._tensors.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Copy tensors of the same names and shapes in place. Raises KeyError or RuntimeError if they differ."""
        for name, tensor in self._tensors.items():
            tensor.copy_(state[name])
