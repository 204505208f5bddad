"""Benchmarks in processes of their own: each begins with empty memory, and one that runs out of it ends alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

import attrs

from mjsdk.bench.results import Result
from mjsdk.errors import one_line, shortened

_NO_MEMORY = re.compile(r"not enough memory|out of memory|bad_alloc|can't allocate|failed to allocate", re.IGNORECASE)
_KILLED = (-9, 137)
"""How a process ends that an operating system without memory has chosen."""


@attrs.frozen
class Failure:
    """A benchmark that did not end well."""

    message: str
    of_memory: bool


def bench_apart(arguments: Sequence[str], on_line: Callable[[str], None] | None = None) -> Result | Failure:
    """The result of `mjsdk bench ARGUMENTS`; `on_line` gets what it says meanwhile, such as that it compiles."""
    command = [sys.executable, "-m", "mjsdk", "bench", *arguments, "--json"]
    said: list[str] = []
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as printed,
        subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True, errors="replace") as child,
    ):
        for line in child.stderr or ():
            said.append(line.rstrip())
            if on_line is not None and not line.startswith("error: "):
                on_line(said[-1])
        code = child.wait()
        printed.seek(0)
        return Result.from_json(json.load(printed)) if code == 0 else failure_of(code, said)


def failure_of(code: int, said: Sequence[str]) -> Failure:
    """Why a process ended with some exit code, by the lines that it wrote to stderr."""
    text = "\n".join(said)
    message = one_line(text.rpartition("error: ")[2]) if code == 2 else next(filter(None, reversed(said)), "")
    if code in _KILLED:
        message = "the process was killed, as happens where memory is full"
    of_memory = code in _KILLED or _NO_MEMORY.search(text) is not None
    return Failure(shortened(message or f"the process ended with code {code}", 400), of_memory)
