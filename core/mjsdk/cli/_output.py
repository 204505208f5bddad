"""What commands print with. rich is imported only when a table or a style is needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console(stderr: bool = False) -> Console:
    """A rich console on stdout or stderr; plain text that does not wrap names where it is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 120
    return Console(stderr=stderr, highlight=False, width=width)


def print_json(data: Any) -> None:
    """Print data for programs."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> Table:
    """A table without boxes, whose first column does not wrap; columns named in `right` are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        made.add_column(Text(column), justify="right" if column in right else "left", overflow="fold", no_wrap=i == 0)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def error(text: str) -> None:
    """Print an error on stderr."""
    _labelled("error", text, "bold red")


def warn(text: str) -> None:
    """Print a warning on stderr."""
    _labelled("warning", text, "bold yellow")


def _labelled(label: str, text: str, style: str) -> None:
    if not sys.stderr.isatty():
        typer.echo(f"{label}: {text}", err=True)
        return
    from rich.text import Text

    console(stderr=True).print(Text.assemble((f"{label}: ", style), text), soft_wrap=True)
