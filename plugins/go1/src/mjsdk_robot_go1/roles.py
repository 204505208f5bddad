"""What the Go1's parts are to a task."""

from __future__ import annotations

from mjsdk.robot import Role, Roles

LEGS = ("FL", "FR", "RL", "RR")
"""Front left, front right, rear left, rear right: the order of every role; the model's own is right before left."""


def roles() -> Roles:
    """Parts by role. A foot is the end of its calf, which has no body of its own."""
    return Roles(
        base=Role(bodies="trunk", geoms="trunk_collision"),
        torso=Role(bodies="trunk", geoms="trunk_collision"),
        imu=Role(bodies="trunk", sites="imu"),
        head=Role(bodies="trunk", sites="head", geoms="head_collision"),
        feet=Role(bodies=_each("calf"), sites=LEGS, geoms=_each("foot_collision")),
        legs=Role(bodies=_each("hip", "thigh", "calf"), joints=_each("hip_joint", "thigh_joint", "calf_joint")),
        tracked=Role(bodies=("trunk", *_each("thigh", "calf"))),
    )


def _each(*parts: str) -> tuple[str, ...]:
    return tuple(f"{leg}_{part}" for leg in LEGS for part in parts)
