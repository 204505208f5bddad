"""Timers of worlds that run down to 0."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.kernels.sums import run_down


def due(time_left: Tensor, dt: float) -> Tensor | None:
    """Take `dt` from each timer [s], shape (E,), in place; the worlds whose timer has run down, shape (n,), if any."""
    if kernels.used_on(str(time_left.device)):
        ends = run_down(time_left.numpy(), np.float32(dt))
    else:
        time_left -= dt
        ends = float(time_left.min()) <= 0.0
    return torch.le(time_left, 0.0).nonzero().squeeze(1) if ends else None
