"""From sensor settings to MuJoCo sensors."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import mujoco

from mjsdk.config.env import SensorConfig
from mjsdk.errors import Mistake, SelectionError, refuse
from mjsdk.robot import Roles
from mjsdk.robot.selection import Bodies, Geoms, ModelNames, Sites, select

_OBJECT = {Bodies: mujoco.mjtObj.mjOBJ_BODY, Geoms: mujoco.mjtObj.mjOBJ_GEOM, Sites: mujoco.mjtObj.mjOBJ_SITE}
_SUBTREE = mujoco.mjtObj.mjOBJ_XBODY
"""What MuJoCo calls a body with all below it, for contact sensors."""
_FIRST, _NETFORCE = 0, 3
"""Values of MuJoCo's reduce="none" and reduce="netforce" in the parameters of a contact sensor."""


@attrs.frozen
class SensorSlot:
    """Where the readings of one sensor of the settings stand in `sensordata`."""

    start: int
    width: int
    """Numbers per part."""
    parts: tuple[str, ...]
    """Names of the parts that carry the sensor, in the order of the role or the model."""

    @property
    def count(self) -> int:
        """Number of parts."""
        return len(self.parts)


def add_sensors(
    spec: mujoco.MjSpec, sensors: Mapping[str, SensorConfig], names: ModelNames, roles: Roles
) -> dict[str, tuple[str, ...]]:
    """Add the sensors and return the names of each one's MuJoCo sensors."""
    mistakes, added = [], {}
    for name, config in sensors.items():
        try:
            parts = select(config.parts, config.on, names, roles)
        except SelectionError as error:
            mistakes.append(Mistake(f"env.scene.sensors.{name}.on", str(error)))
            continue
        added[name] = tuple(_add(spec, name, config, part) for part in parts.names)
    refuse(mistakes)
    return added


def _add(spec: mujoco.MjSpec, name: str, config: SensorConfig, part: str) -> str:
    full_name, counts = f"{name}/{part}", config.type.endswith("groundcontacts")
    sensor = spec.add_sensor(
        name=full_name,
        type=getattr(mujoco.mjtSensor, f"mjSENS_{'CONTACT' if counts else config.type.upper()}"),
        objtype=_SUBTREE if config.type == "subtreegroundcontacts" else _OBJECT[config.parts],
        objname=part,
    )
    if counts:
        sensor.reftype, sensor.refname = mujoco.mjtObj.mjOBJ_BODY, "world"
        sensor.intprm[:3] = [1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND), _FIRST, 1]
    elif config.type == "contact":
        sensor.intprm[:3] = [1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE), _NETFORCE, 1]
    return full_name


def sensor_slots(model: mujoco.MjModel, added: Mapping[str, tuple[str, ...]]) -> dict[str, SensorSlot]:
    """Where the readings are, in the compiled model."""
    slots = {}
    for name, full_names in added.items():
        first = model.sensor(full_names[0])
        parts = tuple(full_name.removeprefix(f"{name}/") for full_name in full_names)
        slots[name] = SensorSlot(int(first.adr[0]), int(first.dim[0]), parts)
    return slots
