"""What of the Go1 may touch what. Contacts dominate the cost of a step, so the default is lean."""

from __future__ import annotations

from mjsdk.robot import CollisionRule

FEET = r"(FL|FR|RL|RR)_foot_collision"
ALL_BUT_FEET = r"(?!.*_foot).*_collision\d?"


def presets() -> dict[str, tuple[CollisionRule, ...]]:
    """Rules by name, the default first."""
    return {
        "feet": (CollisionRule(geoms=FEET, priority=1),),
        "full": (_rubber(self_collision=True), _limbs()),
        "full_without_self": (_rubber(), _limbs_on_ground()),
    }


def _rubber(*, self_collision: bool = False) -> CollisionRule:
    """Feet that resist spinning and rolling a little too, as soft rubber balls do."""
    return CollisionRule(geoms=FEET, self_collision=self_collision, condim=6, friction=(0.6, 0.002, 0.0002), priority=1)


def _limbs() -> CollisionRule:
    """Everything else slides freely on the robot itself, which is cheaper; on the ground, the ground decides."""
    return CollisionRule(geoms=ALL_BUT_FEET, self_collision=True, condim=1, priority=0)


def _limbs_on_ground() -> CollisionRule:
    """Everything else where it meets the ground alone, which decides."""
    return CollisionRule(geoms=ALL_BUT_FEET, friction=(1.0,), priority=0)
