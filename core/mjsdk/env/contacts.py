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
        self.air_time = buffers.new(f"contact/{name}/air_time", *shape)
        """Time since each part left the ground, 0 while it touches [s], shape (E, F)."""
        self.contact_time = buffers.new(f"contact/{name}/contact_time", *shape)
        """Time since each part touched down, 0 while in the air [s], shape (E, F)."""
        self.last_air_time = buffers.new(f"contact/{name}/last_air_time", *shape)
        """Length of each part's last flight [s], shape (E, F)."""

    def update(self, dt: float) -> None:
        """Take in the readings after a step of `dt` seconds."""
        torch.sqrt(self.force_w.square().sum(-1), out=self.load)
        touching = self.load > TOUCH
        torch.logical_and(touching, ~self.in_contact, out=self.first_contact)
        self.last_air_time.copy_(torch.where(self.first_contact, self.air_time + dt, self.last_air_time))
        self.air_time.add_(dt).mul_(~touching)
        self.contact_time.add_(dt).mul_(touching)
        self.in_contact.copy_(touching)

    def reset(self, ids: Tensor) -> None:
        """Forget the past of the worlds `ids`; what touches now, touches from the start."""
        for tensor in (self.first_contact, self.air_time, self.contact_time, self.last_air_time):
            tensor[ids] = 0
        self.load[ids] = self.force_w[ids].norm(dim=-1)
        self.in_contact[ids] = self.load[ids] > TOUCH
