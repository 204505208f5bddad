"""What was asked and what the robot does, drawn into the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import mujoco
import numpy as np

ASKED = (0.15, 0.75, 0.25, 1.0)
"""Colour of commands, RGBA."""
ACTUAL = (0.15, 0.45, 0.95, 1.0)
"""Colour of what the robot does, RGBA."""
_LENGTH = 0.7
"""Length of an arrow per speed [m per m/s]."""
_WIDTH = 0.022
RADIUS = 0.45
"""Radius of the arc that shows a yaw rate [m]."""
SLOWEST = 0.03
_SLOWEST_TURN = 0.15
"""Speeds [m/s] and yaw rates [rad/s] below these are not drawn: their arrows would only flicker."""


def add_arrow(
    scene: mujoco.MjvScene, start: np.ndarray, end: np.ndarray, rgba: Sequence[float], width: float = _WIDTH
) -> None:
    """Add an arrow between two points [m], world frame, shape (3,). Does nothing when the scene is full."""
    _add_connector(scene, mujoco.mjtGeom.mjGEOM_ARROW, width, start, end, rgba)


def add_velocity(
    scene: mujoco.MjvScene,
    at: np.ndarray,
    heading: float,
    velocity: Sequence[float],
    rgba: Sequence[float],
    *,
    turn_at: np.ndarray,
    radius: float = RADIUS,
    slowest: float = SLOWEST,
) -> None:
    """Add an arrow for forward and sideways speed and an arc for the yaw rate.

    Args:
        scene: Where to draw.
        at: Point over the robot [m], world frame, shape (3,).
        heading: Direction of the robot around the vertical [rad].
        velocity: Forward [m/s], to the left [m/s], yaw rate [rad/s].
        rgba: Colour.
        turn_at: Centre of the arc [m], world frame, shape (3,): on the floor, where cameras see more than its edge.
        radius: Radius of the arc [m].
        slowest: Speed [m/s] and yaw rate [rad/s] below which nothing is drawn.
    """
    forward, left, yaw_rate = velocity
    if math.hypot(forward, left) > slowest:
        cos, sin = math.cos(heading), math.sin(heading)
        way = np.array([cos * forward - sin * left, sin * forward + cos * left, 0.0])
        add_arrow(scene, at, at + _LENGTH * way, rgba)
    if abs(yaw_rate) > max(slowest, _SLOWEST_TURN):
        points = arc(turn_at, heading, yaw_rate, radius)
        for start, end in pairwise(points[:-1]):
            _add_connector(scene, mujoco.mjtGeom.mjGEOM_CAPSULE, 0.8 * _WIDTH, start, end, rgba)
        last = points[-1] - points[-2]
        tip = points[-2] + 0.18 * last / max(float(np.linalg.norm(last)), 1e-9)
        add_arrow(scene, points[-2], tip, rgba, width=1.5 * _WIDTH)


def arc(at: np.ndarray, heading: float, yaw_rate: float, radius: float = RADIUS) -> np.ndarray:
    """Points [m] of an arc that begins straight ahead and turns as far as the robot would in 1.5 s, shape (n, 3)."""
    turn = float(np.clip(1.5 * yaw_rate, -1.8 * math.pi, 1.8 * math.pi))
    angles = heading + np.linspace(0.0, turn, max(4, math.ceil(abs(turn) / 0.2)))
    circle = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    return at + radius * circle


def _add_connector(
    scene: mujoco.MjvScene,
    kind: mujoco.mjtGeom,
    width: float,
    start: np.ndarray,
    end: np.ndarray,
    rgba: Sequence[float],
) -> None:
    if scene.ngeom >= scene.maxgeom:
        return
    geom = scene.geoms[scene.ngeom]
    mujoco.mjv_initGeom(geom, kind, np.zeros(3), np.zeros(3), np.zeros(9), np.array(rgba, np.float32))
    mujoco.mjv_connector(geom, kind, width, np.asarray(start, float), np.asarray(end, float))
    geom.category = mujoco.mjtCatBit.mjCAT_DECOR
    scene.ngeom += 1
