"""Files of a run, read with errors that name them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from mjsdk import files
from mjsdk.errors import BrokenRun, one_line

MOST_TEXT = 16 * 2**20
"""Bytes of settings and records that are read: a thousand times what a training writes."""
MOST_LINES = 2**30
"""Bytes of metrics that are read: a million iterations."""


def open_regular(path: Path, most: int) -> BinaryIO:
    """A file of a run for reading, of at most so many bytes. Raises `BrokenRun`, and `FileNotFoundError`."""
    try:
        return files.open_regular(path, most)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise BrokenRun(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


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
        raise BrokenRun(f"{path} cannot be read: {one_line(str(error)) or type(error).__name__}") from error
    if not isinstance(data, dict):
        raise BrokenRun(f"{path} is damaged: it must hold `key: value`, not {type(data).__name__}")
    return data


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
