"""What all backends check of fields, and how they write rows."""

from __future__ import annotations

from collections.abc import Mapping

import mujoco
import torch
from torch import Tensor

from mjsdk.errors import PhysicsError, listing
from mjsdk.physics.protocol import INTEGRATED, Worlds

MASSES = ("body_mass", "body_inertia")
"""Fields of bodies that must be above 0 where they are."""


def state_columns(field: str, size: int, start: int = 0, width: int = 0) -> slice:
    """Columns of a state field of `size` numbers: all, or `width` from `start` on. Refuses what does not fit."""
    if field not in INTEGRATED:
        raise PhysicsError(f"'{field}' cannot be written. Legal: {listing(INTEGRATED)}")
    part = slice(start, start + width) if width else slice(0, size)
    if not 0 <= part.start <= part.stop <= size:
        raise PhysicsError(f"{width} columns from {start} on do not fit '{field}', which has {size}")
    return part


def put(target: Tensor, rows: Tensor, worlds: Worlds | None) -> None:
    """Copy rows to their places in `target`, shape (E, ...), or one to all of them."""
    if worlds is None:
        target.copy_(rows)
    else:
        worlds.write(target, rows)


class Masses:
    """Masses and inertias, which events may change, but not down to 0."""

    def __init__(self, model: mujoco.MjModel, device: str) -> None:
        self._model = model
        self._above_zero = {name: torch.from_numpy(getattr(model, name) > 0.0).to(device) for name in MASSES}

    def lacking(self, fields: Mapping[str, Tensor]) -> Tensor | None:
        """Whether one of them is not above 0 any more in any world, shape (); none if they are nobody's own."""
        wrong = [self._wrong(name, fields[name]).any() for name in MASSES if name in fields]
        return torch.stack(wrong).any() if wrong else None

    def refuse(self, fields: Mapping[str, Tensor]) -> None:
        """Raise `PhysicsError` for one that is not above 0 any more. It waits for a device."""
        for name in set(MASSES) & set(fields):
            wrong = self._wrong(name, fields[name])
            if wrong.any():
                world, number, *_ = wrong.nonzero()[0].tolist()
                body, what = self._model.body(number).name, name.removeprefix("body_")
                raise PhysicsError(
                    f"the {what} of body '{body}' is {fields[name][world, number].tolist()} in world {world}, and must "
                    "be above 0: an event takes too much of it away"
                )

    def _wrong(self, name: str, values: Tensor) -> Tensor:
        return (values > 0.0).logical_not_() & self._above_zero[name]
