"""Native MuJoCo on all cores, by mjbatch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import importlib_metadata
import mujoco
import numpy as np
import torch
from torch import Tensor

from mjsdk import ops
from mjsdk.errors import PhysicsError, one_line
from mjsdk.ops import loops
from mjsdk.physics.fields import Masses, put, state_columns
from mjsdk.physics.protocol import Worlds, below
from mjsdk.runtime import available_threads

_STATE = {
    "time": mujoco.mjtState.mjSTATE_TIME,
    "qpos": mujoco.mjtState.mjSTATE_QPOS,
    "qvel": mujoco.mjtState.mjSTATE_QVEL,
    "qacc_warmstart": mujoco.mjtState.mjSTATE_WARMSTART,
    "ctrl": mujoco.mjtState.mjSTATE_CTRL,
}
_UNSTABLE = [
    int(mujoco.mjtWarning.mjWARN_BADQPOS),
    int(mujoco.mjtWarning.mjWARN_BADQVEL),
    int(mujoco.mjtWarning.mjWARN_BADQACC),
    int(mujoco.mjtWarning.mjWARN_BADCTRL),
]
_LACKING = [
    int(mujoco.mjtWarning.mjWARN_INERTIA),
    int(mujoco.mjtWarning.mjWARN_CONTACTFULL),
    int(mujoco.mjtWarning.mjWARN_CNSTRFULL),
]
"""Warnings of MuJoCo about a model that asks for more than it simulates."""
_log = logging.getLogger(__name__)


def check_mjbatch() -> None:
    """Refuse the look-alike `mjbatch-uni`, which installs the same import name, and a missing mjbatch."""
    if _installed("mjbatch-uni"):
        raise PhysicsError(
            "the package 'mjbatch-uni' is installed; it provides the import name of 'mjbatch' and is something else. "
            "Run: pip uninstall mjbatch-uni && pip install --force-reinstall mjbatch"
        )
    if not _installed("mjbatch"):
        raise PhysicsError(
            "the package 'mjbatch', which steps worlds on the CPU, is not installed. Run: pip install mjbatch"
        )


def _installed(distribution: str) -> bool:
    try:
        importlib_metadata.distribution(distribution)
    except importlib_metadata.PackageNotFoundError:
        return False
    return True


class CpuPhysics:
    """Worlds in one array of states, stepped by a pool of C++ threads with the GIL released.

    mjbatch keeps each world as a row of MuJoCo's integration state in float64. Bound fields are float32 arrays that it
    fills after each call. It takes over what was written to a bound state field only where it changed, so `write`
    goes to the row itself and to the bound array alike.
    """

    name = "cpu"
    device = "cpu"

    def __init__(self, model: mujoco.MjModel, num_envs: int, threads: int = 0) -> None:
        check_mjbatch()
        import mjbatch

        _quiet_mujoco()
        self.model = model
        self.num_envs = num_envs
        self._batch = mjbatch.Batch(model, num_envs, min(threads or available_threads(), num_envs))
        self.threads = self._batch.num_threads
        self._state = torch.from_numpy(self._batch.bind("state"))
        self._columns = _columns(model)
        self._bound: dict[str, Tensor] = {}
        self._expanded: dict[str, Tensor] = {}
        self._writers: dict[tuple[str, int, int], Callable[[Tensor, Worlds | None], None]] = {}
        self._restorers: list[tuple[slice, Callable[..., None]]] = []
        self._has_own_constants = False
        self._masses = Masses(model, self.device)
        self._warned: set[int] = set()
        self._warnings = self._batch.bind("warning")
        self._unstable, self._any_unstable = torch.zeros(num_envs, dtype=torch.bool), False
        self._seconds = 0.0
        _run(self._batch.reset, keyframe=mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_KEY, "initial"))
        self._initial = self._state[:1].clone()
        self._start = self._initial.expand(num_envs, -1)
        self._has_own_start = False

    @property
    def seconds(self) -> float:
        """See `Physics.seconds`."""
        return self._seconds

    def bind(self, field: str) -> Tensor:
        """See `Physics.bind`."""
        if field not in self._bound:
            with torch.inference_mode(False):  # A term may be the first to ask, and loading a state writes later.
                self._bound[field] = torch.from_numpy(self._call("bind", field, np.float32))
                self._writers.clear()
                self._restorers.clear()
            self._fill(field)
        return self._bound[field]

    def write(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """See `Physics.write`."""
        key = (field, start, rows.shape[-1])
        if key not in self._writers:
            self._writers[key] = _writer(self._places(*key))
        self._writers[key](rows, worlds)

    def start_state(self, field: str) -> Tensor:
        """See `Physics.start_state`."""
        return self._start[:, self._column(field)]

    def write_start(self, field: str, rows: Tensor, worlds: Worlds | None = None, start: int = 0) -> None:
        """See `Physics.write_start`."""
        columns = self._column(field, start, rows.shape[-1])
        if not self._has_own_start:
            self._start, self._has_own_start = self._start.clone(memory_format=torch.contiguous_format), True
        put(self._start[:, columns], rows, worlds)

    def _column(self, field: str, start: int = 0, width: int = 0) -> slice:
        """Where a state field stands in a row; `width` columns of it from `start` on, if these are given."""
        whole = self._columns.get(field, slice(0, 0))
        part = state_columns(field, whole.stop - whole.start, start, width)
        return slice(whole.start + part.start, whole.start + part.stop)

    def _places(self, field: str, start: int, width: int) -> list[Tensor]:
        """Where columns of a state field are kept: in the rows of states, and in the bound array if there is one."""
        places = [self._state[:, self._column(field, start, width)]]
        if field in self._bound:
            places.append(self._bound[field].view(self.num_envs, -1)[:, start : start + width])
        return places

    def step(self, count: int = 1) -> None:
        """See `Physics.step`."""
        begin = time.perf_counter()
        _run(self._batch.step, nstep=count)
        self._seconds += time.perf_counter() - begin

    def reset(self, worlds: Worlds) -> None:
        """See `Physics.reset`."""
        rows = worlds.take(self._start) if self._has_own_start else self._initial
        if not self._restorers:
            self._restorers = [(columns, _restorer(values)) for columns, values in self._kept_states()]
        for columns, restore in self._restorers:
            restore(worlds, rows[:, columns])

    def _kept_states(self) -> Iterator[tuple[slice, Tensor]]:
        """All memory that states are kept in, shape (E, n), each with its columns of a row."""
        yield slice(None), self._state
        for field, columns in self._columns.items():
            if field in self._bound:
                yield columns, self._bound[field].view(self.num_envs, -1)

    def forward(self, worlds: Worlds | None = None) -> None:
        """See `Physics.forward`."""
        _run(self._batch.forward, None if worlds is None else worlds.ids.numpy())

    def expand(self, field: str) -> Tensor:
        """See `Physics.expand`."""
        if field not in self._expanded:
            with torch.inference_mode(False):
                self._expanded[field] = torch.from_numpy(self._call("expand", field, np.float32))
        return self._expanded[field]

    def set_const(self, worlds: Worlds | None = None) -> None:
        """See `Physics.set_const`."""
        self._masses.refuse(self._expanded)
        _run(self._batch.set_const, None if worlds is None else worlds.ids.numpy())
        self._has_own_constants = True

    def unstable(self) -> Tensor:
        """See `Physics.unstable`."""
        if not np.count_nonzero(self._warnings):
            if self._any_unstable:
                self._any_unstable = False
                self._unstable.zero_()
            return self._unstable
        counts = self._warnings if self._warnings.ndim == 2 else self._warnings[..., -1]
        self._warn_once(counts)
        unstable = counts[:, _UNSTABLE].any(axis=1)
        # MuJoCo's own reset clears the counters before it counts, so a second time looks like the first: start from 0.
        self._warnings[unstable] = 0
        self._any_unstable = True
        return self._unstable.copy_(torch.from_numpy(unstable))

    def _warn_once(self, counts: np.ndarray) -> None:
        """Log MuJoCo's warnings that are not about a world that blew up, each when it first appears."""
        for kind in set(_LACKING) - self._warned:
            worlds = np.flatnonzero(counts[:, kind])
            if len(worlds):
                self._warned.add(kind)
                text = mujoco.mju_warningText(kind, int(self._warnings[worlds[0], kind].flat[0]))
                _log.warning("MuJoCo warns in %d of %d worlds: %s", len(worlds), self.num_envs, text)

    def report(self) -> dict[str, float]:
        """See `Physics.report`: here all is said at once."""
        return {}

    def state_dict(self) -> dict[str, Tensor]:
        """See `Physics.state_dict`."""
        state = {f"model/{field}": values.clone() for field, values in self._expanded.items()}
        state |= {f"bound/{field}": values.clone() for field, values in self._bound.items()}
        if self._has_own_start:
            state["start"] = self._start.clone()
        return state | {"state": self._state.clone(), "has_own_constants": torch.tensor(self._has_own_constants)}

    def load_state_dict(self, state: dict[str, Tensor], *, derived: bool = True) -> None:
        """See `Physics.load_state_dict`. Derived fields are restored as they were, lag included.

        The states are written twice, because `forward` is what makes mjbatch's copies of them agree, and it changes the
        warm start of the solver.
        """
        for field, values in below(state, "model/").items():
            self.expand(field).copy_(values)
        self._state.copy_(state["state"])
        self._has_own_start = "start" in state
        self._start = state["start"].clone() if self._has_own_start else self._initial.expand(self.num_envs, -1)
        if not derived:
            return
        if state["has_own_constants"]:
            self.set_const()
        self.forward()
        self._state.copy_(state["state"])
        for field, values in below(state, "bound/").items():
            if field not in self._columns:
                self.bind(field).copy_(values)

    def _fill(self, field: str) -> None:
        """Give a field that was bound just now its values, without a step."""
        if field in self._columns:
            columns = self._state[:, self._columns[field]]
            self._bound[field].copy_(columns.reshape(self._bound[field].shape))
        else:
            state = self._state.clone()
            others = {name: values.clone() for name, values in self._bound.items() if name != field}
            self._batch.forward()
            self._state.copy_(state)
            for name, values in others.items():  # which lag behind the state, and continue lagging
                self._bound[name].copy_(values)

    def _call(self, method: str, field: str, dtype: type) -> np.ndarray:
        try:
            return getattr(self._batch, method)(field, dtype)
        except (ValueError, TypeError) as error:
            raise PhysicsError(f"MuJoCo has no field '{field}' that can be used so: {error}") from error


def _writer(places: list[Tensor]) -> Callable[[Tensor, Worlds | None], None]:
    """What writes rows to the same places again and again."""
    loop = loops.write_rows.bind(*places) if ops.LOOPS and len(places) == 2 else None

    def write(rows: Tensor, worlds: Worlds | None) -> None:
        if loop is not None and worlds is not None and rows.shape[:-1] == worlds.ids.shape:
            loop(worlds.ids.numpy(), rows.numpy())
        else:
            for place in places:
                put(place, rows, worlds)

    return write


def _restorer(values: Tensor) -> Callable[[Worlds, Tensor], None]:
    """What writes a row for each of some worlds, or one for all, to `values` again and again."""
    loop = loops.restore.bind(values) if ops.LOOPS else None

    def restore(worlds: Worlds, rows: Tensor) -> None:
        if loop is not None and rows.shape[0] in (1, worlds.ids.shape[0]):
            loop(worlds.ids.numpy(), rows.numpy())
        else:
            worlds.write(values, rows)

    return restore


def _quiet_mujoco() -> None:
    """Let MuJoCo count its warnings (`MjData.warning`), which it prints per world and appends to MUJOCO_LOG.TXT.

    A handler that somebody else has set is left alone.
    """
    if mujoco.get_mju_user_warning() is None:
        # A built-in that does nothing: Python code in its place could be interrupted, which MuJoCo does not survive.
        mujoco.set_mju_user_warning(id)


def _run(method: Callable[..., None], *args: Any, **named: Any) -> None:
    """Call mjbatch; an error of MuJoCo in one of its worlds, such as memory that is too small, is the model's."""
    try:
        method(*args, **named)
    except RuntimeError as error:
        said = one_line(str(error))
        raise PhysicsError(f"MuJoCo cannot simulate this model: {said}. Change the model, or its <size>") from error


def _columns(model: mujoco.MjModel) -> dict[str, slice]:
    """Where each state field stands in a row, in the order of MuJoCo's mjSTATE_INTEGRATION."""
    columns = {}
    for name, bit in _STATE.items():
        before = int(mujoco.mjtState.mjSTATE_INTEGRATION) & (int(bit) - 1)
        start = mujoco.mj_stateSize(model, before)
        columns[name] = slice(start, start + mujoco.mj_stateSize(model, int(bit)))
    return columns
