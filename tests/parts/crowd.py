"""A robot among other things: what stands before it, between its joints and after it is not its own."""

import mujoco

from mjsdk.hookspecs import hookimpl
from mjsdk.robot import ActuatorGroup, CollisionRule, InitialState, Robot, Role, Roles

MJSDK_API = 1

LEG = """
<body name="{side}_leg" pos="0 {y} 0">
  <joint name="{side}_hip" axis="0 1 0" range="-1 1"/>
  <geom name="{side}_foot_geom" type="capsule" size=".03" fromto="-.1 0 -.27 .1 0 -.27" mass=".5"/>
  <site name="{side}_foot" pos="0 0 -.27"/>
  <body name="{side}_tail" pos="0 0 -.1">
    <joint name="{side}_ball" type="ball" damping=".1"/>
    <geom type="sphere" size=".02" mass=".1" pos="0 0 -.05"/>
  </body>
  <body name="{side}_toe" pos=".1 0 -.27">
    <joint name="{side}_toe" axis="0 1 0" stiffness="5" damping=".5" range="-.5 .5"/>
    <geom type="sphere" size=".02" mass=".1"/>
  </body>
</body>"""

MODEL = f"""
<mujoco><compiler angle="radian"/><worldbody>
  <body name="target" mocap="true" pos="5 0 1"><geom type="sphere" size=".05"/></body>
  <body name="crate" pos="3 0 .2">
    <freejoint name="crate"/><geom name="crate" type="box" size=".2 .2 .2" mass="50"/>
  </body>
  <body name="door" pos="4 0 1"><joint name="door" axis="0 0 1"/><geom type="box" size=".4 .02 1" mass="20"/></body>
  <body name="trunk"><freejoint name="base"/><geom type="box" size=".1 .15 .05" mass="2"/><site name="imu"/>
    {LEG.format(side="left", y=0.15)}{LEG.format(side="right", y=-0.15)}
  </body>
  <body name="bin" pos="3 2 .2"><freejoint name="bin"/><geom name="bin" type="box" size=".1 .1 .1" mass="3"/></body>
</worldbody></mujoco>"""


@hookimpl
def mjsdk_robot():
    return Robot(
        name="crowd",
        roles=Roles(
            base=Role(bodies="trunk"),
            torso=Role(bodies="trunk"),
            imu=Role(sites="imu"),
            feet=Role(
                bodies=("left_leg", "right_leg"),
                sites=("left_foot", "right_foot"),
                geoms=("left_foot_geom", "right_foot_geom"),
            ),
            toes=Role(joints=("left_toe", "right_toe")),
        ),
        actuators=(ActuatorGroup(joints=".*_hip", kp=20.0, kd=1.0, effort_limit=10.0, armature=0.01),),
        collisions={"feet": (CollisionRule(geoms=".*_foot_geom", friction=(0.8,)),)},
        poses={"stand": InitialState(pos=(0.0, 0.0, 0.3), joint_pos={".*_hip": 0.1})},
        mirror={"left": "right"},
    )


@hookimpl
def mjsdk_load_spec(robot):
    return mujoco.MjSpec.from_string(MODEL)
