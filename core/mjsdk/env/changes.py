"""Settings that may change during training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mjsdk.config.schema import put
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.env.env import Env


def change_setting(env: Env, path: str, value: Any) -> None:
    """Give the setting at `path` below `env` a new value. Raises `ConfigError` for one that is read only once."""
    section, _, rest = path.partition(".")
    name, _, field = rest.partition(".")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the setting env.{path} cannot become {value}")
    if path not in env.changeable or name not in getattr(env, section).terms:
        raise _refusal(path)
    if section == "rewards" and field == "weight":
        env.config.rewards[name].weight = value
        env.rewards.sync()
    elif field.startswith("params."):
        getattr(env, section).terms[name].set_param(field.removeprefix("params."), value)
        getattr(env, section).rows.prepare()
    else:
        put(env.commands.terms[name].config, field, value)


def read_setting(env: Env, path: str) -> Any:
    """The value of the setting at `path` below `env`. Raises `ConfigError` if there is none."""
    value: Any = env.config
    try:
        for part in path.split("."):
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    except (KeyError, AttributeError):
        raise _refusal(path) from None
    return value


def _refusal(path: str) -> ConfigError:
    legal = "rewards.NAME.weight, commands.NAME.SETTING, and params of function terms in rewards, terminations, metrics"
    return ConfigError([Mistake(f"env.{path}", f"cannot change during training. Legal: {legal}")])
