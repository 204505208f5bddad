"""Ctrl-C and SIGTERM end a training after the iteration that runs; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Whether somebody asked the training to end."""

    def __init__(self, on_request: Callable[[str], None] | None = None) -> None:
        self.signal: signal.Signals | None = None
        self._on_request = on_request

    @property
    def requested(self) -> bool:
        """Whether the training should end after this iteration."""
        return self.signal is not None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal; raise `KeyboardInterrupt` for a second one."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        if self._on_request is not None:
            self._on_request(self.signal.name)


@contextmanager
def graceful(on_request: Callable[[str], None] | None = None) -> Iterator[Interrupt]:
    """Handle the signals inside of the block, where Python allows it: in the main thread."""
    interrupt = Interrupt(on_request)
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {each: signal.signal(each, interrupt) for each in _SIGNALS}
    try:
        yield interrupt
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
