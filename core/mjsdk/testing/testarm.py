"""A small robot for tests that is fixed to the ground: three joints, one of them a slide and one without limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import ActuatorGroup, CollisionRule, InitialState, Robot, Role, Roles

if TYPE_CHECKING:
    import mujoco

MJSDK_API = 1

_MJCF = """
<mujoco model="testarm">
  <compiler angle="radian"/>
  <worldbody>
    <body name="stand" pos="0 0 0.1">
      <geom name="stand_geom" type="cylinder" size="0.05 0.1" mass="1"/>
      <body name="upper" pos="0 0 0.1">
        <joint name="shoulder" axis="0 1 0" range="-1.5 1.5"/>
        <geom name="upper_geom" type="capsule" size="0.02" fromto="0 0 0 0 0 0.3" mass="0.5"/>
        <body name="wrist" pos="0 0 0.3">
          <joint name="roll" axis="0 0 1"/>
          <geom name="wrist_geom" type="box" size="0.03 0.02 0.02" mass="0.2"/>
          <body name="hand">
            <joint name="reach" type="slide" axis="1 0 0" range="0 0.2"/>
            <geom name="hand_geom" type="sphere" size="0.03" pos="0.1 0 0" mass="0.1"/>
            <site name="tip" pos="0.13 0 0"/>
          </body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@hookimpl
def mjsdk_robot() -> Robot:
    """The facts of the robot."""
    return Robot(
        name="testarm",
        summary="An arm of three joints, for tests",
        roles=Roles(
            base=Role(bodies="stand"),
            imu=Role(sites="tip"),
            hand=Role(bodies="hand", joints="reach", sites="tip", geoms="hand_geom"),
        ),
        actuators=(
            ActuatorGroup(joints="reach", kp=50.0, kd=5.0, effort_limit=8.0, armature=0.02),
            ActuatorGroup(joints=("shoulder", "roll"), kp=10.0, kd=0.5, effort_limit=6.0, armature=0.01),
        ),
        collisions={"hand": (CollisionRule(geoms="hand_geom"),)},
        poses={"ready": InitialState(joint_pos={"shoulder": 0.3, "reach": 0.1})},
    )


@hookimpl
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """The uncompiled model."""
    import mujoco

    return mujoco.MjSpec.from_string(_MJCF)
