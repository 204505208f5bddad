"""What the G1's parts are to a task."""

from __future__ import annotations

from mjsdk.robot import Role, Roles

SIDES = ("left", "right")
FOOT_SPHERES = 4
FOOT_CAPSULES = 7

LEG = ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")
ARM = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")
WAIST = ("waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint")

TRACKED_LEG = ("hip_roll_link", "knee_link", "ankle_roll_link")
TRACKED_ARM = ("shoulder_roll_link", "elbow_link", "wrist_yaw_link")


def roles() -> Roles:
    """Parts by role; left before right."""
    return Roles(
        base=Role(bodies="pelvis", geoms="pelvis_collision"),
        torso=Role(bodies="torso_link", sites="imu_in_torso", geoms="torso_collision"),
        imu=Role(bodies="pelvis", sites="imu_in_pelvis"),
        feet=Role(
            bodies=_both("ankle_roll_link"),
            sites=_both("foot"),
            geoms=tuple(name for side in SIDES for name in foot_geoms(side)),
        ),
        hands=Role(bodies=_both("wrist_yaw_link"), sites=_both("palm"), geoms=_both("hand_collision")),
        legs=Role(joints=_both(*(f"{joint}_joint" for joint in LEG))),
        arms=Role(joints=_both(*(f"{joint}_joint" for joint in ARM))),
        waist=Role(joints=WAIST, bodies=("waist_yaw_link", "waist_roll_link", "torso_link")),
        tracked=Role(bodies=("pelvis", *_both(*TRACKED_LEG), "torso_link", *_both(*TRACKED_ARM))),
    )


def foot_geoms(side: str) -> tuple[str, ...]:
    """What a foot may touch the ground with: spheres, then capsules; a collision preset uses one of the sets."""
    spheres = [f"{side}_foot_corner{i}_collision" for i in range(1, FOOT_SPHERES + 1)]
    capsules = [f"{side}_foot{i}_collision" for i in range(1, FOOT_CAPSULES + 1)]
    return (*spheres, *capsules)


def _both(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for side in SIDES for part in parts)
