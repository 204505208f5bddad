"""Whether a step of an environment keeps a GPU waiting for Python, found without a GPU.

    def test_my_task_does_not_wait_for_the_gpu(monkeypatch):
        monkeypatch.setattr("mjsdk.ops.LOOPS", False)  # as on a GPU, where no loops are used
        env = small_env(task="my_task.py")
        with no_host_syncs(env):
            for _ in range(20):
                env.step(torch.randn(env.num_envs, env.num_actions))

A host sync is whatever needs a number of a tensor in Python: `if tensor:`, `tensor.item()`, `float(tensor)`; `nonzero`
and boolean indexing, whose results have as many rows as there are true values; and tensors made from numbers in Python,
which are copied to the GPU.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mjsdk.env import Env

_READING = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""What torch says of operations whose result, or the shape of it, the host must know."""
_NAMES = {
    "item": "a number read from a tensor",
    "_local_scalar_dense": "a number read from a tensor",
    "lift_fresh": "a tensor made from numbers of the host",
    "_linalg_check_errors": "a check for errors",
}
_METHODS = ("numpy", "tolist", "cpu", "__array__", "__dlpack__", "__repr__")
"""Methods of tensors that copy to the host without an operation of torch."""
_SKIPPED = (str(Path(torch.__file__).parent), __file__)


@contextmanager
def no_host_syncs(env: Env) -> Iterator[None]:
    """Raise `AssertionError` at the end for host syncs in between, with the place and the number of each.

    The physics of the CPU may do what it likes. Not seen are `tensor.to("cpu")` and tensors that are made
    without `device=env.device`, since on a CPU they are where they should be, and reading a generator's state.
    """
    watch = _Watch(env)
    with ExitStack() as stack:
        for name in _METHODS:
            stack.enter_context(patch.object(Tensor, name, watch.method(name)))
        stack.enter_context(patch.object(Tensor, "__setitem__", watch.assignment()))
        stack.enter_context(watch)
        yield
    if watch.found:
        lines = [f"{what}, {count} times" for what, count in sorted(watch.found.items())]
        raise AssertionError("\n  ".join(["host syncs, for each of which a GPU waits:", *lines]))


class _Watch(TorchDispatchMode):
    """Notes the host syncs of all operations."""

    def __init__(self, env: Env) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self._exempt = env.physics if env.physics.name == "cpu" else None
        self._inside = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if _indexes_by_mask(name, args):
            self._note("a boolean index")
        elif name in _NAMES or (not _READING.isdisjoint(func.tags) and name != "index"):
            self._note(_NAMES.get(name, name))
        elif not self._inside:
            with self:  # in inference mode, operations that are made of others arrive whole
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        return func(*args, **kwargs)

    def method(self, name: str) -> Callable[..., Any]:
        """A method of tensors that is a sync in itself."""
        original = getattr(Tensor, name)

        def call(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            self._note(f"Tensor.{name}")
            with self._unwatched():
                return original(tensor, *args, **kwargs)

        return call

    def assignment(self) -> Callable[..., Any]:
        """`tensor[index] = value`: a number costs nothing, unless the index holds numbers of rows."""
        original = Tensor.__setitem__

        def assign(tensor: Tensor, index: Any, value: Any) -> None:
            if isinstance(value, Tensor):
                return original(tensor, index, value)
            parts = index if isinstance(index, tuple) else (index,)
            numbers = [part for part in parts if isinstance(part, (Tensor, list)) and not _is_mask(part)]
            if numbers:
                self._note("a number written by an index")
            with self._unwatched():
                return original(tensor, index, value)

        return assign

    @contextmanager
    def _unwatched(self) -> Iterator[None]:
        before, self._inside = self._inside, True
        try:
            yield
        finally:
            self._inside = before

    def _note(self, what: str) -> None:
        stack = [*_frames(sys._getframe())]
        exempt = self._exempt is not None and any(frame.f_locals.get("self") is self._exempt for frame in stack)
        if not self._inside and not exempt:
            code = stack[0].f_code
            self.found[f"{code.co_filename}:{stack[0].f_lineno} in {code.co_qualname}: {what}"] += 1


def _indexes_by_mask(name: str, args: Any) -> bool:
    return name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(map(_is_mask, args[1]))


def _is_mask(part: Any) -> bool:
    return isinstance(part, Tensor) and part.dtype in (torch.bool, torch.uint8)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of a stack from the inside out, without torch and this module."""
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_SKIPPED):
            yield frame
        frame = frame.f_back
