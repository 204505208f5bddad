"""Terms, made ready to be called."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from mjsdk.config.env import TermConfig
from mjsdk.env.guard import Guard
from mjsdk.env.mirror import Mirror, Reflection, reflection_like, reflection_of
from mjsdk.env.robot_state import as_index
from mjsdk.errors import ConfigError, HookError, MissingRole, Mistake, MjsdkError, SelectionError, said
from mjsdk.kernels import Call, used_on
from mjsdk.robot.selection import PerJoint, Selection, resolve
from mjsdk.terms import parameters

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class BoundTerm:
    """A term with its parameters: call it, with the worlds' ids for events."""

    def __init__(self, env: Env, kind: str, name: str, config: TermConfig) -> None:
        self.name = name
        self.config = config
        self._env = env
        self.guard = Guard(env, kind, name, config.func)
        self.function: Any = self.guard.term
        self.path = self.guard.path
        self.params = self._resolve(config.params)
        self._object: Any = None
        if inspect.isclass(self.function):
            self._object = self()
        self.remembers = hasattr(self._object, "reset")
        """Whether the term has anything to forget."""

    def __call__(self, *args: Any) -> Any:
        """What the term gives now. Raises `HookError` with where it was, if the term raises."""
        with self.guard:
            if self._object is not None:
                return self._object(self._env, *args)
            return self.function(self._env, *args, **self.params)

    def value(self, out: Tensor) -> Any:
        """What the term gives now, to be copied to `out`. Raises `HookError` if it cannot be."""
        value = self()
        with self.guard:
            self.guard.want_like(value, out)
        return value

    def act(self, *args: Any) -> None:
        """Let a term act that gives nothing."""
        self.guard.act(self, *args)

    def blame_kernel(self, error: BaseException) -> HookError:
        """What to say of a prepared call that raised."""
        return self.guard.error(f"has a kernel that cannot be used: {said(error)}", "run with MJSDK_KERNELS=0, ")

    def prepare(self, out: Tensor) -> Call | None:
        """What writes the term's value to `out` in every step; none where kernels are off or the term has none."""
        maker = getattr(self.function if self._object is None else self._object, "prepare", None)
        if maker is None or not used_on(self._env.device):
            return None
        try:
            call = maker(self._env, out, **self.params) if self._object is None else maker(self._env, out)
            if call is not None:
                self._try(call, out)
        except (MjsdkError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self.blame_kernel(error) from error
        return call

    def _try(self, call: Call, out: Tensor) -> None:
        """Call it: what writes to a copy of `out` leaves it as it is. It may write NaN, which others complain about."""
        self._env.robot.refresh()
        for blank in (torch.nan, 0.0):
            if out.is_floating_point():
                out.fill_(blank)
            call()
            if not out.numel() or out.isnan().all().item() != math.isnan(blank):
                return
        raise ValueError("it does not write to `out`")

    def reset(self, ids: Tensor) -> None:
        """Let a term that keeps state forget the worlds `ids`."""
        if self.remembers:
            self.guard.act(self._object.reset, ids)

    def reflection(self, mirror: Mirror, size: int) -> Reflection:
        """How an observation term's output, shape (E, size), looks in the mirror."""
        with self.guard:
            given = reflection_of(self.function, mirror, self._env, self.params, self.path)
            return reflection_like(self.guard, given, size)

    def set_param(self, name: str, value: Any) -> None:
        """Change a parameter while training goes on; terms that are classes read theirs only once."""
        self.params = self._resolve({**self.config.params, name: value})

    def _resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        legal = parameters(self.function)
        resolved, mistakes = {}, []
        for name, parameter in legal.items():
            if name not in given and parameter.required:
                mistakes.append(Mistake(f"{self.path}.params.{name}", f"{self.config.func} needs it"))
                continue
            value = given.get(name, parameter.default)
            try:
                resolved[name] = _ready(
                    resolve(parameter.annotation, value, self._env.names, self._env.roles), self._env.device
                )
            except (SelectionError, MissingRole) as error:
                mistakes.append(Mistake(f"{self.path}.params.{name}", str(error)))
        unknown = [name for name in given if name not in legal]
        mistakes += [
            Mistake(f"{self.path}.params.{name}", f"{self.config.func} takes {list(legal)}") for name in unknown
        ]
        if mistakes:
            raise ConfigError(mistakes)
        return resolved


def _ready(value: Any, device: str) -> Any:
    """A resolved parameter in the form that tensors are indexed and multiplied with."""
    if isinstance(value, Selection):
        return attrs.evolve(value, index=as_index(list(value.ids)))
    if isinstance(value, PerJoint):
        return torch.tensor(value, device=device)
    return value
