"""The Unitree Go1 quadruped, 12 degrees of freedom, as a robot for mjsdk: `mjsdk train --robot go1 --task ...`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from mjsdk import hookimpl
from mjsdk.robot import Robot
from mjsdk_robot_go1 import collisions, motors, poses, roles

if TYPE_CHECKING:
    import mujoco

    from mjsdk.config import Config

MJSDK_API = 1


@hookimpl
def mjsdk_robot() -> Robot:
    """The facts of the Go1."""
    return Robot(
        name="go1",
        summary="Unitree Go1 quadruped, 12 degrees of freedom, 0.3 m, 13 kg",
        roles=roles.roles(),
        actuators=motors.actuators(),
        collisions=collisions.presets(),
        poses=poses.poses(),
        tolerances=poses.tolerances(),
        gait=poses.gait(),
        mirror={"FL": "FR", "RL": "RR"},
    )


@hookimpl
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """A fresh model of the Go1, without motors; no geom collides before a preset says so."""
    import mujoco

    return mujoco.MjSpec.from_string(resources.files(__name__).joinpath("go1.xml").read_text(encoding="utf-8"))


@hookimpl
def mjsdk_adapt(config: Config) -> None:
    """A small machine wants a near camera."""
    config.env.viewer.distance = 1.8
