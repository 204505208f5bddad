"""What of the G1 may touch what. Contacts dominate the cost of a step, so the default is lean."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from mjsdk.robot import CollisionRule

SPHERES = r"(left|right)_foot_corner\d_collision"
CAPSULES = r"(left|right)_foot\d_collision"
OUTLINE = r"(left|right)_foot[1267]_collision"
"""Those capsules that reach farthest to the sides."""
ALL_BUT_FEET = r"(?!(left|right)_foot).*_collision"


def presets() -> dict[str, tuple[CollisionRule, ...]]:
    """Rules by name, the default first."""
    return {
        "feet": (_sole(SPHERES),),
        "lean": (_sole(SPHERES), *_itself(_sole(OUTLINE), _limbs())),
        "feet_capsules": (_sole(CAPSULES),),
        "full": (_sole(CAPSULES, self_collision=True), _limbs()),
        "full_without_self": (_sole(CAPSULES), _limbs_on_ground()),
    }


def _sole(geoms: str, *, self_collision: bool = False) -> CollisionRule:
    """Feet slide with friction 0.6, whatever the floor says."""
    return CollisionRule(geoms=geoms, self_collision=self_collision, condim=3, friction=(0.6,), priority=1)


def _itself(*rules: CollisionRule) -> Iterator[CollisionRule]:
    """The same geoms where they meet each other, not the ground."""
    return (attrs.evolve(rule, world=False, self_collision=True) for rule in rules)


def _limbs() -> CollisionRule:
    """Everything else slides freely on the robot itself, which is cheaper; on the ground, the ground decides."""
    return CollisionRule(geoms=ALL_BUT_FEET, self_collision=True, condim=1, priority=0)


def _limbs_on_ground() -> CollisionRule:
    """Everything else where it meets the ground alone, which decides."""
    return CollisionRule(geoms=ALL_BUT_FEET, friction=(1.0,), priority=0)
