"""Wall time of what a device does."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from mjsdk.physics.warp_runtime import warp_modules

_PENDING = 1000
"""Events on a GPU that wait to be read, at most: nobody asks for the time of an evaluation or a picture."""


class Stopwatch:
    """Adds up the time spent in `with stopwatch:`. On a GPU it is measured there, and read when somebody asks."""

    def __init__(self, device: str) -> None:
        self._wp, _ = warp_modules()
        self._device = self._wp.get_device(device)
        self._seconds, self._begun = 0.0, 0.0
        self._events: list[tuple[Any, Any]] = []

    def __enter__(self) -> None:
        if self._device.is_cuda:
            if len(self._events) >= _PENDING:
                self._add_up(_PENDING // 2)  # which are over by now
            pair = tuple(self._wp.Event(self._device, enable_timing=True) for _ in range(2))
            self._device.stream.record_event(pair[0])
            self._events.append(pair)
        else:
            self._begun = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._device.is_cuda:
            self._device.stream.record_event(self._events[-1][1])
        else:
            self._seconds += time.perf_counter() - self._begun

    @property
    def seconds(self) -> float:
        """Time so far [s]. On a GPU this waits for it."""
        self._add_up(len(self._events))
        return self._seconds

    def _add_up(self, count: int) -> None:
        """Add the oldest of the pending times, and forget them."""
        self._seconds += sum(1e-3 * self._wp.get_event_elapsed_time(*pair) for pair in self._events[:count])
        del self._events[:count]
