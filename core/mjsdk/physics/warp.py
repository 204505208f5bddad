"""MuJoCo Warp: thousands of worlds on a GPU; on a CPU, slowly, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import mujoco
import torch
from torch import Tensor

from mjsdk.device import Stopwatch
from mjsdk.errors import PhysicsError, one_line
from mjsdk.physics.capacity import Overflow, sizes_of
from mjsdk.physics.fields import Masses, put, state_columns
from mjsdk.physics.graphs import Graphs, loops_in_graphs
from mjsdk.physics.protocol import INTEGRATED, Worlds, below
from mjsdk.physics.warp_runtime import warp_modules

_REST_OF_STATE = (
    *("act", "qfrc_applied", "xfrc_applied", "eq_active", "mocap_pos", "mocap_quat", "userdata", "history"),
    "overflow",
)
"""State besides `INTEGRATED`."""
_CONSTANTS = (
    *("body_subtreemass", "body_invweight0", "dof_invweight0", "tendon_invweight0", "tendon_length0"),
    *("actuator_acc0", "actuator_biasprm", "eq_data", "stat.meaninertia"),
    *("cam_pos0", "cam_poscom0", "cam_mat0", "light_pos0", "light_poscom0", "light_dir0"),
)
"""Fields that `set_const` computes. It writes as many rows as a field has, so each of them needs one per world."""
_FARTHEST = 1e10
"""Positions, velocities and accelerations beyond this are unstable (mjMAXVAL of MuJoCo)."""


class WarpPhysics:
    """Worlds in the memory of MuJoCo Warp, which tensors are views of. See `Physics`.

    Whatever it computes, it computes in all worlds. Derived fields that must stay as they are in some are put back.
    """

    name = "warp"
    threads = 1

    def __init__(self, model: mujoco.MjModel, num_envs: int, device: str, nconmax: int = 0, njmax: int = 0) -> None:
        """Build the worlds, in the model's initial state.

        Args:
            model: The model, with a keyframe `initial`.
            num_envs: Number of worlds E.
            device: Device of Warp and torch: `cpu`, `cuda:0`.
            nconmax: Memory for contacts per world; 0 for what the model needs. See `capacity.Sizes`.
            njmax: Memory for rows of the solver per world, likewise.
        """
        self.model, self.num_envs, self.device = model, num_envs, device
        self._wp, self._mjw = warp_modules()
        self._graphs, self._stopwatch = Graphs(device), Stopwatch(device)
        self._bound: dict[str, Tensor] = {}
        self._kept: dict[str, Tensor] = {}
        self._own: dict[str, Tensor] = {}
        self._own_starts: set[str] = set()
        with self._allocating():
            self._allocate(nconmax, njmax)
        self._reset_to_keyframe(~self._nobody)
        self._initial_state = {field: values[:1].clone() for field, values in self._state.items()}
        self._start = {field: values.expand(num_envs, -1) for field, values in self._initial_state.items()}
        self.forward()

    @contextmanager
    def _allocating(self) -> Iterator[None]:
        """What is made here is on the device, and may be written to at any time."""
        with self._wp.ScopedDevice(self.device), torch.inference_mode(False), torch.device(self.device):
            yield

    def _allocate(self, nconmax: int, njmax: int) -> None:
        self._m = self._put_model()
        pairs = self._m.nxn_geom_pair_filtered.numpy().reshape(-1, 2)
        self.sizes = sizes_of(self.model, pairs[(pairs >= 0).all(1)], nconmax, njmax)
        count = self.num_envs
        self._d = self._mjw.make_data(self.model, count, nconmax=self.sizes.nconmax, njmax=self.sizes.njmax)
        self._state = {field: _rows(self._view(getattr(self._d, field))) for field in INTEGRATED}
        moving = (self._view(getattr(self._d, field)) for field in ("qpos", "qvel", "qacc"))
        self._moving = [values for values in moving if values.numel()]
        watched = (self._view(getattr(self._d, field)) for field in ("overflow", "ncollision", "nefc"))
        self.overflow = Overflow(self.sizes, self._mjw.OverflowType, *watched)
        """What did not fit into memory."""
        key = self.model.key("initial").id
        self._key = self._wp.full(count, -1, dtype=int)
        self._keys, self._initial, self._none = self._view(self._key), *torch.tensor([[key], [-1]], dtype=torch.int32)
        self._nobody, self._unstable, self._reported = torch.zeros(3, count, dtype=torch.bool)
        self._masses, self._lacks_mass = Masses(self.model, self.device), torch.tensor(False)

    def _put_model(self) -> Any:
        try:
            made = self._mjw.put_model(self.model)
        except (NotImplementedError, ValueError) as error:
            raise PhysicsError(
                f"MuJoCo Warp cannot simulate this model: {one_line(str(error))}. Change the model or the settings of "
                "env.sim, or use --physics cpu"
            ) from error
        made.opt.warn_overflow = 0  # it prints a line per world and step, from the device; `report` sums up
        made.opt.graph_conditional = loops_in_graphs(self.device)
        return made

    def _view(self, array: Any) -> Tensor:
        """The memory of an array of Warp as a tensor."""
        if 0 in array.shape:
            return torch.zeros(array.shape, device=self.device)
        with torch.inference_mode(False):
            view: Tensor = self._wp.to_torch(array)
        return view

    @property
    def seconds(self) -> float:
        """See `Physics.seconds`."""
        return self._stopwatch.seconds

    def bind(self, field: str) -> Tensor:
        """See `Physics.bind`."""
        if field not in self._bound:
            array = getattr(self._d, field, None)
            if not isinstance(array, self._wp.array) or array.shape[:1] != (self.num_envs,):
                raise PhysicsError(f"MuJoCo Warp has no field '{field}' with a row per world")
            self._bound[field] = self._view(array)
            if field not in INTEGRATED:
                with torch.inference_mode(False):
                    self._kept[field] = torch.empty_like(self._bound[field])
        return self._bound[field]

    def write(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """See `Physics.write`."""
        put(self._columns(self._state, field, start, rows.shape[-1]), rows, worlds)

    def start_state(self, field: str) -> Tensor:
        """See `Physics.start_state`."""
        return self._columns(self._start, field)

    def write_start(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """See `Physics.write_start`."""
        self._columns(self._start, field, start, rows.shape[-1])
        if field not in self._own_starts:
            self._start[field] = self._start[field].clone(memory_format=torch.contiguous_format)
            self._own_starts.add(field)
        put(self._columns(self._start, field, start, rows.shape[-1]), rows, worlds)

    def _columns(self, of: dict[str, Tensor], field: str, start: int = 0, width: int = 0) -> Tensor:
        size = of[field].shape[1] if field in of else 0
        columns = state_columns(field, size, start, width)
        return of[field][:, columns]

    def step(self, count: int = 1) -> None:
        """See `Physics.step`."""
        with self._stopwatch:
            self._graphs.run(f"step {count}", lambda: self._take_steps(count))
        self.overflow.note()
        self._end_unstable()

    def _take_steps(self, count: int) -> None:
        for _ in range(count):
            self._mjw.step(self._m, self._d)

    def _end_unstable(self) -> None:
        """Put worlds that blew up back to the initial state, as MuJoCo does; nothing of them is left to spoil sums."""
        stable = torch.stack([values.abs().amax(1) < _FARTHEST for values in self._moving]).all(0)
        unstable = ~stable
        self._unstable.logical_or_(unstable)
        self._reset_to_keyframe(unstable)
        for field in self._kept:
            self._bound[field].masked_fill_(_like(self._bound[field], unstable), 0)

    def unstable(self) -> Tensor:
        """See `Physics.unstable`."""
        self._reported.copy_(self._unstable)
        self._unstable.zero_()
        return self._reported

    def reset(self, worlds: Worlds) -> None:
        """See `Physics.reset`."""
        self._reset_to_keyframe(worlds.mask)
        for field in self._own_starts:
            worlds.write(self._state[field], worlds.take(self._start[field]))

    def _reset_to_keyframe(self, mask: Tensor) -> None:
        torch.where(mask, self._initial, self._none, out=self._keys)
        self._graphs.run("reset", lambda: self._mjw.reset_data_keyframe(self._m, self._d, self._key))

    def forward(self, worlds: Worlds | None = None) -> None:
        """See `Physics.forward`."""
        with self._changing(None if worlds is None else worlds.mask):
            self._graphs.run("forward", lambda: self._mjw.forward(self._m, self._d))

    @contextmanager
    def _changing(self, mask: Tensor | None) -> Iterator[None]:
        """Put bound derived fields of other worlds back, unless it is all that change."""
        if mask is None or not self._kept:
            yield
            return
        now, before = [self._bound[field] for field in self._kept], [*self._kept.values()]
        torch._foreach_copy_(before, now)
        yield
        for values, old in zip(now, before, strict=True):
            torch.where(_like(values, mask), values, old, out=values)

    def expand(self, field: str) -> Tensor:
        """See `Physics.expand`."""
        if field not in self._own:
            kind = type(self._m).__dataclass_fields__.get(field)
            if kind is None or getattr(kind.type, "shape", ("",))[0] != "*":
                raise PhysicsError(f"MuJoCo Warp has no field '{field}' that may differ between worlds")
            self._own[field] = self._with_rows(field)
        return self._own[field]

    def _with_rows(self, field: str) -> Tensor:
        """A field of the model with a row for each world from now on."""
        path, _, name = field.rpartition(".")
        holder = attrgetter(path)(self._m) if path else self._m
        array = getattr(holder, name)
        with self._allocating():
            view = self._view(array)
            rows = view[:1].expand(self.num_envs, *view.shape[1:]).clone(memory_format=torch.contiguous_format)
            setattr(holder, name, self._wp.from_torch(rows, dtype=array.dtype))
        self._graphs.discard()
        return rows

    def set_const(self, worlds: Worlds | None = None) -> None:
        """See `Physics.set_const`. What is not above 0 is reported by `report`."""
        lacking = self._masses.lacking(self._own)
        if lacking is not None:
            self._lacks_mass.logical_or_(lacking)
        for field in _CONSTANTS:
            if field not in self._own and attrgetter(field)(self._m).size:
                self._own[field] = self._with_rows(field)
        with self._changing(self._nobody):
            self._graphs.run("set_const", lambda: self._mjw.set_const(self._m, self._d))

    def report(self) -> dict[str, float]:
        """See `Physics.report`: in how many worlds something was lost, by what was, once any was."""
        if self._lacks_mass:
            self._lacks_mass.fill_(False)
            self._masses.refuse(self._own)
        return {f"overflow/{what.replace(' ', '_')}": float(count) for what, count in self.overflow.report().items()}

    def contact_counts(self) -> Tensor:
        """Contacts of each world in the last step, shape (E,). It waits for the device."""
        there = min(int(self._d.nacon.numpy()[0]), self._d.naconmax)
        return torch.bincount(self._view(self._d.contact.worldid)[:there], minlength=self.num_envs)

    def state_dict(self) -> dict[str, Tensor]:
        """See `Physics.state_dict`."""
        state = {f"model/{field}": values.clone() for field, values in self._own.items()}
        state |= {f"bound/{field}": self._bound[field].clone() for field in self._kept}
        state |= {f"start/{field}": self._start[field].clone() for field in self._own_starts}
        state |= {f"state/{field}": values.clone() for field, values in self._state.items()}
        return state | {f"state/{field}": self._view(getattr(self._d, field)).clone() for field in _REST_OF_STATE}

    def load_state_dict(self, state: dict[str, Tensor], *, derived: bool = True) -> None:
        """See `Physics.load_state_dict`. Derived fields are restored as they were, lag included."""
        for field, values in below(state, "model/").items():
            if field not in self._own:
                self._own[field] = self._with_rows(field)
            self._own[field].copy_(values)
        for field, values in below(state, "state/").items():
            (self._state[field] if field in self._state else self._view(getattr(self._d, field))).copy_(values)
        starts = below(state, "start/")
        self._own_starts = set(starts)
        for field, values in self._initial_state.items():
            self._start[field] = starts[field].clone() if field in starts else values.expand(self.num_envs, -1)
        if derived:
            self.forward()
            for field, values in below(state, "bound/").items():
                self.bind(field).copy_(values)


def _rows(values: Tensor) -> Tensor:
    """A field as a row of numbers for each world, shape (E, n)."""
    return values.unsqueeze(1) if values.ndim == 1 else values.flatten(1)


def _like(values: Tensor, mask: Tensor) -> Tensor:
    """A mask, shape (E,), with as many dimensions as the values of worlds have."""
    return mask.view(-1, *[1] * (values.ndim - 1))
