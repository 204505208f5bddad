"""Which parts touch something, and since when."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env.buffers import Buffers
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake
from mjsdk.ops.protocol import Ops

TOUCH = 1.0
"""Force above which a part counts as touching [N]."""


class ContactState:
    """What the `F` parts that carry a contact sensor touch, updated once per step."""

    def __init__(self, name: str, force: Tensor, buffers: Buffers, ops: Ops, track_air_time: bool = True) -> None:
        self.force_w = force
        """Net force on each part from what it touches [N], world frame, shape (E, F, 3)."""
        shape = force.shape[:2]
        self.load = buffers.new(f"contact/{name}/load", *shape)
        """Size of that force [N], shape (E, F)."""
        self.in_contact = buffers.new(f"contact/{name}/in_contact", *shape, dtype=torch.bool)
        """Whether each part touches something, shape (E, F)."""
        self._name = name
        self._measure = ops.prepared(ops.contact_loads, force, TOUCH, self.load, self.in_contact)
        self._flights = Flights(name, self.in_contact, buffers) if track_air_time else None

    @property
    def flights(self) -> Flights:
        """Times of each part in the air and on the ground. Raises `ConfigError` if the settings do not ask for it."""
        if self._flights is None:
            path = f"env.scene.sensors.{self._name}.track_air_time"
            raise ConfigError([Mistake(path, "must be true for terms that read times in the air or on the ground")])
        return self._flights

    def update(self, dt: float) -> None:
        """Take in the readings after a step of `dt` seconds."""
        self._measure()
        if self._flights is not None:
            self._flights.update(dt)

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds; what touches now, touches from the start."""
        self._measure()
        if self._flights is not None:
            self._flights.reset(worlds)


class Flights:
    """Time in the air and on the ground."""

    def __init__(self, name: str, in_contact: Tensor, buffers: Buffers) -> None:
        self._in_contact = in_contact
        shape = in_contact.shape
        self._before = buffers.new(f"contact/{name}/before", *shape, dtype=torch.bool)
        self.first_contact = buffers.new(f"contact/{name}/first_contact", *shape, dtype=torch.bool)
        """Whether each part touched down in this step, shape (E, F)."""
        self._times = buffers.new(f"contact/{name}/times", 3, *shape)
        self.air_time, self.contact_time, self.last_air_time = self._times
        """Time since each part left the ground, since it touched down, and length of its last flight [s], shape (E, F)
        each; the first two are 0 while the part is on the ground or in the air."""

    def update(self, dt: float) -> None:
        """Advance by `dt` seconds."""
        torch.logical_and(self._in_contact, ~self._before, out=self.first_contact)
        self._times[:2] += dt
        torch.where(self.first_contact, self.air_time, self.last_air_time, out=self.last_air_time)
        self._times[:2] *= torch.stack((~self._in_contact, self._in_contact))
        self._before.copy_(self._in_contact)

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""
        for tensor in (*self._times, self.first_contact):
            worlds.fill(tensor, 0.0)
        self._before.copy_(self._in_contact)
