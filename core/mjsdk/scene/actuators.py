"""From actuator groups to MuJoCo position actuators."""

from __future__ import annotations

import mujoco

from mjsdk.errors import SceneError, SelectionError, listing
from mjsdk.robot import ActuatorGroup, Robot
from mjsdk.robot.selection import match
from mjsdk.scene.guest import neutral
from mjsdk.scene.joints import own_joints


def apply_actuators(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Add one position actuator per joint that a group names, in the order of the model's joints.

    Only hinges and slides of the robot can be driven: neither its free joint nor those of objects beside it.
    """
    names = [joint.name for joint in own_joints(robot, spec)]
    owners: dict[str, ActuatorGroup] = {}
    for group in robot.actuators:
        try:
            members = [names[i] for i in match(group.joints, names, "joints that can be driven")]
        except SelectionError as error:
            raise SceneError(f"robot '{robot.name}', actuators of {listing(group.joints)}: {error}") from error
        for name in members:
            if name in owners:
                raise SceneError(f"robot '{robot.name}': joint '{name}' is in two actuator groups; put it in one")
            owners[name] = group
    for joint in spec.joints:
        if joint.name in owners:
            _drive(spec, joint, owners[joint.name])


def _drive(spec: mujoco.MjSpec, joint: mujoco.MjsJoint, group: ActuatorGroup) -> None:
    if group.armature is not None:
        joint.armature = group.armature
    if group.frictionloss is not None:
        joint.frictionloss = group.frictionloss
    actuator = spec.add_actuator(neutral(), name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(kp=group.kp, kv=group.kd)
    actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
    actuator.forcerange = [-group.effort_limit, group.effort_limit]
