"""Loops over worlds, compiled by numba: what every step does on the CPU.

A chain of tensor operations is quick where the tensors are large. With a few hundred worlds on a CPU, what it costs is
getting each operation's code back into the caches that the physics has filled with its own: 20 to 50 microseconds an
operation. One short loop does the same in a few. So the parts of a step that every robot and task runs through have a
kernel here beside their tensor operations, which other devices use, and which tell what the kernel has to give.

A kernel reads and writes arrays that share memory with tensors. It is compiled for the machine at the first call, and
kept on disk for the next process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

ENABLED = os.environ.get("MJSDK_KERNELS", "1") != "0"
"""Whether kernels are used at all: MJSDK_KERNELS=0 shows every step to a debugger."""


def used_on(device: str) -> bool:
    """Whether kernels do the work on a device."""
    return ENABLED and device == "cpu"


class Kernel:
    """A function of arrays and numbers that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        """Run it, on arrays that it writes to in place."""
        if self._compiled is None:
            self._compiled = _compiled(self.function)
        try:
            return self._compiled(*args)
        except OSError:  # the compiled code cannot be kept, as on a full disk
            self._compiled = _compiled(self.function, keep=False)
            return self._compiled(*args)


def _compiled(function: Callable[..., Any], keep: bool = True) -> Callable[..., Any]:
    import numba

    try:
        return numba.njit(
            function, cache=keep, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"}, boundscheck=False
        )
    except RuntimeError:  # nowhere to keep it: neither beside the source nor in the user's cache
        if not keep:
            raise
        return _compiled(function, keep=False)


def array(tensor: Tensor) -> np.ndarray:
    """An array that shares memory with a tensor on the CPU."""
    return tensor.numpy()


def zeros(*shape: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor that a kernel fills and tensor operations may write to at any time, inside inference mode or not."""
    with torch.inference_mode(False):
        return torch.zeros(shape, dtype=dtype, device=device)
