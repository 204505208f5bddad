"""Curriculum terms: `term(env, worlds, **params) -> float`, called as episodes begin; the value is logged."""

from __future__ import annotations

import bisect
from typing import Any

from mjsdk.env.changes import read_setting
from mjsdk.env.env import Env
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake
from mjsdk.terms import SettingPath


class Stages:
    """Give a setting other values during training; logs the number of the stage."""

    def __init__(self, env: Env, setting: SettingPath, stages: list[dict[str, Any]]) -> None:
        """Build the term.

        Args:
            env: The environment.
            setting: Path of the setting below `env`, such as `rewards.upright.weight`.
            stages: Maps with `step`, the control step from which on the stage holds, and `value`; the first has step 0,
                and steps rise.
        """
        self._setting = setting
        self._steps, self._values = _checked(stages)

    def __call__(self, env: Env, worlds: Worlds) -> float:
        """Number of the stage that training is in."""
        stage = bisect.bisect_right(self._steps, env.common_step_counter) - 1
        env.set_setting(self._setting, self._values[stage])
        return float(stage)


def _checked(stages: list[dict[str, Any]]) -> tuple[list[int], list[Any]]:
    wrong = [stage for stage in stages if not isinstance(stage, dict) or set(stage) != {"step", "value"}]
    if wrong or not stages:
        message = f"each stage is a map of `step` and `value`, not {wrong[0] if wrong else stages}"
        raise ConfigError([Mistake("env.curriculum: stages", message)])
    steps = [stage["step"] for stage in stages]
    if not all(type(step) is int for step in steps):
        raise ConfigError([Mistake("env.curriculum: stages", f"steps are whole numbers, not {steps}")])
    if steps[0] != 0 or sorted(set(steps)) != steps:
        raise ConfigError([Mistake("env.curriculum: stages", f"steps must begin with 0 and rise, not {steps}")])
    return steps, [stage["value"] for stage in stages]


class Ramp:
    """Move a setting in a straight line from one value to another."""

    def __init__(
        self, env: Env, setting: SettingPath, start: float, first_step: int, last_step: int, end: float | None = None
    ) -> None:
        """Build the term.

        Args:
            env: The environment.
            setting: Path of the setting below `env`.
            start: Value until the first step.
            first_step: Control step at which the change begins. Recommended: 0..10000000.
            last_step: Control step at which it ends. Recommended: 0..10000000.
            end: Value from the last step on; the setting's own value if none.
        """
        self._setting, self._start = setting, start
        self._end: float = read_setting(env, setting) if end is None else end
        self._first, self._length = first_step, max(last_step - first_step, 1)
        self._value: float | None = None

    def __call__(self, env: Env, worlds: Worlds) -> float:
        """The value now."""
        share = min(max((env.common_step_counter - self._first) / self._length, 0.0), 1.0)
        value = self._start + (self._end - self._start) * share
        if value != self._value:
            env.set_setting(self._setting, value)
            self._value = value
        return value


TERMS = {"ramp": Ramp, "stages": Stages}
