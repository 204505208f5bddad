"""Compiled loops where there are some, on the CPU; tensor operations for the rest."""

from __future__ import annotations

import importlib
import math
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from mjsdk.ops import loops
from mjsdk.ops.tensors import TensorOps

T = TypeVar("T")


class LoopOps(TensorOps):
    """See `mjsdk.ops.protocol.Ops`."""

    base_motion = loops.base_motion  # type: ignore[assignment]
    contact_loads = loops.contact_loads  # type: ignore[assignment]
    reflect = loops.reflect  # type: ignore[assignment]

    def version_of(self, term: T) -> T:
        """See `Ops`. A module `compiled` beside that of the term may have another version in its table `VERSIONS`."""
        package = getattr(term, "__module__", "").rpartition(".")[0]
        if not package or find_spec(f"{package}.compiled") is None:
            return term
        versions: dict[Any, Any] = importlib.import_module(f"{package}.compiled").VERSIONS
        return cast(T, versions.get(term, term))

    def numbers(self, mask: Tensor) -> Tensor | None:
        """See `Ops`."""
        return mask.nonzero().squeeze(1)

    def weighted_sum(
        self, values: Tensor, weights: Tensor, dt: float, unstable: Tensor, total: Tensor, non_finite: Tensor
    ) -> bool:
        """See `Ops`."""
        if math.isfinite(torch.mv(values.T, weights * dt, out=total).sum()):  # one that is not makes the sum so
            total.masked_fill_(unstable, 0.0)
            return False
        super().weighted_sum(values, weights, dt, unstable, total, non_finite)
        return bool(non_finite.any())

    def add_noise(self, values: Tensor, scale: Tensor, seed: Tensor, generator: torch.Generator) -> None:
        """See `Ops`."""
        loops.add_noise(values, scale, seed.view(torch.uint64))
