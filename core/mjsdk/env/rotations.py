"""Rotations of many vectors at once. Quaternions are wxyz and of unit length."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.ops.tensors import matrix_from_quat as matrix_from_quat


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


def quat_multiply(first: Tensor, second: Tensor) -> Tensor:
    """Quaternion of the rotation `second` followed by `first`, shape (..., 4) each."""
    w, vector = first[..., :1], first[..., 1:]
    other_w, other = second[..., :1], second[..., 1:]
    real = w * other_w - (vector * other).sum(-1, keepdim=True)
    return torch.cat((real, w * other + other_w * vector + torch.linalg.cross(vector, other)), -1)


def wrap_angle(angle: Tensor) -> Tensor:
    """The same angle between -pi and pi [rad]."""
    return torch.remainder(angle + torch.pi, 2.0 * torch.pi) - torch.pi
