"""Timers of worlds that run down to 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.kernels.rows import draw_timers
from mjsdk.kernels.sums import run_down

if TYPE_CHECKING:
    from mjsdk.env.env import Env


def due(time_left: Tensor, dt: float) -> Tensor | None:
    """Take `dt` from each timer [s], shape (E,), in place; the worlds whose timer has run down, shape (n,), if any."""
    if kernels.used_on(str(time_left.device)):
        ends = run_down(time_left.numpy(), np.float32(dt))
    else:
        time_left -= dt
        ends = float(time_left.min()) <= 0.0
    return torch.le(time_left, 0.0).nonzero().squeeze(1) if ends else None


def wind_up(env: Env, time_left: Tensor, bounds: Sequence[float], ids: Tensor) -> None:
    """Set the timers of the worlds `ids`, shape (n,), to random times between two bounds [s]."""
    low, high = bounds
    random = env.rand(len(ids))
    if kernels.used_on(env.device):
        draw_timers(random.numpy(), float(low), float(high), ids.numpy(), time_left.numpy())
    else:
        time_left.index_copy_(0, ids, random.mul_(high - low).add_(low))
