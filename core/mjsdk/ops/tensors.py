"""Tensor operations, on any device and without waiting for it: the reference that loops are held to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from mjsdk.ops.protocol import Chosen, Found

T = TypeVar("T")


class TensorOps:
    """See `mjsdk.ops.protocol.Ops`."""

    def version_of(self, term: Any) -> Any:
        """See `Ops`."""
        return None

    def prepared(self, operation: Callable[..., T], *args: Any) -> Callable[..., T]:
        """See `Ops`."""
        return partial(operation, *args)

    def numbers(self, mask: Tensor) -> Tensor | None:
        """See `Ops`."""
        return None

    def base_motion(self, pose: Tensor, velocity: Tensor, gravity_w: Tensor, out: Tensor) -> None:
        """See `Ops`."""
        rotation, linear = matrix_from_quat(pose[:, 3:7]), velocity[:, :3]
        gravity, down, linear_b, horizontal, yaw_rate = out.split((3, 3, 3, 2, 1), 1)
        gravity.copy_((gravity_w.unsqueeze(1) * rotation).sum(1))
        torch.neg(rotation[:, 2], out=down)
        linear_b.copy_((linear.unsqueeze(2) * rotation).sum(1))
        # An x axis that is vertical has no heading: zeros, not NaN.
        forward = torch.nn.functional.normalize(rotation[:, :2, 0], dim=1)
        left = torch.stack((-forward[:, 1], forward[:, 0]), 1)
        horizontal.copy_(torch.stack([(axis * linear[:, :2]).sum(1) for axis in (forward, left)], 1))
        # The third row of the matrix is the vertical in the base frame.
        yaw_rate.copy_((rotation[:, 2] * velocity[:, 3:]).sum(1, keepdim=True))

    def contact_loads(self, force: Tensor, touch: float, load: Tensor, in_contact: Tensor) -> None:
        """See `Ops`."""
        torch.sqrt((force * force).sum(-1), out=load)
        torch.gt(load, touch, out=in_contact)

    def countdown(self, time_left: Tensor, dt: float) -> Found:
        """See `Ops`."""
        return time_left.sub_(dt) <= 0.0, None

    def end_episodes(self, reasons: Tensor, failures: int, terminated: Tensor, truncated: Tensor) -> Found:
        """See `Ops`."""
        ended = reasons.any(0)
        torch.any(reasons[:failures], 0, out=terminated).logical_or_(reasons[-1])
        torch.gt(ended, terminated, out=truncated)
        return ended, None

    def log_step(self, values: Tensor, weights: Tensor, total: Tensor, sums: Tensor, now: Tensor) -> None:
        """See `Ops`."""
        sums.addcmul_(values, weights.unsqueeze(1))
        now[2].add_(total)
        now[3].add_(1.0)

    def log_ends(
        self, worlds: Chosen, terminated: Tensor, reasons: Tensor, now: Tensor, counts: Tensor, ended: Tensor
    ) -> None:
        """See `Ops`."""
        mask = worlds.mask
        now[1].copy_(terminated)
        counts += (reasons & mask).sum(1)
        ended += (now * mask).sum(1)
        now[1:].masked_fill_(mask, 0.0)

    def weighted_sum(
        self, values: Tensor, weights: Tensor, dt: float, unstable: Tensor, total: Tensor, non_finite: Tensor
    ) -> bool:
        """See `Ops`."""
        non_finite += (values.isfinite() | unstable).logical_not_().sum(1)
        values.nan_to_num_(0.0, 0.0, 0.0)
        torch.mv(values.T, weights * dt, out=total).masked_fill_(unstable, 0.0)
        return False

    def reflect(self, values: Tensor, active: Tensor, sources: Tensor, signs: Tensor) -> None:
        """See `Ops`."""
        image = values.index_select(1, sources).mul_(signs)
        torch.where(active, image, values, out=values)

    def add_noise(self, values: Tensor, scale: Tensor, seed: Tensor, generator: torch.Generator) -> None:
        """See `Ops`."""
        values.addcmul_(torch.empty_like(values).uniform_(-1.0, 1.0, generator=generator), scale)


def matrix_from_quat(quat: Tensor) -> Tensor:
    """Rotation matrices, shape (..., 3, 3), of quaternions, shape (..., 4): from the body's frame to the world's."""
    w, x, y, z = quat.unbind(-1)
    rows = (
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
