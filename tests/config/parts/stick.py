"""A robot of two joints, for tests."""

import mujoco

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import ActuatorGroup, CollisionRule, InitialState, Robot, Role, Roles

MJSDK_API = 1

XML = """
<mujoco>
  <worldbody>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom name="trunk_geom" size=".1" mass="1"/>
      <site name="imu_site"/>
      <body name="left_leg">
        <joint name="left_hip" axis="0 1 0" range="-1 1"/>
        <geom name="left_foot" size=".05" pos="0 .1 -.5" mass=".3"/>
      </body>
      <body name="right_leg">
        <joint name="right_hip" axis="0 1 0" range="-1 1"/>
        <geom name="right_foot" size=".05" pos="0 -.1 -.5" mass=".3"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@hookimpl
def mjsdk_robot() -> Robot:
    feet = Role(bodies=("left_leg", "right_leg"), geoms=("left_foot", "right_foot"))
    rule = CollisionRule(geoms=".*_foot")
    return Robot(
        name="stick",
        roles=Roles(base=Role(bodies="trunk"), imu=Role(sites="imu_site"), feet=feet),
        actuators=(ActuatorGroup(joints=".*_hip", kp=10.0, kd=1.0, effort_limit=5.0),),
        collisions={"feet": (rule,), "full": (rule,)},
        poses={"default": InitialState(pos=(0, 0, 0.55)), "bent": InitialState(joint_pos={".*": 0.1})},
    )


@hookimpl
def mjsdk_load_spec(robot):
    return mujoco.MjSpec.from_string(XML)


@hookimpl
def mjsdk_adapt(robot, task_name, config):
    config.env.rewards["upright"].params["std"] = 0.3
    config.env.viewer.distance = 2.0
