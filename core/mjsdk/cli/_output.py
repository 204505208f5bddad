"""What commands print with. rich is imported only when a table or a style is needed."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO, cast

import attrs
import typer

from mjsdk.cli import _streams
from mjsdk.errors import shortened

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult


def console(stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; plain text that does not wrap names where it is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return Console(stderr=stderr, highlight=False)
    width = int(os.environ.get("COLUMNS", _SCREEN[0]))
    return Console(file=cast(TextIO, _Trimmed(stream)), highlight=False, width=width)


class _Trimmed:
    """A stream whose lines lose the spaces that tables end them with."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write whole lines."""
        return self._stream.write(_TRAILING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_GAP = 2
"""Characters around a column of a table."""
_NARROWEST = 8
"""Characters that a column of text is wrapped to at least."""
_SCREEN = (120, 24)
"""Columns and rows that every screen has."""
_LONGEST_LINE = 5 * _SCREEN[0]
_TRAILING = re.compile(r" +(?=\n)")


def print_json(data: Any) -> None:
    """Print data for programs, with escapes where the output cannot take every character."""
    _streams.release()
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    typer.echo(text)


@attrs.frozen
class Table:
    """A table without boxes. Columns named in `right` are aligned to the right; the first and `whole` do not wrap.

    No number is cut or torn: where the room is too small, the last columns of `right` are left out, and named below.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    right: Sequence[str] = ()
    whole: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What fits, and a line about what does not."""
        from rich import box, table
        from rich.text import Text

        rows = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in self.rows]
        shown = self._fitting([[cell.plain for cell in row] for row in rows], options.max_width)
        made = table.Table(title=Text(self.title, "bold"), box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        made.title_justify = "left"
        for i in shown:
            side: JustifyMethod = "right" if self.columns[i] in self.right else "left"
            made.add_column(Text(self.columns[i]), justify=side, overflow="fold", no_wrap=self._unbroken(i))
        for row in rows:
            made.add_row(*(row[i] for i in shown))
        yield made
        hidden = [name for i, name in enumerate(self.columns) if i not in shown]
        if hidden:
            names = ", ".join(" ".join(name.split()) for name in hidden)
            yield Text(f"no room in {options.max_width} columns for: {names}\n", "italic")

    def _fitting(self, rows: Sequence[Sequence[str]], room: int) -> list[int]:
        """Places of the columns that fit."""
        needs = []
        for i, column in enumerate(self.columns):
            cells = [column, *(row[i] for row in rows)]
            longest = max(len(line) for cell in cells for line in cell.split("\n"))
            needs.append(longest if self._unbroken(i) else min(longest, _NARROWEST))
        shown = list(range(len(needs)))
        for i in reversed(shown.copy()):
            if sum(needs[k] + _GAP for k in shown) <= room:
                break
            if i and self.columns[i] in self.right:
                shown.remove(i)
        return shown

    def _unbroken(self, i: int) -> bool:
        return i == 0 or self.columns[i] in (*self.right, *self.whole)


def error(text: str) -> None:
    """Print an error on stderr."""
    _labelled("error", text, "bold red")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    _labelled("warning", text, "bold yellow")


def note(text: str) -> None:
    """Print on stderr what somebody who waits should know."""
    _labelled("note", text, "bold")


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
