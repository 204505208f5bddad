"""Loops over worlds, compiled by numba: what every step does on the CPU.

A chain of tensor operations is quick where the tensors are large. With a few hundred worlds on a CPU, what it costs is
getting each operation's code back into the caches that the physics has filled with its own, which takes longer than the
operation. A short loop has little code. So the parts of a step that all robots and tasks run through have a kernel here
beside their tensor operations, which other devices use, and which tell what the kernel has to give. What that brings:
`mjsdk bench` with and without MJSDK_KERNELS=0.

A kernel reads and writes arrays that share memory with tensors. It is compiled for the machine at the first call, and
kept on disk for the next process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

ENABLED = os.environ.get("MJSDK_KERNELS", "1") != "0"
"""Whether kernels are used at all: MJSDK_KERNELS=0 shows every step to a debugger."""


def used_on(device: str) -> bool:
    """Whether kernels do the work on a device."""
    return ENABLED and device == "cpu"


Call = Callable[[], Any]
"""A kernel with its arguments."""


def prepared_by(maker: Callable[..., Call | None]) -> Callable[[Any], Any]:
    """Decorator of a term that is a function: `maker(env, out, **params)` gives the call that fills `out` for it.

    The call does the same on a CPU as the term does anywhere, without tensors that come and go. A term that is a class
    has a method `prepare(env, out)` instead. What the call reads lies in memory that stays: physics, buffers, and what
    `env.robot.refresh()` brings up to date; where that is not so, there is no call to give but None.
    """

    def mark(term: Any) -> Any:
        term.prepare = maker
        return term

    return mark


class Kernel:
    """A function of arrays and numbers that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._dispatcher: Any = None

    def __call__(self, *args: Any) -> Any:
        """Run it, on arrays that it writes to in place and numbers."""
        try:
            return self._compiled()(*args)
        except OSError:  # a full disk: the compiled code cannot be kept
            return self._compiled(keep=False)(*args)

    def bind(self, *args: Any) -> Call:
        """The kernel with its arguments, compiled for them, for calls in every step: arrays, numbers, and tensors whose
        memory it uses.
        """
        import numba

        ready = [array(arg) if isinstance(arg, Tensor) else arg for arg in args]
        signature = tuple(map(numba.typeof, ready))
        try:
            self._compiled().compile(signature)
        except OSError:
            self._compiled(keep=False).compile(signature)
        return partial(self._dispatcher, *ready)

    def _compiled(self, keep: bool = True) -> Any:
        if self._dispatcher is None or not keep:
            self._dispatcher = _dispatcher(self.function, keep)
        return self._dispatcher


def _dispatcher(function: Callable[..., Any], keep: bool) -> Any:
    """What numba makes of a function: it compiles for each kind of arguments once."""
    import numba

    try:
        return numba.njit(function, cache=keep, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
    except RuntimeError:  # nowhere to keep it: neither beside the source nor in the user's cache
        if not keep:
            raise
        return _dispatcher(function, keep=False)


def array(tensor: Tensor) -> np.ndarray:
    """An array that shares memory with a tensor on the CPU."""
    return tensor.numpy()


def zeros(*shape: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor that a kernel fills and tensor operations may write to at any time, inside inference mode or not."""
    with torch.inference_mode(False):
        return torch.zeros(shape, dtype=dtype, device=device)
