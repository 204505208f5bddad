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
    """A term whose values, shape (E,), a loop fills; it is called with the environment as terms are."""

    def __init__(self, env: Any, loop: Loop, *args: Any, after: Callable[[], object] | None = None) -> None:
        """Bind a loop to its arguments, whose memory stays; the last one is added here.

        Args:
            env: The environment.
            loop: What fills the values.
            args: Its arguments.
            after: What brings their memory up to date.
        """
        self._loop, self._args, self._after = loop, args, after
        self.use(env.zeros(env.num_envs))

    def use(self, values: Tensor) -> None:
        """Fill these from now on, shape (E,)."""
        self._values, self._fill = values, self._loop.bind(*self._args, values)

    def __call__(self, env: Any) -> Tensor:
        """The values now; written over by the next call."""
        if self._after is not None:
            self._after()
        self._fill()
        return self._values


class LoopOps(TensorOps):
    """See `mjsdk.ops.protocol.Ops`."""

    base_motion = loops.base_motion  # type: ignore[assignment]
    contact_loads = loops.contact_loads  # type: ignore[assignment]
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
        return operation.bind(*args) if isinstance(operation, Loop) else partial(operation, *args)

    def numbers(self, mask: Tensor) -> Tensor | None:
        """See `Ops`."""
        return mask.nonzero().squeeze(1)

    def countdown(self, time_left: Tensor, dt: float) -> Found:
        """See `Ops`."""
        ids = torch.empty(len(time_left), dtype=torch.long)
        return None, ids[: loops.countdown(time_left, dt, ids)]

    def end_episodes(self, reasons: Tensor, failures: int, terminated: Tensor, truncated: Tensor) -> Found:
        """See `Ops`."""
        ids = torch.empty(len(terminated), dtype=torch.long)
        return None, ids[: loops.end_episodes(reasons, failures, terminated, truncated, ids)]

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
