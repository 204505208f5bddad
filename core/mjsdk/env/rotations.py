"""Rotations of many vectors at once. Quaternions are wxyz and of unit length."""

from __future__ import annotations

import torch
from torch import Tensor


def quat_rotate_inverse(quat: Tensor, vector: Tensor) -> Tensor:
    """Rotate `vector`, shape (..., 3), by the inverse of `quat`: from the world's frame to the body's."""
    axis = quat[..., 1:].expand(vector.shape)
    twice = 2.0 * torch.linalg.cross(axis, vector)
    return vector - quat[..., :1] * twice + torch.linalg.cross(axis, twice)


def quat_from_euler(roll: Tensor, pitch: Tensor, yaw: Tensor) -> Tensor:
    """Quaternion of rotations about fixed x, then y, then z [rad], shape (..., 4)."""
    cr, sr = torch.cos(roll / 2), torch.sin(roll / 2)
    cp, sp = torch.cos(pitch / 2), torch.sin(pitch / 2)
    cy, sy = torch.cos(yaw / 2), torch.sin(yaw / 2)
    return torch.stack(
        (
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ),
        -1,
    )


def matrix_from_quat(quat: Tensor) -> Tensor:
    """Rotation matrices, shape (..., 3, 3), of quaternions, shape (..., 4): from the body's frame to the world's."""
    w, x, y, z = quat.unbind(-1)
    rows = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def wrap_angle(angle: Tensor) -> Tensor:
    """The same angle between -pi and pi [rad]."""
    return torch.remainder(angle + torch.pi, 2.0 * torch.pi) - torch.pi
