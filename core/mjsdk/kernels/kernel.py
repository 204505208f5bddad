"""A function of arrays that numba compiles, once for a machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Call = Callable[[], Any]
"""A kernel with its arguments."""

PYTHON = f"{sys.version_info.major}{sys.version_info.minor}"
PATIENCE = 60.0
"""For how long [s] a process waits for another one that compiles the same kernel, before it does so by itself."""


class Kernel:
    """A function of arrays and numbers that is compiled when it is first called."""

    def __init__(self, function: Callable[..., Any], types: Sequence[str] = ()) -> None:
        self.function = function
        self.types = types
        """Types of arguments that it is compiled for ahead, as numba writes them: `f4[:,::1], i8` is an array of floats
        without gaps and an integer.
        """
        self._dispatcher: Any = None

    @classmethod
    def of(cls, *types: str) -> Callable[[Callable[..., Any]], Kernel]:
        """Decorator of a function that is compiled ahead for some types of its arguments; for others when they come."""
        return lambda function: cls(function, types)

    def __call__(self, *args: Any) -> Any:
        """Run it, on arrays that it writes to in place and numbers."""
        try:
            return self._compiled()(*args)
        except OSError:  # a full disk: the compiled code cannot be kept
            return self._compiled(keep=False)(*args)

    def bind(self, *args: Any) -> Call:
        """The kernel with its arguments, compiled for them, for calls in every step: arrays, numbers, and tensors whose
        memory it uses.
        """
        import numba
        from torch import Tensor

        ready = [array(arg) if isinstance(arg, Tensor) else arg for arg in args]
        self.compile(tuple(map(numba.typeof, ready)))
        return partial(self._dispatcher, *ready)

    def compile(self, types: Any) -> None:
        """Compile it for some types of its arguments, or get the code that was kept."""
        try:
            self._compiled().compile(types)
        except OSError:
            self._compiled(keep=False).compile(types)

    @property
    def kept(self) -> bool:
        """Whether code of it lies beside its source, younger than that."""
        source = Path(self.function.__code__.co_filename)
        found = _indices(self.function, source.parent / "__pycache__")
        return any(index.stat().st_mtime >= source.stat().st_mtime for index in found)

    def _compiled(self, keep: bool = True) -> Any:
        if self._dispatcher is None or not keep:
            self._dispatcher = _dispatcher(self.function, keep)
        return self._dispatcher


def _dispatcher(function: Callable[..., Any], keep: bool) -> Any:
    """What numba makes of a function: it compiles for each kind of arguments once."""
    import numba

    try:
        made: Any = numba.njit(function, cache=keep, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
    except RuntimeError:  # nowhere to keep it: neither beside the source nor in the user's cache
        if not keep:
            raise
        return _dispatcher(function, keep=False)
    if keep:
        lock = Path(made.stats.cache_path) / f"{function.__module__.rpartition('.')[2]}.{function.__name__}.lock"
        made.compile = _one_at_a_time(_remaking(made.compile, function, Path(made.stats.cache_path)), lock)
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


def _one_at_a_time(compile_: Callable[[Any], Any], lock: Path) -> Callable[[Any], Any]:
    """`compile_`, by one process at a time: what numba keeps on disk may be wrong where two write it at once."""
    from filelock import FileLock

    def compile_alone(types: Any) -> Any:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=PATIENCE):
            return compile_(types)

    return compile_alone


def array(tensor: Tensor) -> np.ndarray:
    """An array that shares memory with a tensor on the CPU."""
    return tensor.numpy()
