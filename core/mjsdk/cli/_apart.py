"""Stdout is for what a command says; what plugins print meanwhile goes to stderr, wherever it comes from."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO, cast

_held = ExitStack()
"""What gives stdout back that `hold` took."""


@contextmanager
def on_stderr() -> Iterator[None]:
    """What Python, a library or another process prints inside of the block goes to stderr, even if it closes stdout."""
    stdout = sys.stdout
    stdout.flush()
    with ExitStack() as undo:
        with suppress(OSError):  # one of them is closed, or there is none
            undo.callback(_put_back, os.dup(1))
            os.dup2(2, 1)
        sys.stdout = cast(TextIO, _Stderr())
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


class _Stderr(io.TextIOBase):
    """Stands in for stdout, and writes to stderr as it is then."""

    @property
    def buffer(self) -> io.BufferedIOBase:
        """For bytes."""
        return sys.stderr.buffer  # type: ignore[return-value]

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding of stderr."""
        return sys.stderr.encoding

    def write(self, text: str) -> int:
        """Write to stderr."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush stderr."""
        sys.stderr.flush()

    def fileno(self) -> int:
        """Where stderr writes to."""
        return sys.stderr.fileno()


def _put_back(kept: int) -> None:
    os.dup2(kept, 1)
    os.close(kept)
