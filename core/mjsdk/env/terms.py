"""Terms, made ready to be called."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import torch

from mjsdk.config.env import TermConfig
from mjsdk.env.mirror import Mirror, Reflection, reflection_of
from mjsdk.env.robot_state import as_index
from mjsdk.errors import ConfigError, HookError, MissingRole, Mistake, MjsdkError, SelectionError
from mjsdk.kernels import Call, used_on
from mjsdk.selection import PerJoint, Selection, resolve
from mjsdk.terms import CONFIG_SECTIONS, parameters

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class BoundTerm:
    """A term with its parameters: call it, with the worlds' ids for events."""

    def __init__(self, env: Env, kind: str, name: str, config: TermConfig) -> None:
        self.name = name
        self.config = config
        self._env = env
        self.function: Any = env.terms.get(kind, config.func)
        self.path = f"env.{CONFIG_SECTIONS[kind]}.{name}"
        self.params = self._resolve(config.params)
        self._object: Any = None
        if inspect.isclass(self.function):
            self._object = self()

    def __call__(self, *args: Any) -> Any:
        """The term's value now. Raises `HookError` with where it was, if the term raises."""
        try:
            if self._object is not None:
                return self._object(self._env, *args)
            return self.function(self._env, *args, **self.params)
        except MjsdkError:
            raise
        except (Exception, SystemExit) as error:
            raise self._blame(error) from error

    def blame_kernel(self, error: Exception) -> HookError:
        """What to say of a prepared call that raised."""
        reason = " ".join(line.strip() for line in str(error).splitlines()[:4] if line.strip())
        return HookError(
            f"{self.path}: the kernel of the term {self.config.func} cannot be used: {type(error).__name__}: {reason}. "
            f"Mend it, run with MJSDK_KERNELS=0, or leave the term out: --{self.path} null"
        )

    def _blame(self, error: BaseException) -> HookError:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return HookError(
            f"{self.path}: the term {self.config.func} raised {type(error).__name__}: {error} "
            f"({last.filename}, line {last.lineno}). Mend the term, or leave it out: --{self.path} null"
        )

    def prepare(self, out: torch.Tensor) -> Call | None:
        """What writes the term's value to `out` in every step; none where kernels are off or the term has none."""
        maker = getattr(self.function if self._object is None else self._object, "prepare", None)
        if maker is None or not used_on(self._env.device):
            return None
        try:
            call = maker(self._env, out, **self.params) if self._object is None else maker(self._env, out)
            if call is not None:
                self._try(call, out)
        except MjsdkError:
            raise
        except Exception as error:
            raise self.blame_kernel(error) from error
        return call

    def _try(self, call: Call, out: torch.Tensor) -> None:
        """Call it once: what writes to a copy of `out` leaves it as it is."""
        if out.is_floating_point():
            out.fill_(torch.nan)
        self._env.robot.refresh()
        call()
        if out.isnan().all():
            raise ValueError("it does not write to `out`")

    def reset(self, ids: torch.Tensor) -> None:
        """Let a term that keeps state forget the worlds `ids`."""
        if self.remembers:
            self._object.reset(ids)

    @property
    def remembers(self) -> bool:
        """Whether the term has anything to forget."""
        return hasattr(self._object, "reset")

    def reflection(self, mirror: Mirror) -> Reflection:
        """How an observation term's output looks in the mirror."""
        return reflection_of(self.function, mirror, self._env, self.params, self.path)

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
