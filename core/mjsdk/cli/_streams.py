"""The standard streams as a command finds them: closed, unread, or unable to write every character."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from contextlib import suppress
from typing import Any

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
