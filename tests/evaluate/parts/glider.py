"""A robot with a floating base and two legs, for tests."""

import mujoco

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import ActuatorGroup, CollisionRule, InitialState, Robot, Role, Roles

MJSDK_API = 1

XML = """
<mujoco>
  <worldbody>
    <body name="hull">
      <freejoint/>
      <geom name="hull" size=".1" mass="1"/>
      <site name="imu"/>
      <body name="left_leg" pos="0 .2 0">
        <joint name="left_hip" axis="0 1 0" range="-1 1"/>
        <geom name="left_foot" size=".05" pos="0 0 -.3" mass=".01"/>
        <site name="left_sole" pos="0 0 -.35"/>
      </body>
      <body name="right_leg" pos="0 -.2 0">
        <joint name="right_hip" axis="0 1 0" range="-1 1"/>
        <geom name="right_foot" size=".05" pos="0 0 -.3" mass=".01"/>
        <site name="right_sole" pos="0 0 -.35"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@hookimpl
def mjsdk_robot() -> Robot:
    feet = Role(bodies=("left_leg", "right_leg"), sites=("left_sole", "right_sole"), geoms=("left_foot", "right_foot"))
    rule = CollisionRule(geoms=".*_foot")
    return Robot(
        name="glider",
        roles=Roles(base=Role(bodies="hull"), imu=Role(sites="imu"), feet=feet),
        actuators=(ActuatorGroup(joints=".*_hip", kp=1.0, kd=0.1, effort_limit=5.0, armature=0.01),),
        collisions={"feet": (rule,), "full": (rule,)},
        poses={"default": InitialState(pos=(0, 0, 2))},
    )


@hookimpl
def mjsdk_load_spec(robot):
    return mujoco.MjSpec.from_string(XML)
