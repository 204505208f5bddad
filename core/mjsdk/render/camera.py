"""A camera that follows the robot without shaking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mjsdk.config.env import ViewerConfig

if TYPE_CHECKING:
    import mujoco

_SETTLE_S = (0.25, 0.25, 0.8)
"""Time constants along x, y and z [s]: it glides along with the robot and hardly bobs with its steps."""


class FollowCamera:
    """Looks at a smoothed position of the robot from a direction that is fixed in the world.

    The azimuth of the settings counts from where the robot faces when it is first seen: every video begins alike.
    """

    def __init__(self, viewer: ViewerConfig) -> None:
        self.viewer = viewer
        self._target: np.ndarray | None = None
        self._azimuth: float | None = None

    def cut(self) -> None:
        """Forget where the robot was: the next `follow` jumps there, as after a reset."""
        self._target = self._azimuth = None

    def follow(self, position: np.ndarray, dt: float) -> np.ndarray:
        """Point to look at [m], world frame, shape (3,), when the robot is at `position` and `dt` s have passed."""
        position = np.asarray(position, dtype=float)
        if self._target is None:
            self._target = position.copy()
        share = 1.0 - np.exp(-dt / np.array(_SETTLE_S))
        self._target = self._target + share * (position - self._target)
        return self._target

    def azimuth(self, heading: float) -> float:
        """Direction to look in [deg]; `heading` is that of the robot [rad]."""
        if self._azimuth is None:
            self._azimuth = self.viewer.azimuth + math.degrees(heading)
        return self._azimuth

    def aim(self, camera: mujoco.MjvCamera, position: np.ndarray, heading: float, dt: float) -> None:
        """Set MuJoCo's camera; arguments as of `follow` and `azimuth`."""
        import mujoco

        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.lookat[:] = self.follow(position, dt)
        camera.distance, camera.elevation = self.viewer.distance, self.viewer.elevation
        camera.azimuth = self.azimuth(heading)


def heading_of(quat: np.ndarray) -> float:
    """Direction that a body faces around the vertical [rad], from its orientation (wxyz), shape (4,)."""
    w, x, y, z = (float(value) for value in quat)
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
