"""What of the G1 may touch what. Contacts dominate the cost of a step, so the default is lean."""

from __future__ import annotations

from mjsdk.robot import CollisionRule

SPHERES = r"(left|right)_foot_corner\d_collision"
CAPSULES = r"(left|right)_foot\d_collision"
GUARDS = r"(left|right)_(foot[26]|linkage_brace)_collision"
"""Both edges of a foot, and the shin above it."""
ALL_BUT_FEET = r"(?!(left|right)_foot).*_collision"


def presets() -> dict[str, tuple[CollisionRule, ...]]:
    """Rules by name, the default first."""
    return {
        "feet": (_sole(SPHERES),),
        "lean": (_sole(SPHERES), _apart(GUARDS)),
        "feet_capsules": (_sole(CAPSULES),),
        "full": (_sole(CAPSULES, self_collision=True), _limbs(self_collision=True)),
        "full_without_self": (_sole(CAPSULES), _limbs()),
    }


def _sole(geoms: str, *, self_collision: bool = False) -> CollisionRule:
    """Feet slide with friction 0.6, whatever the floor says."""
    return CollisionRule(geoms=geoms, self_collision=self_collision, condim=3, friction=(0.6,), priority=1)


def _apart(geoms: str) -> CollisionRule:
    """Legs do not pass through each other: a policy that has learned so trips over its own feet elsewhere."""
    return CollisionRule(geoms=geoms, world=False, self_collision=True, condim=1)


def _limbs(*, self_collision: bool = False) -> CollisionRule:
    """Everything else slides freely on the robot itself, which is cheaper; on the ground, the ground decides."""
    return CollisionRule(geoms=ALL_BUT_FEET, self_collision=self_collision, condim=1)
