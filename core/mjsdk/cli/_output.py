"""What commands print with. rich is imported only when a table or a style is needed."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

from mjsdk.cli import _apart
from mjsdk.errors import shortened

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def console(stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; plain text that does not wrap names where it is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return Console(stderr=stderr, highlight=False)
    return Console(
        file=cast(TextIO, _Trimmed(stream)),
        highlight=False,
        width=int(os.environ.get("COLUMNS", _SCREEN[0])),
    )


class _Trimmed(io.TextIOBase):
    """Writes lines without the spaces that tables end them with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write whole lines."""
        return self._stream.write(_TRAILING.sub("", text))

    def flush(self) -> None:
        """Flush what lies below."""
        self._stream.flush()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding of what lies below."""
        return self._stream.encoding


_SCREEN = (120, 24)
"""Columns and rows that every screen has."""
_LONGEST_LINE = 5 * _SCREEN[0]
_TRAILING = re.compile(r" +(?=\n)")


def print_json(data: Any) -> None:
    """Print data for programs, with escapes where the output cannot take every character."""
    _apart.release()
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    typer.echo(text)


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> RenderableType:
    """A table without boxes. Columns named in `right` are aligned to the right; the first and `whole` do not wrap.

    No number is cut or torn: where the room is too small, the last columns of `right` are left out, and named below.
    """
    from mjsdk.cli._tables import FittingTable

    return FittingTable(title, columns, rows, right, whole)


def error(text: str) -> None:
    """Print an error on stderr."""
    _labelled("error", text, "bold red")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    _labelled("warning", text, "bold yellow")


def fitting(text: str) -> str:
    """A message of at most a screen: long lines are cut in the middle, and of many those in the middle left out."""
    lines = [shortened(line, _LONGEST_LINE) for line in text.splitlines()]
    rows = [-(-len(line) // _SCREEN[0]) or 1 for line in lines]
    if sum(rows) <= _SCREEN[1]:
        return "\n".join(lines)
    head = sum(total <= _SCREEN[1] * 2 // 3 for total in itertools.accumulate(rows))
    tail = sum(total <= _SCREEN[1] // 3 - 1 for total in itertools.accumulate(reversed(rows)))
    return "\n".join([*lines[:head], f"  ... {len(lines) - head - tail} lines ...", *lines[len(lines) - tail :]])


def _labelled(label: str, text: str, style: str) -> None:
    text = fitting(text)
    if not sys.stderr.isatty():
        typer.echo(f"{label}: {text}", err=True)
        return
    from rich.text import Text

    console(stderr=True).print(Text.assemble((f"{label}: ", style), text), soft_wrap=True)
