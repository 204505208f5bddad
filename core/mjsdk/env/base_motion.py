"""How a free base moves, in the frames that terms ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.rotations import matrix_from_quat
from mjsdk.kernels import Call
from mjsdk.kernels.base import base_motion


class BaseMotion:
    """What follows from position and velocity of the base, for all worlds at once; `update` first."""

    def __init__(self, qpos: Tensor, qvel: Tensor, columns: tuple[int, int], gravity: Sequence[float]) -> None:
        """Allocate the results.

        Args:
            qpos: Positions of everything, shape (E, nq).
            qvel: Velocities of everything, shape (E, nv).
            columns: First column of the base in each.
            gravity: What pulls everything [m/s^2], world frame.
        """
        self._qpos, self._qvel, self._columns = qpos, qvel, columns
        worlds, device = len(qpos), str(qpos.device)
        size = math.hypot(*gravity)
        self._gravity_w = torch.tensor([g / size if size else 0.0 for g in gravity], device=device)
        self.gravity_b = kernels.zeros(worlds, 3, device=device)
        """Direction of gravity [-], base frame, shape (E, 3); zeros where nothing pulls."""
        self.down_b = kernels.zeros(worlds, 3, device=device)
        """Direction against the world's z axis [-], base frame, shape (E, 3), whatever gravity is."""
        self.lin_vel_b = kernels.zeros(worlds, 3, device=device)
        """Velocity [m/s], base frame, shape (E, 3)."""
        self.lin_vel_yaw = kernels.zeros(worlds, 2, device=device)
        """Horizontal velocity [m/s] in the frame that turns with the heading only, shape (E, 2)."""
        self.yaw_rate = kernels.zeros(worlds, device=device)
        """Rate of turning around the vertical [rad/s], shape (E,)."""

    def calculation(self) -> Call:
        """What fills all of them."""
        if not kernels.used_on(str(self._qpos.device)):
            return self._compute
        directions = (self._gravity_w, self.gravity_b, self.down_b)
        velocities = (self.lin_vel_b, self.lin_vel_yaw, self.yaw_rate)
        return base_motion.bind(self._qpos, self._qvel, *self._columns, *directions, *velocities)

    def _compute(self) -> None:
        place, speed = self._columns
        rotation = matrix_from_quat(self._qpos[:, place + 3 : place + 7])
        velocity = self._qvel[:, speed : speed + 3]
        torch.neg(rotation[:, 2], out=self.down_b)
        self.gravity_b.copy_((self._gravity_w.unsqueeze(1) * rotation).sum(1))
        self.lin_vel_b.copy_((velocity.unsqueeze(2) * rotation).sum(1))
        forward = torch.nn.functional.normalize(rotation[:, :2, 0], dim=1)
        left = torch.stack((-forward[:, 1], forward[:, 0]), 1)
        self.lin_vel_yaw.copy_(torch.stack([(axis * velocity[:, :2]).sum(1) for axis in (forward, left)], 1))
        # The third row of the matrix is the vertical in the base frame.
        self.yaw_rate.copy_((rotation[:, 2] * self._qvel[:, speed + 3 : speed + 6]).sum(1))
