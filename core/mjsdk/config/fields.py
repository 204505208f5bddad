"""A setting's meaning, unit, recommended range and advice, kept beside its default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

_KEY = "mjsdk.setting"
LARGEST = 1e12
"""Largest magnitude of a number whose setting has no bound of its own: its square still is one in 32 bits."""
RENAMED = {"catch_lean": "recovery_tilt"}
"""Settings that had another name in an earlier mjsdk."""


@attrs.frozen
class Setting:
    """What people need to know about one setting. The single source of `mjsdk explain`, docs and warnings."""

    meaning: str
    unit: str = ""
    """Unit such as `s`, `rad`, `m/s`; empty for pure numbers, names and switches."""
    recommended: tuple[float, float] | None = None
    """Smallest and largest value, both included. Outside of it is a warning with the advice, not an error."""
    advice: str = ""
    """When to change it, which way, and what happens."""
    choices: tuple[str, ...] = ()
    """Legal values, if there is a list of them. Anything else is an error."""
    bounds: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value, both included; None is as far as `LARGEST`. Outside of it is an error."""
    exclusive_min: float | None = None
    """The value must be larger than this, if set."""
    endless: bool = False
    """Whether the value may be infinite, such as a bound that is none."""
    length: tuple[int, int] | None = None
    """Fewest and most elements of a list, both included. Other lengths are an error."""


def setting(
    default: Any = attrs.NOTHING,
    meaning: str = "",
    *,
    factory: Callable[[], Any] | None = None,
    **facts: Any,
) -> Any:
    """An attrs field with its `Setting` in the metadata; `facts` are the other fields of `Setting`."""
    metadata = {_KEY: Setting(meaning, **facts)}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata)
    return attrs.field(default=default, metadata=metadata)


def setting_of(attribute: attrs.Attribute[Any]) -> Setting:
    """The `Setting` of an attrs field."""
    return attribute.metadata.get(_KEY, Setting(""))
