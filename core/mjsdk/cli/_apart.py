"""Stdout is for what a command says; what plugins print meanwhile goes to stderr, wherever it comes from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, cast

_held = ExitStack()
"""What gives stdout back that `hold` took."""


@contextmanager
def on_stderr() -> Iterator[None]:
    """What Python, a library or another process prints inside of the block goes to stderr, even if it closes stdout."""
    stdout = sys.stdout
    stdout.flush()
    with ExitStack() as undo:
        with suppress(OSError):  # one of them is closed, or there is none
            kept = os.dup(1)
            undo.callback(os.close, kept)
            undo.callback(os.dup2, kept, 1)
            os.dup2(2, 1)
        sys.stdout = cast(Any, _Stderr())
        try:
            yield
        finally:
            sys.stdout = stdout


def hold(args: Sequence[str]) -> ExitStack:
    """Keep stdout for data, if that is what a command line asks for, until `release` or the end of the result."""
    if _wants_data(args):
        _held.enter_context(on_stderr())
    return _held


def _wants_data(args: Sequence[str]) -> bool:
    return ("--json" in args or args[:1] == ["config"]) and not {"-h", "--help"} & set(args)


def release() -> None:
    """Give stdout back: now the command prints what it was asked for."""
    _held.close()


def leave(args: Sequence[str]) -> None:
    """At the end of a process that wrote data: what threads and exit handlers of plugins still print is none of it."""
    if _wants_data(args):
        with suppress(OSError):  # one of them is closed
            os.dup2(2, 1)


class _Stderr:
    """Stands in for stdout: it is stderr as that is then, but closing it does nothing."""

    closed = False

    def close(self) -> None:
        """Leave stderr open."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)
