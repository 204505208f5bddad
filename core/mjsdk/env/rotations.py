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


def matrix_from_quat(quat: Tensor, factors: Tensor | None = None) -> Tensor:
    """Rotation matrices, shape (..., 3, 3), of quaternions, shape (..., 4): from the body's frame to the world's.

    Each element is a sum of products of two components, so one product with a constant matrix gives all nine. Who calls
    this often gives that matrix, `matrix_factors()`.
    """
    products = (quat.unsqueeze(-1) * quat.unsqueeze(-2)).flatten(-2)
    factors = quat.new_tensor(_FACTORS).T if factors is None else factors
    return (products @ factors).unflatten(-1, (3, 3))


def matrix_factors(device: str) -> Tensor:
    """What `matrix_from_quat` multiplies with, float32, shape (16, 9)."""
    return torch.tensor(_FACTORS, dtype=torch.float32, device=device).T.contiguous()


_FACTORS = [
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1],
    [0, 0, 0, -2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1],
    [0, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0],
    [0, 0, -2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0],
    [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1],
]
"""Factors of ww, wx, wy, wz, xw, xx, xy, xz, yw, ... in the nine elements, row by row."""


def wrap_angle(angle: Tensor) -> Tensor:
    """The same angle between -pi and pi [rad]."""
    return torch.remainder(angle + torch.pi, 2.0 * torch.pi) - torch.pi
