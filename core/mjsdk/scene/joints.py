"""Joints of a compiled model."""

from __future__ import annotations

import mujoco

FREE = int(mujoco.mjtJoint.mjJNT_FREE)
_SLIDE = int(mujoco.mjtJoint.mjJNT_SLIDE)


def scalar_joints(model: mujoco.MjModel) -> list[int]:
    """Ids of the joints with one degree of freedom, hinges and slides, in the model's order."""
    return [i for i in range(model.njnt) if model.jnt_type[i] >= _SLIDE]


def has_free_base(model: mujoco.MjModel) -> bool:
    """Whether the first joint is a free joint, so that the robot's base moves."""
    return bool(model.njnt) and int(model.jnt_type[0]) == FREE
