"""How far two physics are apart after one step, by quantity and state."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import mujoco
import numpy as np
import torch
from torch import Tensor

from mjsdk.physics.cpu import CpuPhysics
from mjsdk.physics.warp import WarpPhysics

FIELDS = {"qpos": 1e-5, "qvel": 1e-3, "xpos": 1e-5, "actuator_force": 0.1}
"""Fields of MjData that are compared, with the greatest difference that counts as equal, in SI units."""
_RELATIVE = {"qacc": 1e-3}
"""Likewise, by the largest number of a state where that is above 1: accelerations of an impact are large."""
_OF_SENSORS = {mujoco.mjtStage.mjSTAGE_POS: 1e-5, mujoco.mjtStage.mjSTAGE_VEL: 1e-3, mujoco.mjtStage.mjSTAGE_ACC: 0.1}
"""Likewise of sensors: of places, velocities, and forces or accelerations."""
_SHARE = {mujoco.mjtStage.mjSTAGE_ACC: 1e-3}
"""Share of the largest reading in a state that counts as equal too: Warp stops the solver at 1e-6, whatever is set."""
_SENSORDATA = "sensordata"
_WORST = 5


@attrs.frozen
class Quantity:
    """How far one quantity is apart."""

    name: str
    tolerance: float
    share: float
    """Share of the largest number in a state that is tolerated too, where that is more; 0 for none."""
    largest: float
    median: float
    beyond: int
    """States in which it is further apart than the tolerance."""
    worst: list[int]
    """Numbers of these states, the worst first, at most five."""


@attrs.frozen
class Difference:
    """How far one quantity is apart in each state."""

    name: str
    tolerance: float
    values: np.ndarray
    """Largest absolute difference in each state, shape (N,)."""
    share: float = 0.0
    sizes: np.ndarray | float = 0.0
    """Largest number in each state, shape (N,), of which a `share` is tolerated too."""

    @property
    def beyond(self) -> np.ndarray:
        """Whether it is more than is tolerated, bool, shape (N,)."""
        return self.values > np.maximum(self.tolerance, self.share * self.sizes)

    def summary(self) -> Quantity:
        """What to show of it."""
        worst = [int(i) for i in np.argsort(-self.values, kind="stable")[:_WORST] if self.beyond[i]]
        largest, median = float(self.values.max()), float(np.median(self.values))
        return Quantity(self.name, self.tolerance, self.share, largest, median, int(self.beyond.sum()), worst)


def bind(physics: CpuPhysics | WarpPhysics) -> dict[str, Tensor]:
    """All fields that are compared, shape (N, ...). One that is bound after a step would not lag behind it."""
    return {field: physics.bind(field) for field in (*FIELDS, *_RELATIVE, _SENSORDATA)}


def differences(model: mujoco.MjModel, one: dict[str, Tensor], other: dict[str, Tensor]) -> list[Difference]:
    """How far two physics are apart in all that `bind` gave, the second being in question."""
    ours, theirs = ({name: _rows(values) for name, values in of.items()} for of in (one, other))
    apart = {name: np.nan_to_num(np.abs(theirs[name] - values), nan=np.inf) for name, values in ours.items()}
    found = [Difference(name, tolerance, _largest(apart[name])) for name, tolerance in FIELDS.items()]
    for name, tolerance in _RELATIVE.items():
        relative = _largest(apart[name]) / np.maximum(_largest(ours[name]), 1.0)
        found.append(Difference(f"{name} (relative)", tolerance, relative))
    readings, apart_in = ours[_SENSORDATA], apart[_SENSORDATA]
    for name, stage, columns in _sensors(model):
        share, sizes = _SHARE.get(stage, 0.0), _largest(readings[:, columns])
        found.append(Difference(name, _OF_SENSORS[stage], _largest(apart_in[:, columns]), share, sizes))
    return found


def counted(name: str, one: np.ndarray, other: np.ndarray) -> Difference:
    """How far numbers of things are apart, shape (N,) each; they must be equal."""
    return Difference(name, 0.0, np.abs(other - one).astype(float))


def _rows(values: Tensor) -> np.ndarray:
    """In double, shape (N, n)."""
    return values.to("cpu", torch.float64).flatten(1).numpy()


def _largest(rows: np.ndarray) -> np.ndarray:
    """The largest number in each row either way, shape (N,)."""
    return np.asarray(np.abs(rows).max(1, initial=0.0))


def _sensors(model: mujoco.MjModel) -> Iterator[tuple[str, mujoco.mjtStage, list[int]]]:
    """Each sensor of the settings with its kind, the stage of a step that it is computed in, and its columns."""
    columns: dict[tuple[str, mujoco.mjtStage], list[int]] = {}
    for i in range(model.nsensor):
        sensor = model.sensor(i)
        kind = mujoco.mjtSensor(sensor.type[0]).name.removeprefix("mjSENS_").lower()
        whose = f"{sensor.name.partition('/')[0] or i} ({kind})"
        where = range(sensor.adr[0], sensor.adr[0] + sensor.dim[0])
        columns.setdefault((whose, mujoco.mjtStage(sensor.needstage[0])), []).extend(where)
    yield from ((name, stage, where) for (name, stage), where in columns.items())
