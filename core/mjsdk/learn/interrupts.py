"""Ctrl-C, SIGTERM and a closed terminal end a training after the iteration that runs; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt:
    """Whether somebody asked the training to end."""

    def __init__(self, on_request: Callable[[str], None] | None = None) -> None:
        self.signal: signal.Signals | None = None
        self._on_request = on_request
        self._announced = False

    @property
    def requested(self) -> bool:
        """Whether the training should end after this iteration."""
        return self.signal is not None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take note of a signal; raise `KeyboardInterrupt` for a second one."""
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)

    def tell(self) -> None:
        """Say once that a signal has come: not as it comes, when somebody may be in the middle of printing."""
        if self.signal is not None and not self._announced:
            self._announced = True
            if self._on_request is not None:
                self._on_request(self.signal.name)


@contextmanager
def graceful(on_request: Callable[[str], None] | None = None) -> Iterator[Interrupt]:
    """Handle the signals inside of the block, where Python allows it: in the main thread."""
    interrupt = Interrupt(on_request)
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    # Programs started with `nohup` outlive their terminal.
    left_alone = [each for each in _SIGNALS if each.name == "SIGHUP" and signal.getsignal(each) is signal.SIG_IGN]
    before = {each: signal.signal(each, interrupt) for each in _SIGNALS if each not in left_alone}
    try:
        yield interrupt
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
