"""From collision rules to MuJoCo's contact bits."""

from __future__ import annotations

import mujoco

from mjsdk.errors import SceneError, SelectionError, closest, listing
from mjsdk.robot import CollisionRule, Robot
from mjsdk.robot.selection import match

WORLD, ITSELF = 1, 2
"""Bits of contact types and affinities."""


def preset_of(robot: Robot, name: str) -> str:
    """The collision preset of that name, the robot's default if none is named. Raises `SelectionError`."""
    name, presets = name or robot.default_collisions, robot.collisions
    if presets and name not in presets:
        raise SelectionError(
            f"robot '{robot.name}' has no collision preset '{name}'{closest(name, presets) or '.'} "
            f"Legal: {listing(presets)}"
        )
    return name


def apply_collisions(robot: Robot, spec: mujoco.MjSpec, preset: str) -> None:
    """Let only the geoms collide that the rules of `preset` name; the first rule that names a geom holds.

    The world has contact type and affinity 1. A robot's geom has affinity 1 if it collides with that, and type and
    affinity 2 if it collides with the robot itself. So no others of the robot's own pairs are ever tested.
    """
    geoms = list(spec.geoms)
    for geom in geoms:
        geom.contype = geom.conaffinity = 0
    names, done = [geom.name for geom in geoms], set[int]()
    for rule in robot.collisions.get(preset, ()):
        try:
            found = set(match(rule.geoms, names, "geoms"))
        except SelectionError as error:
            raise SceneError(f"robot '{robot.name}', collision preset '{preset}': {error}") from error
        for i in found - done:
            _apply(geoms[i], rule)
        done |= found


def _apply(geom: mujoco.MjsGeom, rule: CollisionRule) -> None:
    geom.contype = ITSELF * rule.self_collision
    geom.conaffinity = WORLD * rule.world + ITSELF * rule.self_collision
    geom.condim = rule.condim
    geom.priority = rule.priority
    geom.friction = [*rule.friction, *geom.friction[len(rule.friction) :]]
    if rule.solref is not None:
        geom.solref = rule.solref
