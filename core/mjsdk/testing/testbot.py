"""A small robot for tests: a box on two legs with one joint each. A whole plugin in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import ActuatorGroup, CollisionRule, Gait, InitialState, Robot, Role, Roles

if TYPE_CHECKING:
    import mujoco

MJSDK_API = 1

_MJCF = """
<mujoco model="testbot">
  <compiler angle="radian"/>
  <worldbody>
    <body name="trunk" pos="0 0 0.3">
      <inertial pos="0 0 0" mass="2" diaginertia="0.02 0.02 0.02"/>
      <freejoint name="base"/>
      <geom name="trunk_geom" type="box" size="0.1 0.15 0.05"/>
      <geom name="trunk_paint" type="box" size="0.02 0.02 0.02" pos="0 0 0.06" contype="0" conaffinity="0"/>
      <site name="imu"/>
      <body name="left_leg" pos="0 0.15 0">
        <inertial pos="0 0 -0.15" mass="0.5" diaginertia="0.004 0.004 0.001"/>
        <joint name="left_hip" axis="0 1 0" range="-1 1"/>
        <geom name="left_foot_geom" type="capsule" size="0.03" fromto="-0.1 0 -0.27 0.1 0 -0.27"/>
        <site name="left_foot" pos="0 0 -0.27"/>
      </body>
      <body name="right_leg" pos="0 -0.15 0">
        <inertial pos="0 0 -0.15" mass="0.5" diaginertia="0.004 0.004 0.001"/>
        <joint name="right_hip" axis="0 1 0" range="-1 1"/>
        <geom name="right_foot_geom" type="capsule" size="0.03" fromto="-0.1 0 -0.27 0.1 0 -0.27"/>
        <site name="right_foot" pos="0 0 -0.27"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@hookimpl
def mjsdk_robot() -> Robot:
    """The facts of the robot."""
    return Robot(
        name="testbot",
        summary="A box on two legs, for tests",
        roles=Roles(
            base=Role(bodies="trunk"),
            torso=Role(bodies="trunk"),
            imu=Role(sites="imu"),
            feet=Role(
                bodies=("left_leg", "right_leg"),
                sites=("left_foot", "right_foot"),
                geoms=("left_foot_geom", "right_foot_geom"),
            ),
            legs=Role(joints=("left_hip", "right_hip")),
        ),
        actuators=(ActuatorGroup(joints=".*_hip", kp=20.0, kd=1.0, effort_limit=10.0, armature=0.01),),
        collisions={
            "feet": (CollisionRule(geoms=".*_foot_geom"),),
            "full": (CollisionRule(geoms=(".*_foot_geom", "trunk_geom"), self_collision=True),),
        },
        poses={
            "stand": InitialState(pos=(0.0, 0.0, 0.3)),
            "lean": InitialState(pos=(0.0, 0.0, 0.3), joint_pos={".*": 0.1}),
        },
        tolerances={"standing": {".*": 0.1}, "walking": {".*": 0.3}, "running": {".*": 0.5}},
        gait=Gait(frequency=1.5, offsets=(0.0, 0.5), lift=({"left_hip": -0.2}, {"right_hip": -0.2})),
        mirror={"left": "right"},
    )


@hookimpl
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """The uncompiled model."""
    import mujoco

    return mujoco.MjSpec.from_string(_MJCF)
