"""What managers ask of an implementation. `E` is the number of worlds; results are written in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
Found = tuple[Tensor | None, Tensor | None]
"""Some worlds: a mask, bool, shape (E,), or their numbers, shape (n,), from who knows these without asking a device."""


class Chosen(Protocol):
    """Some worlds, for who wants either."""

    @property
    def mask(self) -> Tensor:
        """Which they are, bool, shape (E,)."""
        ...

    @property
    def ids(self) -> Tensor:
        """Their numbers, shape (n,)."""
        ...


class Ops(Protocol):
    """Operations on tensors of all worlds."""

    def version_of(self, term: Any) -> Any:
        """What makes, of an environment and parameters, what is called instead of a term; none if nothing is."""
        ...

    def prepared(self, operation: Callable[..., T], *args: Any) -> Callable[..., T]:
        """One of the operations below with its first arguments, for calls in every step: tensors whose memory stays."""
        ...

    def numbers(self, mask: Tensor) -> Tensor | None:
        """Numbers of the worlds of a mask, shape (n,), where that does not mean to wait for a device."""
        ...

    def base_motion(self, pose: Tensor, velocity: Tensor, gravity_w: Tensor, out: Tensor) -> None:
        """How free bases move, in the frames that terms ask for.

        Args:
            pose: Position [m] and orientation (wxyz), world frame, shape (E, 7).
            velocity: Linear, world frame [m/s], and angular, base frame [rad/s], shape (E, 6).
            gravity_w: Direction of gravity, world frame, shape (3,).
            out: Direction of gravity and against the world's z axis, base frame; velocity in the base frame [m/s], and
                its horizontal part in the frame of the heading; yaw rate [rad/s]: shape (E, 3 + 3 + 3 + 2 + 1).
        """
        ...

    def contact_loads(self, force: Tensor, touch: float, load: Tensor, in_contact: Tensor) -> None:
        """Size of each force [N], shape (E, F, 3) to (E, F), and whether it is above `touch`."""
        ...

    def countdown(self, time_left: Tensor, dt: float) -> Found:
        """Take `dt` from timers [s], shape (E,); the worlds whose timer has expired."""
        ...

    def end_episodes(self, reasons: Tensor, failures: int, terminated: Tensor, truncated: Tensor) -> Found:
        """Which worlds failed and whose time is up instead, shape (E,) each, by `reasons`, shape (reasons, E).

        The first `failures` reasons and the last one are failures. The worlds that did either are given.
        """
        ...

    def log_step(self, values: Tensor, weights: Tensor, total: Tensor, sums: Tensor, now: Tensor) -> None:
        """Add weight x value to `sums`, shape (rows, E), `total` and 1 to return and length in `now`, shape (4, E)."""
        ...

    def log_ends(
        self, worlds: Chosen, terminated: Tensor, reasons: Tensor, now: Tensor, counts: Tensor, ended: Tensor
    ) -> None:
        """Add the episodes of some worlds to the sums of those that ended, and begin new ones.

        `now`, shape (4, E): 1, whether it failed, return, length; summed to `ended`, shape (4,). `reasons`, shape
        (reasons, E), are summed to `counts`, shape (reasons,).
        """
        ...

    def weighted_sum(
        self, values: Tensor, weights: Tensor, dt: float, unstable: Tensor, total: Tensor, non_finite: Tensor
    ) -> bool:
        """`total`, shape (E,), of weight x value x dt over rows of `values`, shape (rows, E); none in unstable worlds.

        A value that is not finite counts as 0. Where the world is stable it is counted in `non_finite`, shape (rows,).

        Returns:
            Whether there was one of these, if that is known without asking the device.
        """
        ...

    def reflect(self, values: Tensor, active: Tensor, sources: Tensor, signs: Tensor) -> None:
        """Replace rows, shape (E, D), by their mirror images in the worlds that are `active`, shape (E, 1)."""
        ...

    def add_noise(self, values: Tensor, scale: Tensor, seed: Tensor, generator: torch.Generator) -> None:
        """Add uniform noise up to `scale`, shape (D,), either way, by `generator` or by `seed`, shape (1,)."""
        ...
