"""The standard streams: kept apart for data, and as a command finds or loses them.

Stdout is for what a command says; what plugins print meanwhile goes to stderr, wherever it comes from. Streams may be
closed, unread, or unable to write every character.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, cast

_SPELLED = "mjsdk"
"""Name of the way in which characters are written that a stream's encoding lacks."""
_SIZE = re.compile("[1-9][0-9]{0,3}")
"""What is believed of COLUMNS and LINES: rich counts digits that are no numbers, and fills lines of any length."""
_ALIKE = {
    **dict.fromkeys("─━╸╺╴╶", "-"),
    **dict.fromkeys("│┃", "|"),
    **dict(zip("▁▂▃▄▅▆▇█", "__..-=##", strict=True)),
    "…": "~",
    "\u2800": " ",  # braille without dots
}
_DRAWN = range(0x2500, 0x2900)
"""Lines, blocks and braille: each becomes one character, so that drawings keep their shape."""
_held = ExitStack()
"""What gives stdout back that `hold` took."""


def prepare() -> None:
    """Make sure that there are streams, that they take whatever text is written, and that their size is one."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stderr.write("error: the standard output is closed: there is nowhere to write to\n")
        sys.exit(2)
    for size in ("COLUMNS", "LINES"):
        if not _SIZE.fullmatch(os.environ.get(size, "")):
            os.environ.pop(size, None)
    codecs.register_error(_SPELLED, _spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SPELLED)


def mute(stream: Any) -> None:
    """Let a stream say nothing more, not even what Python still holds back."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # it is closed, or no file
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """What looks like a character of a drawing; of any other its number, as Python writes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    spelled = ""
    for character in error.object[error.start : error.end]:
        other = "*" if ord(character) in _DRAWN else character.encode("ascii", "backslashreplace").decode()
        spelled += _ALIKE.get(character, other)
    return spelled, error.end


@contextmanager
def lasting_output(what: str) -> Iterator[None]:
    """Inside of the block, an output that cannot be written to falls silent, after a warning that `what` continues."""
    before = sys.stdout, sys.stderr
    sys.stdout = cast(Any, _Lasting(sys.stdout, f"the standard output any more; {what}"))
    sys.stderr = cast(Any, _Lasting(sys.stderr, f"the error output any more; {what}"))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Lasting:
    """A stream that falls silent where another one would raise."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream, self._name, self._silent = stream, name, False

    def write(self, data: Any) -> int:
        """Write, if that can be done."""
        if hasattr(self._stream, "encoding") and not isinstance(data, str):
            raise TypeError("this stream takes text")  # by which click tells streams apart, silent ones too
        return int(self._try("write", data) or 0)

    def flush(self) -> None:
        """Flush, if that can be done."""
        self._try("flush")

    @property
    def buffer(self) -> _Lasting:
        """The stream below, which is used where the encoding of this one does not suit."""
        return _Lasting(self._stream.buffer, self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, method: str, *args: Any) -> Any:
        try:
            return None if self._silent else getattr(self._stream, method)(*args)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            if isinstance(error, UnicodeError):
                raise
            self._silent = True
            mute(self._stream)
            from mjsdk.cli._output import warn

            warn(f"nothing can be written to {self._name} ({error})")


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
