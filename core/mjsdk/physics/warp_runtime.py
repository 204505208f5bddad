"""NVIDIA Warp and MuJoCo Warp, imported quietly, with a word where their kernels are compiled."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from mjsdk.errors import one_line

_log = logging.getLogger(__name__)
_NO_DRIVER = "Could not find or load the NVIDIA CUDA driver"
"""What Warp's native code prints on every machine without a GPU."""
_LONGEST_S = 600.0
"""For how long [s] a process waits for another one that compiles."""
_PAUSE_S = 15.0
"""Time between two words about kernels that are still being compiled [s]."""


@cache
def warp_modules() -> tuple[Any, Any]:
    """`warp` and `mujoco_warp`, which take more than a second to import."""
    import warp

    warp.config.log_level = warp.LOG_ERROR
    with _without(_NO_DRIVER):
        warp.init()
    warp.set_logger(_Logger())
    warp.config.log_level = warp.LOG_INFO
    import mujoco_warp

    return warp, mujoco_warp


@contextmanager
def compiling_alone() -> Iterator[None]:
    """Let one process at a time compile kernels: what two write to Warp's cache at once may be wrong (warp #1705)."""
    from filelock import FileLock, Timeout

    warp, _ = warp_modules()
    lock = FileLock(Path(warp.config.kernel_cache_dir) / "mjsdk.lock", timeout=_LONGEST_S)
    with suppress(OSError, Timeout):  # a cache that cannot be written to, or a process that hangs: then without
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _without(line: str) -> Iterator[None]:
    """Leave out one line that native code prints to stderr meanwhile."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as printed:
        kept = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            printed.seek(0)
            for text in printed.read().decode(errors="replace").splitlines():
                if line not in text:
                    _log.warning("%s", one_line(text))


class _Logger:
    """Takes what Warp has to say: passes warnings on, and sums up the modules that it compiles."""

    def __init__(self) -> None:
        self._compiled, self._said_at = 0, 0.0

    def debug(self, message: str) -> None:
        """Nobody asked."""

    def info(self, message: str) -> None:
        """One line for each module that is loaded, of which those that were compiled took their time."""
        if "(compiled)" not in message:
            return
        self._compiled += 1
        now = time.monotonic()
        if self._compiled == 1:
            _log.info("compiling the kernels of MuJoCo Warp for this machine, once: it takes a minute or more")
        elif now - self._said_at > _PAUSE_S:
            _log.info("compiling the kernels of MuJoCo Warp: %d groups are done", self._compiled)
        else:
            return
        self._said_at = now

    def warning(self, message: str, category: type[Warning] | None = None, stacklevel: int = 1) -> None:
        """To Python's warnings, as Warp itself does."""
        warnings.warn(message, category, stacklevel=stacklevel)

    def error(self, message: str) -> None:
        """To the log; it raises as well."""
        _log.error("Warp: %s", message)
