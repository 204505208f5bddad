"""Joints of a model that is not compiled."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco

from mjsdk.robot import Robot

SCALAR = (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE)


def own_joints(robot: Robot, spec: mujoco.MjSpec) -> list[mujoco.MjsJoint]:
    """Hinges and slides of the robot itself, in the order of the model.

    They are in the tree of its role `base`; without that role, in the first tree that has any.
    """
    bases = robot.roles["base"].bodies if "base" in robot.roles else ()
    roots = [_root(body) for body in spec.bodies if body.name in bases and body.name != "world"]
    trees = (joints for top in spec.worldbody.bodies if (joints := list(_scalar_below(top))))
    own = [joint for root in roots for joint in _scalar_below(root)] if roots else next(trees, [])
    names = {joint.name for joint in own}
    return [joint for joint in spec.joints if joint.name in names]


def _root(body: mujoco.MjsBody) -> mujoco.MjsBody:
    """The highest body above one that moves, or that body itself."""
    root, above = body, body.parent
    while above is not None:
        root, above = above if above.joints else root, above.parent
    return root


def _scalar_below(top: mujoco.MjsBody) -> Iterator[mujoco.MjsJoint]:
    for body in (top, *top.find_all("body")):
        yield from (joint for joint in body.joints if joint.type in SCALAR)
