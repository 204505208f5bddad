"""Compiled loops where there are some, on the CPU; tensor operations for the rest."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

import torch
from torch import Tensor

from mjsdk.ops import loops
from mjsdk.ops.loop import Loop
from mjsdk.ops.protocol import Chosen, Found
from mjsdk.ops.tensors import TensorOps

T = TypeVar("T")


class Filled:
    """A term whose values a loop fills, shape (E,) or (E, D); it is called with the environment as terms are."""

    def __init__(
        self,
        env: Any,
        loop: Loop,
        *args: Any,
        after: Callable[[], object] | None = None,
        width: int = 0,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Bind a loop to its arguments, whose memory stays; the last one is added here.

        Args:
            env: The environment.
            loop: What fills the values.
            args: Its arguments.
            after: What brings their memory up to date.
            width: D of an observation, whose values are some columns of a group's; 0 for values of shape (E,).
            dtype: Type of the values; float unless given.
        """
        self._loop, self._args, self._after = loop, args, after
        shape = (env.num_envs, width + 1) if width else (env.num_envs,)
        values = env.zeros(*shape, dtype=dtype)
        self.use(values[:, :width] if width else values)

    def use(self, values: Tensor) -> None:
        """Fill these from now on: of the same shape, a row of managers or some of their columns."""
        self._values, self._fill = values, self._loop.bind(*self._args, values)

    def __call__(self, env: Any) -> Tensor:
        """The values now; written over by the next call."""
        if self._after is not None:
            self._after()
        self._fill()
        return self._values


class Finder:
    """A loop that fills the numbers of the worlds it finds, its first argument, and says how many these are."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __call__(self, *args: Any) -> Found:
        """See `Ops`."""
        return self.bind(*args)()

    def bind(self, *args: Any) -> Callable[..., Found]:
        """The operation with its first arguments; the first of them has a column or a number per world."""
        ids = torch.empty(args[0].shape[-1], dtype=torch.long)
        fill = self._loop.bind(ids, *args)
        return lambda *more: (None, ids[: fill(*more)].clone())


class LoopOps(TensorOps):
    """See `mjsdk.ops.protocol.Ops`."""

    base_motion = loops.base_motion  # type: ignore[assignment]
    contact_loads = loops.contact_loads  # type: ignore[assignment]
    countdown = Finder(loops.countdown)  # type: ignore[assignment]
    end_episodes = Finder(loops.end_episodes)  # type: ignore[assignment]
    log_step = loops.log_step  # type: ignore[assignment]
    reflect = loops.reflect  # type: ignore[assignment]

    def version_of(self, term: Any) -> Any:
        """See `Ops`: what a module `compiled` beside that of the term has for it in its table `VERSIONS`."""
        package = getattr(term, "__module__", "").rpartition(".")[0]
        if not package or find_spec(f"{package}.compiled") is None:
            return None
        versions = getattr(importlib.import_module(f"{package}.compiled"), "VERSIONS", None)
        if not isinstance(versions, Mapping) or not callable(versions.get(term, len)):
            raise TypeError(f"{package}.compiled must have a dict VERSIONS of terms and what makes their loops")
        return versions.get(term)

    def prepared(self, operation: Callable[..., T], *args: Any) -> Callable[..., T]:
        """See `Ops`."""
        bind: Any = operation.bind if isinstance(operation, (Loop, Finder)) else partial(partial, operation)
        return bind(*args)

    def numbers(self, mask: Tensor) -> Tensor | None:
        """See `Ops`."""
        return mask.nonzero().squeeze(1)

    def log_ends(self, worlds: Chosen, *sums: Tensor) -> None:
        """See `Ops`."""
        loops.log_ends(worlds.ids, *sums)

    def weighted_sum(
        self, values: Tensor, weights: Tensor, dt: float, unstable: Tensor, total: Tensor, non_finite: Tensor
    ) -> bool:
        """See `Ops`."""
        if loops.weighted_sum(values, weights, unstable, total, dt):
            return False
        super().weighted_sum(values, weights, dt, unstable, total, non_finite)
        return bool(non_finite.any())

    def add_noise(self, values: Tensor, scale: Tensor, seed: Tensor, generator: torch.Generator) -> None:
        """See `Ops`."""
        loops.add_noise(values, scale, seed.view(torch.uint64))
