"""Events and curriculum: what happens to worlds, and what changes as training goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk.config.env import CurriculumTermConfig, EventTermConfig
from mjsdk.env.terms import BoundTerm
from mjsdk.env.timers import due, wind_up
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class Events:
    """Terms that act on worlds: at startup, as episodes begin, and every now and then."""

    def __init__(self, env: Env, configs: Mapping[str, EventTermConfig]) -> None:
        self._env = env
        self._by_mode: dict[str, dict[str, BoundTerm]] = {"startup": {}, "reset": {}, "interval": {}}
        self._intervals: dict[str, tuple[float, float]] = {}
        self._time_left: dict[str, Tensor] = {}
        for name, config in configs.items():
            self._by_mode[config.mode][name] = BoundTerm(env, "event", name, config)
            if config.mode == "interval":
                self._add_timer(name, config)

    def startup(self) -> None:
        """What happens once, to all worlds."""
        for term in self._by_mode["startup"].values():
            term.act(self._env.all_ids)

    def reset(self, ids: Tensor) -> None:
        """What happens as the episodes of the worlds `ids` begin."""
        for term in self._by_mode["reset"].values():
            term.act(ids)
        for name, time_left in self._time_left.items():
            wind_up(self._env, time_left, self._intervals[name], ids)

    def interval(self, dt: float) -> None:
        """Go on by `dt` seconds and do what is due."""
        for name, term in self._by_mode["interval"].items():
            time_left = self._time_left[name]
            ids = due(time_left, dt)
            if ids is not None:
                wind_up(self._env, time_left, self._intervals[name], ids)
                term.act(ids)

    def _add_timer(self, name: str, config: EventTermConfig) -> None:
        if config.interval_range_s is None:
            raise ConfigError(
                [Mistake(f"env.events.{name}.interval_range_s", "mode=interval needs it, such as [5.0, 10.0]")]
            )
        low, high = config.interval_range_s
        self._intervals[name] = (low, high)
        self._time_left[name] = self._env.buffers.new(f"event/{name}/time_left", self._env.num_envs)
        self._time_left[name].copy_(self._env.uniform(low, high, self._env.num_envs))


class Curriculum:
    """Terms that change settings as training goes on."""

    def __init__(self, env: Env, configs: Mapping[str, CurriculumTermConfig]) -> None:
        self._env = env
        others = env.buffers.names
        self.terms = {name: BoundTerm(env, "curriculum", name, config) for name, config in configs.items()}
        self.values = dict.fromkeys(self.terms, 0.0)
        """What each term returned last, for the log."""
        self._looked_at = env.buffers.new("curriculum/looked_at", dtype=torch.long)
        self.buffers = env.buffers.names - others
        """Names of the buffers that hold where the curriculum is."""

    def compute(self) -> None:
        """Let the terms look at how far training is."""
        self._looked_at.fill_(self._env.common_step_counter)
        for name, term in self.terms.items():
            self.values[name] = _number(term)

    def restore(self) -> None:
        """Give the settings the values that they had when the loaded state was saved."""
        before = self._env.progress()
        self._env.common_step_counter = int(self._looked_at)
        self.compute()
        for name, tensor in before.items():  # a term that counts its calls must not count this one
            self._env.buffers[name].copy_(tensor)


def _number(term: BoundTerm) -> float:
    """What a term gives for the log. Raises `HookError` for anything but one finite number."""
    value = term()
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except Exception:  # of whatever object the term gives
        number = math.nan
    if not math.isfinite(number):
        raise term.guard.refusal(value, "one finite number")
    return number
