"""Events and curriculum: what happens to worlds, and what changes during training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mjsdk.config.env import CurriculumTermConfig, EventTermConfig
from mjsdk.env.terms import BoundTerm
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake
from mjsdk.ops.protocol import Found

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class Events:
    """Terms that act on worlds: at startup, as episodes begin, and every now and then."""

    def __init__(self, env: Env, configs: Mapping[str, EventTermConfig]) -> None:
        self._env = env
        self._by_mode: dict[str, dict[str, BoundTerm]] = {"startup": {}, "reset": {}, "interval": {}}
        self._intervals: dict[str, tuple[float, float]] = {}
        self._time_left: dict[str, Tensor] = {}
        self._countdowns: dict[str, Callable[[float], Found]] = {}
        for name, config in configs.items():
            self._by_mode[config.mode][name] = BoundTerm(env, "event", name, config)
            if config.mode == "interval":
                self._add_timer(name, config)

    def startup(self) -> None:
        """What happens once, to all worlds."""
        for term in self._by_mode["startup"].values():
            term.act(self._env.all_worlds)

    def reset(self, worlds: Worlds) -> None:
        """What happens as the episodes of some worlds begin."""
        for term in self._by_mode["reset"].values():
            term.act(worlds)
        for name in self._time_left:
            self._resample(name, worlds)

    def interval(self, dt: float) -> None:
        """Advance by `dt` seconds and let terms act where their countdown has expired."""
        for name, term in self._by_mode["interval"].items():
            worlds = self._env.worlds(*self._countdowns[name](dt))
            if not worlds.known_empty:
                self._resample(name, worlds)
                term.act(worlds)

    def _add_timer(self, name: str, config: EventTermConfig) -> None:
        if config.interval_range_s is None:
            raise ConfigError(
                [Mistake(f"env.events.{name}.interval_range_s", "mode=interval needs it, such as [5.0, 10.0]")]
            )
        low, high = config.interval_range_s
        self._intervals[name] = (low, high)
        self._time_left[name] = self._env.buffers.new(f"event/{name}/time_left", self._env.num_envs)
        self._countdowns[name] = self._env.ops.prepared(self._env.ops.countdown, self._time_left[name])
        self._resample(name, self._env.all_worlds)

    def _resample(self, name: str, worlds: Worlds) -> None:
        worlds.write(self._time_left[name], worlds.uniform(*self._intervals[name]))


class Curriculum:
    """Terms that change settings, or what worlds start with, during training."""

    def __init__(self, env: Env, configs: Mapping[str, CurriculumTermConfig]) -> None:
        self._env = env
        others = env.buffers.names
        self.terms = {name: BoundTerm(env, "curriculum", name, config) for name, config in configs.items()}
        self._values: dict[str, Any] = dict.fromkeys(self.terms, 0.0)
        self._updated_at = env.buffers.new("curriculum/looked_at", dtype=torch.long)
        self.buffers = env.buffers.names - others
        """Names of the buffers that hold where the curriculum is."""

    @property
    def values(self) -> dict[str, float]:
        """What each term gave last, for the log. Raises `HookError` for anything but one finite number."""
        return {name: _number(term, self._values[name]) for name, term in self.terms.items()}

    def compute(self, worlds: Worlds) -> None:
        """Let the terms see how far training is, as the episodes of some worlds begin."""
        self._updated_at.fill_(self._env.common_step_counter)
        for name, term in self.terms.items():
            value = self._values[name] = term(worlds)
            if not isinstance(value, Tensor):  # which the log reads when it must: that may mean to wait for a device
                _number(term, value)

    def restore(self) -> None:
        """Give the settings the values that they had when the loaded state was saved."""
        before, steps = self._env.progress(), self._env.common_step_counter
        self._env.common_step_counter = int(self._updated_at)
        self.compute(self._env.worlds(torch.zeros(self._env.num_envs, dtype=torch.bool, device=self._env.device)))
        for name, tensor in before.items():  # a term that counts its calls must not count this one
            self._env.buffers[name].copy_(tensor)
        self._env.common_step_counter = steps


def _number(term: BoundTerm, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except Exception:  # of whatever object the term gives
        number = math.nan
    if not math.isfinite(number):
        raise term.guard.refusal(value, "one finite number")
    return number
