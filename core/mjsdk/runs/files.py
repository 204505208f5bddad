"""Files of a run, read with errors that name them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mjsdk.errors import BrokenRun, shortened

MOST_TEXT = 16 * 2**20
"""Bytes of settings and records that are read: a thousand times what a training writes."""
MOST_LINES = 2**30
"""Bytes of metrics that are read: a million iterations."""


@contextmanager
def open_regular(path: Path, most: int) -> Iterator[BinaryIO]:
    """A file of at most so many bytes, for reading. Raises `BrokenRun` for pipes and devices, which may never end."""
    try:
        # A pipe that nobody writes to would be waited for.
        file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise BrokenRun(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    with file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise BrokenRun(f"{path} cannot be read: it is a folder, a pipe or a device, and must be a file.")
        if facts.st_size > most:
            raise BrokenRun(f"{path} is not read: it has {facts.st_size:,} bytes, and may have {most:,}.")
        yield file


def read_mapping(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    """The contents of a file of a run, a mapping. Raises `BrokenRun`."""
    try:
        with open_regular(path, MOST_TEXT) as file:
            data = parse(file.read().decode("utf-8"))
    except FileNotFoundError:
        raise BrokenRun(
            f"{path.parent} is not a complete run: it has no {path.name}. Runs are made by `mjsdk train`."
        ) from None
    except BrokenRun:
        raise
    except Exception as error:  # whatever a stranger's text makes a parser raise
        told = shortened(" ".join(str(error).split())) or type(error).__name__
        raise BrokenRun(f"{path} cannot be read: {told}") from error
    if not isinstance(data, dict):
        raise BrokenRun(f"{path} is damaged: it must hold `key: value`, not {type(data).__name__}")
    return data


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file that are whole."""
    return [row for row in metrics_lines(path) if row is not None]


def metrics_lines(path: Path) -> list[dict[str, Any] | None]:
    """The lines of a metrics file, None for those that are damaged; a last line that was cut short is left out."""
    try:
        with open_regular(path, MOST_LINES) as file:
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    return [parse_row(line) for line in lines[:-1]]


def parse_row(line: bytes) -> dict[str, Any] | None:
    """A line of a metrics file; None if it is damaged."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and type(row.get("iteration", 0)) is int else None
