"""Timers of worlds: countdowns that expire and start again at random lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from mjsdk.env.worlds import Worlds

if TYPE_CHECKING:
    from mjsdk.env.env import Env


def countdown(env: Env, time_left: Tensor, dt: float) -> Worlds:
    """Take `dt` from each timer [s], shape (E,), in place; the worlds whose timer has expired."""
    return env.worlds(*env.ops.countdown(time_left, dt))


def resample_timers(worlds: Worlds, time_left: Tensor, bounds: Sequence[float]) -> None:
    """Set the timers of some worlds, shape (E,), to random times between two bounds [s]."""
    low, high = bounds
    worlds.write(time_left, worlds.uniform(low, high))
