"""How a free base moves, in the frames that terms ask for."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.rotations import matrix_from_quat
from mjsdk.kernels.base import base_motion


class BaseMotion:
    """What follows from position and velocity of the base, computed for all worlds at once when first asked for."""

    def __init__(self, qpos: Tensor, qvel: Tensor) -> None:
        self._qpos, self._qvel = qpos, qvel
        worlds, device = len(qpos), str(qpos.device)
        self._gravity_b = kernels.zeros(worlds, 3, device=device)
        self._lin_vel_b = kernels.zeros(worlds, 3, device=device)
        self._lin_vel_yaw = kernels.zeros(worlds, 2, device=device)
        self._yaw_rate = kernels.zeros(worlds, device=device)
        self._stale = True
        tensors = (qpos, qvel, self._gravity_b, self._lin_vel_b, self._lin_vel_yaw, self._yaw_rate)
        self._arrays = tuple(map(kernels.array, tensors)) if kernels.used_on(device) else ()

    def invalidate(self) -> None:
        """Forget everything, after the state has changed."""
        self._stale = True

    @property
    def gravity_b(self) -> Tensor:
        """Direction of gravity [-], base frame, shape (E, 3)."""
        self._update()
        return self._gravity_b

    @property
    def lin_vel_b(self) -> Tensor:
        """Velocity [m/s], base frame, shape (E, 3)."""
        self._update()
        return self._lin_vel_b

    @property
    def lin_vel_yaw(self) -> Tensor:
        """Horizontal velocity [m/s] in the frame that turns with the heading only, shape (E, 2)."""
        self._update()
        return self._lin_vel_yaw

    @property
    def yaw_rate(self) -> Tensor:
        """Rate of turning around the vertical [rad/s], shape (E,)."""
        self._update()
        return self._yaw_rate

    def _update(self) -> None:
        if not self._stale:
            return
        self._stale = False
        if self._arrays:
            base_motion(*self._arrays)
        else:
            self._compute()

    def _compute(self) -> None:
        rotation = matrix_from_quat(self._qpos[:, 3:7])
        velocity = self._qvel[:, :3]
        torch.neg(rotation[:, 2], out=self._gravity_b)
        self._lin_vel_b.copy_((velocity.unsqueeze(2) * rotation).sum(1))
        forward = torch.nn.functional.normalize(rotation[:, :2, 0], dim=1)
        left = torch.stack((-forward[:, 1], forward[:, 0]), 1)
        self._lin_vel_yaw.copy_(torch.stack([(axis * velocity[:, :2]).sum(1) for axis in (forward, left)], 1))
        # The vertical in the base frame is the direction against gravity.
        self._yaw_rate.copy_((rotation[:, 2] * self._qvel[:, 3:6]).sum(1))
