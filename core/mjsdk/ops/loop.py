"""A function of arrays that numba compiles, once for a machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

PYTHON = f"{sys.version_info.major}{sys.version_info.minor}"
LOCK_TIMEOUT_S = 60.0
"""For how long [s] a process waits for another one that compiles the same loop, before it does so by itself."""


class Loop:
    """A function of arrays and numbers that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any], types: Sequence[str] = ()) -> None:
        self.function = function
        self.types = types
        """Types of arguments that it is compiled for ahead, as numba writes them: `f4[:,::1], i8` is an array of floats
        without gaps and an integer.
        """

    @classmethod
    def of(cls, *types: str) -> Callable[[Callable[..., Any]], Loop]:
        """Decorator of a function that is compiled ahead for some types of its arguments; for others when they come."""
        return lambda function: cls(function, types)

    def __call__(self, *args: Any) -> Any:
        """Run it, on numbers and on tensors or arrays that it writes to in place."""
        return self.bind(*args)()

    def bind(self, *args: Any) -> Callable[..., Any]:
        """The loop with its first arguments, for calls in every step: numbers, arrays, tensors whose memory stays."""
        return partial(self._dispatcher, *[arg.numpy() if hasattr(arg, "numpy") else arg for arg in args])

    def compile(self, types: Any) -> None:
        """Compile it for some types of its arguments, or get the code that was kept."""
        self._dispatcher.compile(types)

    @property
    def kept(self) -> bool:
        """Whether code of it lies beside its source, younger than that."""
        source = Path(self.function.__code__.co_filename)
        found = _indices(self.function, source.parent / "__pycache__")
        return any(index.stat().st_mtime >= source.stat().st_mtime for index in found)

    @cached_property
    def _dispatcher(self) -> Any:
        return _dispatcher(self.function)


def _dispatcher(function: Callable[..., Any], keep: bool = True) -> Any:
    """What numba makes of a function: it compiles for each kind of arguments once."""
    import numba

    try:
        made: Any = numba.njit(function, cache=keep, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
    except RuntimeError:  # nowhere to keep it: neither beside the source nor in the user's cache
        if not keep:
            raise
        return _dispatcher(function, keep=False)
    if keep:
        folder = Path(made.stats.cache_path)
        lock = folder / f"{function.__module__.rpartition('.')[2]}.{function.__name__}.lock"
        made.compile = _one_at_a_time(_remaking(made.compile, function, folder), lock, made)
    return made


def _indices(function: Callable[..., Any], folder: Path) -> Iterator[Path]:
    """Files that say which code of a function is kept in a folder."""
    return folder.glob(f"*{function.__name__}-{function.__code__.co_firstlineno}.py{PYTHON}*.nbi")


def _remaking(compile_: Callable[[Any], Any], function: Callable[..., Any], folder: Path) -> Callable[[Any], Any]:
    """`compile_` that makes code again whose file was cut short, of which numba says whatever unpickling does."""
    from numba.core.errors import NumbaError

    def compile_again(types: Any) -> Any:
        try:
            return compile_(types)
        except (NumbaError, OSError):
            raise
        except Exception:
            for index in _indices(function, folder):
                index.unlink()
            return compile_(types)

    return compile_again


def _one_at_a_time(compile_: Callable[[Any], Any], lock: Path, made: Any) -> Callable[[Any], Any]:
    """`compile_`, by one process at a time: what numba keeps on disk may be wrong where two write it at once."""
    from filelock import FileLock

    def compile_alone(types: Any) -> Any:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(lock, timeout=LOCK_TIMEOUT_S):
                return compile_(types)
        except OSError:  # a full disk, or a process that takes too long: nothing is kept
            made._cache.disable()
            return compile_(types)

    return compile_alone
