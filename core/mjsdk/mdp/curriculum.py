"""Curriculum terms: `term(env, **params) -> float`, called as episodes begin; the value is logged."""

from __future__ import annotations

from typing import Any

from mjsdk.env.env import Env


def stages(env: Env, setting: str, stages: list[dict[str, Any]]) -> float:
    """Give a setting other values as training goes on.

    Args:
        setting: Path of the setting below `env`, such as `rewards.upright.weight`.
        stages: Maps with `step`, the control step from which on the stage holds, and `value`; steps rise.
    """
    reached = [i for i, stage in enumerate(stages) if env.common_step_counter >= stage["step"]]
    if not reached:
        return -1.0
    env.set_setting(setting, stages[reached[-1]]["value"])
    return float(reached[-1])


def ramp(env: Env, setting: str, start: float, end: float, first_step: int, last_step: int) -> float:
    """Move a setting in a straight line from one value to another.

    Args:
        setting: Path of the setting below `env`.
        start: Value until the first step.
        end: Value from the last step on.
        first_step: Control step at which the change begins. Sane: 0..10000000.
        last_step: Control step at which it ends. Sane: 0..10000000.
    """
    share = (env.common_step_counter - first_step) / max(last_step - first_step, 1)
    value = start + (end - start) * min(max(share, 0.0), 1.0)
    env.set_setting(setting, value)
    return value


TERMS = {"ramp": ramp, "stages": stages}
