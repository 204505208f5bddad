"""What the environment asks of a physics backend."""

from __future__ import annotations

from typing import Protocol

import mujoco
from torch import Tensor

from mjsdk.ops.protocol import Chosen

INTEGRATED = ("time", "qpos", "qvel", "qacc_warmstart", "ctrl")
"""State fields that `write` can set."""


class Worlds(Chosen, Protocol):
    """Some of the worlds, with rows of numbers for them: see `mjsdk.env.worlds.Worlds`."""

    def take(self, source: Tensor) -> Tensor:
        """A row of `source`, shape (E, ...), for each of them."""
        ...

    def write(self, target: Tensor, rows: Tensor) -> None:
        """Copy these rows to their places in `target`, shape (E, ...)."""
        ...


class Physics(Protocol):
    """All worlds of one model, stepped together. `E` is the number of worlds.

    After `step`, derived fields (positions of bodies and sites, sensors, forces) belong to the state before the last
    physics step, as with `mj_step`; `qpos` and `qvel` are current. After `forward` everything is current.
    """

    name: str
    model: mujoco.MjModel
    num_envs: int
    device: str
    threads: int
    """CPU threads that step the worlds."""

    @property
    def seconds(self) -> float:
        """Wall time spent in `step` so far [s]. Reading it may mean to wait for the device."""
        ...

    def bind(self, field: str) -> Tensor:
        """A field of MjData for all worlds, shape (E, ...), float32, filled in place by every call below. Read only."""
        ...

    def write(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """Set one of `INTEGRATED` for some worlds or all; a row of shape (k,) for each.

        The k columns from `start` on are set, the others stay.
        """
        ...

    def start_state(self, field: str) -> Tensor:
        """What one of `INTEGRATED` is after `reset` in each world, shape (E, n), in its own precision. Read only."""
        ...

    def write_start(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """Set it, likewise: the model's initial state unless somebody does."""
        ...

    def step(self, count: int = 1) -> None:
        """Take `count` physics steps in every world."""
        ...

    def reset(self, worlds: Worlds) -> None:
        """Put some worlds back to their start states, without computing derived fields: `forward` does."""
        ...

    def forward(self, worlds: Worlds | None = None) -> None:
        """Compute derived fields from the state of some worlds or all; those of other worlds stay as they are."""
        ...

    def expand(self, field: str) -> Tensor:
        """A field of MjModel with its own values in every world, shape (E, ...), float32, writable in place."""
        ...

    def set_const(self, worlds: Worlds | None = None) -> None:
        """Recompute constants that follow from expanded fields, such as `body_subtreemass`.

        Raises `PhysicsError` for masses and inertias that are not above 0 any more, at once or in `report`.
        """
        ...

    def unstable(self) -> Tensor:
        """Worlds that became unstable since the last call and were reset, bool, shape (E,)."""
        ...

    def report(self) -> None:
        """Warn of what went wrong in steps since the last call, or raise. It may mean to wait for the device."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that `load_state_dict` needs to resume exactly."""
        ...

    def load_state_dict(self, state: dict[str, Tensor], *, derived: bool = True) -> None:
        """Resume from `state_dict`. Without `derived`, derived fields stay as they are: enough for who only steps."""
        ...


def below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The part of a state whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
