"""Files of a run, read with errors that name them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from mjsdk.errors import BrokenRun


def read_mapping(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    """The contents of a file of a run, a mapping. Raises `BrokenRun`."""
    try:
        data = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BrokenRun(
            f"{path.parent} is not a complete run: it has no {path.name}. Runs are made by `mjsdk train`."
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BrokenRun(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise BrokenRun(f"{path} is damaged: it must hold `key: value`, not {type(data).__name__}")
    return data


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file that are whole."""
    return [row for row in metrics_lines(path) if row is not None]


def metrics_lines(path: Path) -> list[dict[str, Any] | None]:
    """The lines of a metrics file, None for those that are damaged; a last line that was cut short is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BrokenRun(f"{path} cannot be read: {error.strerror or error}") from error
    return [parse_row(line) for line in lines[:-1]]


def parse_row(line: bytes) -> dict[str, Any] | None:
    """A line of a metrics file; None if it is damaged."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("iteration", 0), int) else None
