"""What observations and actions of one world may be."""

from __future__ import annotations

import math

import attrs


@attrs.frozen
class Box:
    """Vectors of float32, each element between two bounds."""

    shape: tuple[int, ...]
    """Without the worlds: (D,)."""
    low: float = -math.inf
    high: float = math.inf
    dtype: str = "float32"
