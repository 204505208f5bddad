"""Around the code of terms: what they raise, or give instead of what they must, becomes one message."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from mjsdk.errors import HookError, MjsdkError, a_kind, shortened
from mjsdk.plugins.load import describe
from mjsdk.terms import CONFIG_SECTIONS

if TYPE_CHECKING:
    from mjsdk.env.env import Env


T = TypeVar("T")


class Guard:
    """`with guard:` around a call of a term turns whatever it raises but Ctrl-C into a `HookError` that names it."""

    def __init__(self, env: Env, kind: str, name: str, func: str) -> None:
        self.path = f"env.{CONFIG_SECTIONS[kind]}.{name}"
        self.term: Any = env.terms.get(kind, func)
        self._who = f"{self.path}: the term {env.terms.label(kind, func)}"
        with self:
            self.version: Any = env.ops.version_of(self.term)
            """What makes what is called instead, if anything is."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and not issubclass(type(error), (MjsdkError, KeyboardInterrupt)):
            raise self.error(f"raised {describe(error, getattr(self.term, '__module__', ''))}") from error

    def error(self, what: str, way_out: str = "") -> HookError:
        """What to say of a term that does `what`."""
        return HookError(f"{self._who} {what}. Fix the term, {way_out}or leave it out: --{self.path} null")

    def refusal(self, given: Any, must: str) -> HookError:
        """What to say of a term that gives something else than it must."""
        return self.error(f"gave {described(given)}; it must give {must}")

    def made(self, base: type[T], env: Env, name: str, config: Any) -> T:
        """The term of a command or an action, made from its settings."""
        with self:
            if not issubclass(self.term, base):
                raise self.error(f"is not derived from {base.__module__}.{base.__name__}")
            if not isinstance(getattr(self.term, "size", 1), (int, property)):
                raise self.error(f"has the size {described(self.term.size)}; it must be a whole number")
            term = (self.version or self.term)(env, name, config)
            if not isinstance(term, base):
                raise self.refusal(term, f"a {base.__name__}")
            return term

    def act(self, call: Callable[..., Any], *args: Any) -> None:
        """Call code that must act in place, and refuse what it gives: whoever gives it believes that it is used."""
        with self:
            given = call(*args)
            if given is not None:
                raise self.refusal(given, "nothing, but change things in place")

    def want_like(self, given: Any, out: Tensor) -> None:
        """Refuse what cannot be copied to `out`, shape (E,) or (E, D), without losing something."""
        if not _fits(given, out):
            shape = f"({', '.join(map(str, out.shape))}{',' if out.ndim == 1 else ''})"
            kind = "bool" if out.dtype is torch.bool else "float"
            raise self.refusal(given, f"a dense {kind} tensor of shape {shape} on {out.device}")


def _fits(given: Any, out: Tensor) -> bool:
    """Whole numbers, switches and other precisions can become floats; only switches can be switches."""
    if not isinstance(given, Tensor) or given.layout is not torch.strided or given.device != out.device:
        return False
    becomes_one = out.dtype is not torch.bool and not given.is_complex() and not given.is_quantized
    return given.shape == out.shape and (given.dtype is out.dtype or becomes_one)


def described(given: Any) -> str:
    """`a str ('x')`, `a sparse float32 tensor of shape (4, 2) on meta`: what kind of thing a term gave."""
    if type(given) in (str, int, float, complex):
        return f"{a_kind(given)} ({shortened(repr(given), 60)})"
    if not isinstance(given, Tensor):
        return f"a numpy array of shape {given.shape}" if type(given).__module__ == "numpy" else a_kind(given)
    layout = "" if given.layout is torch.strided else "sparse "
    dtype = str(given.dtype).removeprefix("torch.")
    return f"a {layout}{dtype} tensor of shape {tuple(given.shape)} on {given.device}"
