"""The Unitree G1 humanoid, 29 degrees of freedom, as a robot for mjsdk: `mjsdk train --robot g1 --task ...`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from mjsdk import hookimpl
from mjsdk.robot import Robot
from mjsdk_robot_g1 import collisions, motors, poses, roles

if TYPE_CHECKING:
    import mujoco

MJSDK_API = 1


@hookimpl
def mjsdk_robot() -> Robot:
    """The facts of the G1."""
    return Robot(
        name="g1",
        summary="Unitree G1 humanoid, 29 degrees of freedom, 1.3 m, 33 kg",
        roles=roles.roles(),
        actuators=motors.actuators(),
        collisions=collisions.presets(),
        poses=poses.poses(),
        tolerances=poses.tolerances(),
        gait=poses.gait(),
        mirror={"left_": "right_"},
    )


@hookimpl
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """A fresh model of the G1, without motors; no geom collides before a preset says so."""
    import mujoco

    return mujoco.MjSpec.from_string(resources.files(__name__).joinpath("g1.xml").read_text(encoding="utf-8"))
