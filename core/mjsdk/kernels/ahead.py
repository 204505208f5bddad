"""Compiles kernels in other processes, while the one that needs them imports, composes and builds.

`start` begins; `python -m mjsdk.kernels.ahead` is what it starts. Whoever needs a kernel that is not done yet
compiles it, or waits for who is at it; so it does not matter whether the others finish.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mjsdk.kernels import ENABLED, Kernel
from mjsdk.runtime import available_threads

MOST = 3
"""So many processes at most: there is not more to do."""


_started: list[subprocess.Popen[bytes]] = []
"""For as long as this process lives: python warns of processes that are still at work when nobody knows them."""


def start(packages: Iterable[str]) -> None:
    """Compile kernels of the core and of some packages in the background, unless those of the core are there already.

    Args:
        packages: Modules of plugins. Their kernels are those in a module `kernels` inside of each.
    """
    if not ENABLED or all(kernel.kept for kernel in kernels_of("mjsdk.kernels") if kernel.types):
        return
    helpers = min(MOST, available_threads() - 1)
    none = subprocess.DEVNULL
    for number in range(helpers):
        command = [sys.executable, "-P", "-m", __name__, str(number), str(helpers), *packages]
        with suppress(OSError):
            _started.append(subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True))


def _main(number: str, helpers: str, *packages: str) -> None:
    """Compile this process's share."""
    for kernel, types in list(all_types(packages))[int(number) :: int(helpers)]:
        kernel.compile(parsed(types))


def all_types(packages: Iterable[str]) -> Iterator[tuple[Kernel, str]]:
    """Each kernel of the core and of packages, with each of the types that it is compiled for ahead."""
    kernels = [*kernels_of("mjsdk.kernels")]
    for package in packages:
        with suppress(ImportError):  # a package without kernels
            kernels += kernels_of(f"{package}.kernels")
    for kernel in kernels:
        for types in kernel.types:
            yield kernel, types


def kernels_of(name: str) -> Iterator[Kernel]:
    """The kernels of a module and, if it is a package, of the modules in it."""
    module = importlib.import_module(name)
    inside = pkgutil.iter_modules(getattr(module, "__path__", ()))
    parts = [importlib.import_module(f"{name}.{part.name}") for part in inside]
    found = [value for part in (module, *parts) for value in vars(part).values() if isinstance(value, Kernel)]
    yield from dict.fromkeys(found)


def parsed(types: str) -> tuple[Any, ...]:
    """Types of arguments from how numba writes them."""
    from numba.core.sigutils import normalize_signature

    return tuple(normalize_signature(f"({types},)")[0])


if __name__ == "__main__":
    _main(*sys.argv[1:])
