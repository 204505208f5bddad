"""What every step does, behind one protocol: as tensor operations anywhere, as compiled loops over worlds on a CPU.

A chain of tensor operations is quick where the tensors are large. With a few hundred worlds on a CPU, what it costs is
getting each operation's code back into the caches that the physics has filled with its own, which takes longer than the
operation. A short loop has little code. `tools/loops.py` measures what each loop brings; docs/loops.md has the table.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mjsdk.ops.protocol import Ops

LOOPS = os.environ.get("MJSDK_LOOPS", "1") != "0"
"""Whether compiled loops are used at all: MJSDK_LOOPS=0 shows every step to a debugger."""


def make_ops(device: str) -> Ops:
    """The quickest implementation for a device."""
    if LOOPS and device == "cpu":
        from mjsdk.ops.compiled import LoopOps

        return LoopOps()
    from mjsdk.ops.tensors import TensorOps

    return TensorOps()
