"""Models for the tests of robots: made from figures, or put into a pose."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from mjsdk.robot import InitialState
from mjsdk.robot.selection import match


def model_of(figures: dict[str, Any]) -> mujoco.MjSpec:
    """The model that figures describe, to hold another one to.

    Args:
        figures: Lists of `bodies` (name, parent, pos, quat, mass, com, inertia as xx yy zz xy xz yz), `joints` (name,
            body, free, axis, pos, range [rad]), `sites` (name, body, pos, quat), `geoms` (name, body, type, size, pos,
            quat) and `excludes` (pairs of bodies); lengths [m], frames those of the body.
    """
    spec = mujoco.MjSpec()
    for entry in figures["bodies"]:
        numbers = {name: entry[name] for name in ("name", "pos", "quat", "mass")}
        spec.body(entry["parent"]).add_body(
            ipos=entry["com"], fullinertia=entry["inertia"], explicitinertial=True, **numbers
        )
    for entry in figures["joints"]:
        free = entry["free"]
        spec.body(entry["body"]).add_joint(
            name=entry["name"],
            type=mujoco.mjtJoint.mjJNT_FREE if free else mujoco.mjtJoint.mjJNT_HINGE,
            axis=entry["axis"],
            pos=entry["pos"],
            range=np.rad2deg(entry["range"]),
            limited=mujoco.mjtLimited.mjLIMITED_FALSE if free else mujoco.mjtLimited.mjLIMITED_TRUE,
        )
    for entry in figures["sites"]:
        spec.body(entry["body"]).add_site(name=entry["name"], pos=entry["pos"], quat=entry["quat"])
    for entry in figures["geoms"]:
        numbers = {name: entry[name] for name in ("size", "pos", "quat")}
        kind = getattr(mujoco.mjtGeom, f"mjGEOM_{entry['type'].upper()}")
        spec.body(entry["body"]).add_geom(name=entry["name"], type=kind, **numbers)
    for first, second in figures["excludes"]:
        spec.add_exclude(bodyname1=first, bodyname2=second)
    return spec


def posed(model: mujoco.MjModel, pose: InitialState) -> mujoco.MjData:
    """A model with a free base in a pose of its robot, everything derived, with servos that hold the joints there."""
    data = mujoco.MjData(model)
    names = [model.joint(i).name for i in range(model.njnt)]
    data.qpos[:7] = [*pose.pos, *pose.quat]
    for pattern, value in pose.joint_pos.items():
        data.qpos[model.jnt_qposadr[match(pattern, names, "joints")]] = value
    data.ctrl[:] = data.qpos[model.jnt_qposadr[model.actuator_trnid[:, 0]]]
    mujoco.mj_forward(model, data)
    return data
