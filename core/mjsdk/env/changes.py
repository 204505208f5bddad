"""Settings that may change while training goes on."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.env.env import Env

WITH_PARAMS = ("rewards", "terminations", "metrics")
"""Sections whose terms read their parameters at every step, if they are functions."""


def change_setting(env: Env, path: str, value: Any) -> None:
    """Give the setting at `path` below `env` a new value. Raises `ConfigError` for one that is read only once."""
    section, _, rest = path.partition(".")
    name, _, field = rest.partition(".")
    if section == "rewards" and field == "weight" and name in env.rewards.terms:
        env.config.rewards[name].weight = value
        env.rewards.sync()
    elif section in WITH_PARAMS and field.startswith("params.") and name in getattr(env, section).terms:
        _change_param(getattr(env, section).terms[name], path, field.removeprefix("params."), value)
    elif section == "commands" and name in env.commands.terms and field in _fields(env.commands.terms[name].config):
        _assign(env.commands.terms[name].config, field, value)
    else:
        raise _refusal(path)


def read_setting(env: Env, path: str) -> Any:
    """The value of the setting at `path` below `env`. Raises `ConfigError` if there is none."""
    value: Any = env.config
    try:
        for part in path.split("."):
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    except (KeyError, AttributeError):
        raise _refusal(path) from None
    return value


def _change_param(term: Any, path: str, name: str, value: Any) -> None:
    if inspect.isclass(term.term):
        raise ConfigError([Mistake(path, f"{term.config.func} reads its parameters only once, as training begins")])
    term.set_param(name, value)


def _fields(config: Any, prefix: str = "") -> set[str]:
    """Dotted names of the settings of a command, except those that choose it."""
    names: set[str] = set()
    for attribute in attrs.fields(type(config)):
        value = getattr(config, attribute.name)
        below = f"{prefix}{attribute.name}"
        names |= _fields(value, f"{below}.") if attrs.has(type(value)) else {below}
    return names - {"func", "velocity_command"}


def _assign(config: Any, field: str, value: Any) -> None:
    *parents, leaf = field.split(".")
    for parent in parents:
        config = getattr(config, parent)
    setattr(config, leaf, value)


def _refusal(path: str) -> ConfigError:
    legal = f"rewards.NAME.weight, commands.NAME.SETTING, and params of function terms in {', '.join(WITH_PARAMS)}"
    return ConfigError([Mistake(f"env.{path}", f"cannot change while training goes on. Legal: {legal}")])


def changing_settings(curriculum: Mapping[str, Any]) -> set[str]:
    """Paths below `env` that the terms of a curriculum name as their parameter `setting`."""
    return {str(term.params["setting"]) for term in curriculum.values() if "setting" in term.params}
