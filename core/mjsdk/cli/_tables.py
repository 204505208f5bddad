"""Tables that leave columns out rather than tear numbers. Imports rich: only commands that print one import this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

_GAP = 2
"""Characters around a column."""
_NARROWEST = 8
"""Characters that a column of text is wrapped to at least."""


class FittingTable:
    """See `mjsdk.cli._output.table`."""

    def __init__(
        self,
        title: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        right: Sequence[str],
        whole: Sequence[str],
    ) -> None:
        self._title = title
        self._columns = list(columns)
        self._rows = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
        self._right, self._whole = right, whole

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What fits, and a line about what does not."""
        shown = self._fitting(options.max_width)
        title = Text(self._title, "bold")
        made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for i in shown:
            side: JustifyMethod = "right" if self._columns[i] in self._right else "left"
            made.add_column(Text(self._columns[i]), justify=side, overflow="fold", no_wrap=self._unbroken(i))
        for row in self._rows:
            made.add_row(*(row[i] for i in shown))
        yield made
        hidden = [name for i, name in enumerate(self._columns) if i not in shown]
        if hidden:
            names = ", ".join(" ".join(name.split()) for name in hidden)
            yield Text(f"no room in {options.max_width} columns for: {names}\n", "italic")

    def _fitting(self, room: int) -> list[int]:
        """Places of the columns that fit."""
        needs = []
        for i, column in enumerate(self._columns):
            cells = [column, *(row[i].plain for row in self._rows)]
            longest = max(len(line) for cell in cells for line in cell.split("\n"))
            needs.append(longest if self._unbroken(i) else min(longest, _NARROWEST))
        shown = list(range(len(needs)))
        for i in reversed(shown.copy()):
            if sum(needs[k] + _GAP for k in shown) <= room:
                break
            if i and self._columns[i] in self._right:
                shown.remove(i)
        return shown

    def _unbroken(self, i: int) -> bool:
        return i == 0 or self._columns[i] in (*self._right, *self._whole)
