"""Loops over worlds, compiled by numba: what every step does on the CPU.

A chain of tensor operations is quick where the tensors are large. With a few hundred worlds on a CPU, what it costs is
getting each operation's code back into the caches that the physics has filled with its own, which takes longer than the
operation. A short loop has little code. So the parts of a step that all robots and tasks run through have a kernel here
beside their tensor operations, which other devices use, and which tell what the kernel has to give. What that brings:
`mjsdk bench` with and without MJSDK_KERNELS=0.

A kernel reads and writes arrays that share memory with tensors. It is compiled for the machine at the first call, and
kept on disk for the next process. `mjsdk.kernels.ahead` does that before the first call, beside what else a command
begins with.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mjsdk.kernels.kernel import Call, Kernel, array

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["ENABLED", "Call", "Kernel", "array", "prepared_by", "used_on", "zeros"]

ENABLED = os.environ.get("MJSDK_KERNELS", "1") != "0"
"""Whether kernels are used at all: MJSDK_KERNELS=0 shows every step to a debugger."""


def used_on(device: str) -> bool:
    """Whether kernels do the work on a device."""
    return ENABLED and device == "cpu"


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


def zeros(*shape: int, device: str = "cpu", dtype: torch.dtype | None = None) -> Tensor:
    """A tensor that a kernel fills and tensor operations may write to at any time, inside inference mode or not."""
    import torch

    with torch.inference_mode(False):
        return torch.zeros(shape, dtype=dtype, device=device)
