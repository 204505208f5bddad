"""How a free base moves, in the frames that terms ask for."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.rotations import matrix_from_quat
from mjsdk.kernels import Call
from mjsdk.kernels.base import base_motion


class BaseMotion:
    """What follows from position and velocity of the base, for all worlds at once; `update` first."""

    def __init__(self, qpos: Tensor, qvel: Tensor) -> None:
        self._qpos, self._qvel = qpos, qvel
        worlds, device = len(qpos), str(qpos.device)
        self.gravity_b = kernels.zeros(worlds, 3, device=device)
        """Direction of gravity [-], base frame, shape (E, 3)."""
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
        return base_motion.bind(self._qpos, self._qvel, self.gravity_b, self.lin_vel_b, self.lin_vel_yaw, self.yaw_rate)

    def _compute(self) -> None:
        rotation = matrix_from_quat(self._qpos[:, 3:7])
        velocity = self._qvel[:, :3]
        torch.neg(rotation[:, 2], out=self.gravity_b)
        self.lin_vel_b.copy_((velocity.unsqueeze(2) * rotation).sum(1))
        forward = torch.nn.functional.normalize(rotation[:, :2, 0], dim=1)
        left = torch.stack((-forward[:, 1], forward[:, 0]), 1)
        self.lin_vel_yaw.copy_(torch.stack([(axis * velocity[:, :2]).sum(1) for axis in (forward, left)], 1))
        # The vertical in the base frame is the direction against gravity.
        self.yaw_rate.copy_((rotation[:, 2] * self._qvel[:, 3:6]).sum(1))
