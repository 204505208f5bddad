"""Text that names another part of the settings, by annotation: `command: CommandName`, `sensor: SensorName = "imu"`.

Such a name must be there when settings are composed. Text that is annotated `str` is only text.
"""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any

import attrs


@attrs.frozen
class Reference:
    """What the text of a parameter or setting names."""

    kind: str
    """`command`, `action`, `sensor` or `setting`."""


CommandName = Annotated[str, Reference("command")]
"""Name of a command: one of `env.commands`."""
ActionName = Annotated[str, Reference("action")]
"""Name of an action: one of `env.actions`."""
SensorName = Annotated[str, Reference("sensor")]
"""Name of a sensor: one of `env.scene.sensors`."""
SettingPath = Annotated[str, Reference("setting")]
"""Path below `env` of a setting that may change during training, such as `rewards.upright.weight`."""


def named_by(annotation: Any) -> str:
    """The kind of what text of that annotation names, or nothing: `sensor` for `SensorName` and `SensorName | None`."""
    own = (each.kind for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Reference))
    return next(own, "") or next(filter(None, map(named_by, typing.get_args(annotation))), "")


def without_reference(annotation: Any) -> Any:
    """The type alone: `str | None` for `SensorName | None`."""
    if not named_by(annotation):
        return annotation
    return typing.get_type_hints(types.SimpleNamespace(__annotations__={"it": annotation}))["it"]
