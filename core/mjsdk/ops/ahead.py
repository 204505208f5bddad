"""Compiles loops in other processes, while the one that needs them imports, composes and builds.

`start` begins; `python -m mjsdk.ops.ahead` is what it starts. Whoever needs a loop that is not done yet compiles it, or
waits for who is at it; so it does not matter whether the others finish.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mjsdk import ops
from mjsdk.ops.loop import Loop
from mjsdk.runtime import available_threads

MAX_WORKERS = 3
"""Compile processes at most."""
_started: list[subprocess.Popen[bytes]] = []
"""For as long as this process lives: python warns of processes that are still at work when nobody knows them."""


def start(packages: Iterable[str]) -> None:
    """Compile the loops of every step and of some packages in the background, unless all are there already.

    Args:
        packages: Their loops are those in a module `loops` inside of each.
    """
    if not ops.LOOPS or all(loop.kept for loop in loops_of(("mjsdk.ops", *packages))):
        return
    workers = min(MAX_WORKERS, available_threads() - 1)
    none = subprocess.DEVNULL
    for number in range(workers):
        command = [sys.executable, "-P", "-m", __name__, str(number), str(workers), *packages]
        with suppress(OSError):
            _started.append(subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True))


def _main(number: str, workers: str, *packages: str) -> None:
    """Compile this process's share."""
    work = [(loop, types) for loop in loops_of(("mjsdk.ops", *packages)) for types in loop.types]
    for loop, types in work[int(number) :: int(workers)]:
        loop.compile(parsed(types))


def loops_of(packages: Iterable[str]) -> Iterator[Loop]:
    """The loops in the module `loops` of each package that has one; whoever needs a broken one will say so."""
    for package in packages:
        with suppress(Exception, SystemExit):
            module = importlib.import_module(f"{package}.loops")
            yield from (value for value in vars(module).values() if isinstance(value, Loop))


def parsed(types: str) -> tuple[Any, ...]:
    """Types of arguments from how numba writes them."""
    from numba.core.sigutils import normalize_signature

    return tuple(normalize_signature(f"({types},)")[0])


if __name__ == "__main__":
    _main(*sys.argv[1:])
