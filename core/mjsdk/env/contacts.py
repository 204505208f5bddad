"""Which feet touch the ground, and since when."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env.buffers import Buffers

TOUCH = 1.0
"""Force above which a part counts as touching [N]."""


class ContactState:
    """Time in the air and on the ground of the `F` parts that carry a contact sensor, updated once per step."""

    def __init__(self, name: str, force: Tensor, buffers: Buffers) -> None:
        self.force_w = force
        """Net force on each part from what it touches [N], world frame, shape (E, F, 3)."""
        shape = force.shape[:2]
        self.load = buffers.new(f"contact/{name}/load", *shape)
        """Size of that force [N], shape (E, F)."""
        self.in_contact = buffers.new(f"contact/{name}/in_contact", *shape, dtype=torch.bool)
        """Whether each part touches something, shape (E, F)."""
        self.first_contact = buffers.new(f"contact/{name}/first_contact", *shape, dtype=torch.bool)
        """Whether each part touched down in this step, shape (E, F)."""
        times = buffers.new(f"contact/{name}/times", 3, *shape)
        self._times = times
        self.air_time = times[0]
        """Time since each part left the ground, 0 while it touches [s], shape (E, F)."""
        self.contact_time = times[1]
        """Time since each part touched down, 0 while in the air [s], shape (E, F)."""
        self.last_air_time = times[2]
        """Length of each part's last flight [s], shape (E, F)."""

    def update(self, dt: float) -> None:
        """Take in the readings after a step of `dt` seconds."""
        was_in_air = ~self.in_contact
        self._measure()
        torch.logical_and(self.in_contact, was_in_air, out=self.first_contact)
        self._times[:2] += dt
        torch.where(self.first_contact, self.air_time, self.last_air_time, out=self.last_air_time)
        self._times[:2] *= torch.stack((~self.in_contact, self.in_contact))

    def reset(self, ids: Tensor) -> None:
        """Forget the past of the worlds `ids`; what touches now, touches from the start."""
        self._times.index_fill_(1, ids, 0.0)
        self.first_contact.index_fill_(0, ids, False)
        self._measure()

    def _measure(self) -> None:
        torch.sqrt(self.force_w.square().sum(-1), out=self.load)
        torch.gt(self.load, TOUCH, out=self.in_contact)
