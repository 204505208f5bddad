"""Stands in for a robot where a task is shown for none: it has whatever part a task asks for, and no numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import Gait, Robot, Role, Roles

if TYPE_CHECKING:
    import mujoco

MJSDK_API = 1

_NAMES = ("front_left", "front_right", "rear_left", "rear_right")


class _AnyRoles(Roles):
    """Every role, played by as many parts as robots usually have."""

    def __getitem__(self, name: str) -> Role:
        return Role(bodies=_NAMES, joints=_NAMES, sites=_NAMES, geoms=_NAMES)

    def __contains__(self, name: object) -> bool:
        return True


@hookimpl
def mjsdk_robot() -> Robot:
    """Facts that a task can be written on."""
    return Robot(name="any robot", roles=_AnyRoles(), gait=Gait(frequency=1.0, offsets=(0.0, 0.5, 0.5, 0.0)))


@hookimpl
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """There is no model: a task is only shown."""
    raise NotImplementedError
