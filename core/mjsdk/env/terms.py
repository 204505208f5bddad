"""Terms, made ready to be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from mjsdk.config.env import TermConfig
from mjsdk.config.termchecks import resolve_parameters
from mjsdk.env.guard import Guard
from mjsdk.env.mirror import Mirror, Reflection, reflection_like, reflection_of
from mjsdk.env.robot_state import as_index
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError
from mjsdk.robot.selection import PerJoint, Selection

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class BoundTerm:
    """A term with its parameters: call it, with the worlds for events."""

    def __init__(self, env: Env, kind: str, name: str, config: TermConfig) -> None:
        self.name = name
        self.config = config
        self._env = env
        self.guard = Guard(env, kind, name, config.func)
        self.term: Any = self.guard.term
        self.path = self.guard.path
        self.params = self._resolve(config.params)
        self._make()
        self.stateful = hasattr(self._object, "reset")
        """Whether the term keeps state that a reset clears."""

    def _make(self) -> None:
        maker: Any = self.guard.version or (self.term if inspect.isclass(self.term) else None)
        with self.guard:
            self._object: Any = maker(self._env, **self.params) if maker is not None else None
            function: Any = self._object if maker is not None else partial(self.term, **self.params)
            self.call: Callable[..., Any] = partial(function, self._env)
            """The term without a guard around it."""

    def __call__(self, *args: Any) -> Any:
        """What the term gives now. Raises `HookError` with where it was, if the term raises."""
        with self.guard:
            return self.call(*args)

    def fill(self, out: Tensor) -> bool:
        """Let the term fill `out` from now on, if it can: whether it does."""
        use = getattr(self._object, "use", None) if self.guard.version is not None else None
        if use is not None:
            with self.guard:
                use(out)
        return use is not None

    def value(self, out: Tensor) -> Any:
        """What the term gives now, to be copied to `out`. Raises `HookError` if it cannot be."""
        value = self()
        with self.guard:
            self.guard.want_like(value, out)
        return value

    def act(self, *args: Any) -> None:
        """Let a term act that gives nothing."""
        self.guard.act(self, *args)

    def reset(self, worlds: Worlds) -> None:
        """Let a term that keeps state forget some worlds."""
        if self.stateful:
            self.guard.act(self._object.reset, worlds)

    def reflection(self, mirror: Mirror, size: int) -> Reflection:
        """How an observation term's output, shape (E, size), looks in the mirror."""
        with self.guard:
            given = reflection_of(self.term, mirror, self._env, self.params, self.path)
            return reflection_like(self.guard, given, size)

    def set_param(self, name: str, value: Any) -> None:
        """Change a parameter during training; terms that are classes read theirs only once."""
        self.params = self._resolve({**self.config.params, name: value})
        self._make()

    def _resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        env = self._env
        values, mistakes = resolve_parameters(self.path, self.config.func, self.term, given, env.names, env.roles)
        if mistakes:
            raise ConfigError(mistakes)
        return {name: _ready(value, env.device) for name, value in values.items()}


class Rows:
    """A row of values for each of some terms, shape (terms, E), filled in every step."""

    def __init__(self, env: Env, terms: Iterable[BoundTerm], values: Tensor) -> None:
        self._env = env
        self._terms = [*zip(terms, values.unbind(0), strict=False)]
        self._flat = values[: len(self._terms)].view(-1)
        self._stateful = [term for term, _ in self._terms if term.stateful]
        self.prepare()

    def prepare(self) -> None:
        """Let terms that can fill their row themselves, again after parameters have changed."""
        self._filling = [(term, row) for term, row in self._terms if term.fill(row)]
        self._copied = [each for each in self._terms if each not in self._filling]

    def compute(self) -> None:
        """Fill the rows."""
        values_of(self._filling)
        values = values_of(self._copied)
        if values and not self._filling:
            torch.cat(values, out=self._flat)
            return
        for (_, row), value in zip(self._copied, values, strict=True):
            row.copy_(value)

    def rehearse(self) -> None:
        """Let the terms give a value, and forget it."""
        for term, row in self._terms:
            term.value(row)
            term.reset(self._env.all_worlds)

    def reset(self, worlds: Worlds) -> None:
        """Let terms forget some worlds."""
        for term in self._stateful:
            term.reset(worlds)


def values_of(terms: Iterable[tuple[BoundTerm, Tensor]]) -> list[Tensor]:
    """What terms give now, each to be copied to a tensor beside it. Raises `HookError` that names one that cannot be.

    One guard around all of them: it is called in every step.
    """
    values = []
    try:
        for term, out in terms:
            value = term.call()
            if type(value) is not Tensor or value.dtype is not out.dtype or value.shape != out.shape:
                term.guard.want_like(value, out)
            values.append(value)
    except BaseException:
        with term.guard:
            raise
    return values


def _ready(value: Any, device: str) -> Any:
    """A resolved parameter in the form that tensors are indexed and multiplied with."""
    if isinstance(value, Selection):
        return attrs.evolve(value, index=as_index(list(value.ids), device))
    if isinstance(value, PerJoint):
        return torch.tensor(value, device=device)
    return value
