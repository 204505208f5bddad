"""Functions of Warp, recorded once and replayed: on a GPU hundreds of launches become one."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mjsdk.errors import one_line
from mjsdk.physics.warp_runtime import compiling_alone, warp_modules

_log = logging.getLogger(__name__)
GRAPHS = os.environ.get("MJSDK_GRAPHS", "1") != "0"
"""Whether functions are recorded at all: MJSDK_GRAPHS=0 shows every launch to a profiler, and is slow."""
_CONDITIONAL = (12, 4)
"""CUDA version of the driver from which on a graph may contain loops, which the solver has."""


class Graphs:
    """Recorded functions by name. What they read and write must stay where it is; else `discard` them."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._graphs: dict[str, Any] = {}
        self._works = GRAPHS

    def run(self, name: str, function: Callable[[], None]) -> None:
        """Do what `function` does, by its recording if there can be one."""
        wp, _ = warp_modules()
        if name not in self._graphs:
            self._graphs[name] = self._recorded(function) if self._works else None
        graph = self._graphs[name]
        if graph is None:
            with wp.ScopedDevice(self._device):
                function()
        else:
            wp.capture_launch(graph)

    def discard(self) -> None:
        """Record everything again, after an array was replaced: recordings go on with the old one."""
        self._graphs.clear()

    def _recorded(self, function: Callable[[], None]) -> Any:
        wp, _ = warp_modules()
        try:
            # What Warp is not told a device for, it does on its default one, which is the first GPU where there is any.
            here, recording = wp.ScopedDevice(self._device), wp.ScopedCapture(device=self._device)
            with compiling_alone(), _no_garbage_collection(), here, recording as capture:
                function()
        except Exception as error:  # of whatever the driver does not do
            self._works = False
            _log.warning(
                "graphs of Warp do not work here, and physics is slower without them: %s. A newer driver may help",
                one_line(str(error)),
            )
            return None
        return capture.graph


def loops_in_graphs(device: str) -> bool:
    """Whether graphs can contain loops: on the CPU, and where the driver is new enough."""
    wp, _ = warp_modules()
    version = wp.get_cuda_driver_version() if wp.get_device(device).is_cuda else _CONDITIONAL
    return tuple(version or ()) >= _CONDITIONAL


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """An object that is freed meanwhile may call the driver, which breaks a recording."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
