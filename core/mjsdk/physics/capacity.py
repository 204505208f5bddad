"""How much memory for contacts MuJoCo Warp needs, and what a step lost because it had too little."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

import attrs
import mujoco
import numpy as np
import torch
from torch import Tensor

_log = logging.getLogger(__name__)

Kind = mujoco.mjtGeom
_ROUND = {Kind.mjGEOM_SPHERE: 1, Kind.mjGEOM_ELLIPSOID: 1, Kind.mjGEOM_CAPSULE: 2, Kind.mjGEOM_CYLINDER: 4}
"""Most contacts of these shapes with a plane or a rounder shape."""
_OTHERS, _WITH_FIELD = 8, 50
"""Likewise of boxes and meshes, and of anything with a height field."""
_ROWS = {mujoco.mjtCone.mjCONE_PYRAMIDAL: {1: 1, 3: 4, 4: 6, 6: 10}, mujoco.mjtCone.mjCONE_ELLIPTIC: {}}
"""Rows of the constraint solver for a contact, by its condim, where these are not as many."""
_ROWS_OF_EQUALITY = {mujoco.mjtEq.mjEQ_CONNECT: 3, mujoco.mjtEq.mjEQ_WELD: 6}
SMALL = 64
"""Number of contacts up to which there is memory for all that are possible."""
_FALLS, _FALL_S, _LOOKS, _SEED = 40, 1.0, 20, 0
"""Worlds that fall, for how long [s], and how often the contacts of each are counted."""
_MARGIN = 1.3
"""Factor on what the worst of these states needed."""


@attrs.frozen
class Sizes:
    """Memory for contacts of each world. The names are those of MuJoCo Warp."""

    nconmax: int
    """Pairs of geoms that are near each other; worlds share this memory, so that one may take more."""
    njmax: int
    """Rows of the constraint solver: joint limits, friction of joints, and contacts with several rows each."""


def sizes_of(model: mujoco.MjModel, pairs: np.ndarray, nconmax: int = 0, njmax: int = 0) -> Sizes:
    """Memory that a model needs: all that is possible if that is little, else what wild states need, with a margin.

    Args:
        model: The model, with the pose that episodes start from as its first keyframe, if it has any.
        pairs: Geoms that may touch each other, shape (pairs, 2).
        nconmax: Given by people; 0 to find out.
        njmax: Likewise.
    """
    contacts, rows = _bounds(model, pairs)
    if contacts > SMALL and not (nconmax and njmax):
        near, needed = _probe(model, pairs)
        limits = int(np.count_nonzero(model.jnt_limited))  # which wilder states may reach all at once
        contacts, rows = min(contacts, _up(_MARGIN * near, 8)), min(rows, math.ceil(_MARGIN * needed) + limits)
    return Sizes(nconmax or max(contacts, 1), njmax or _up(max(rows, 1), 32))


def _up(number: float, step: int) -> int:
    """Rounded up to a multiple: kernels are compiled for each size, and few sizes need few of them."""
    return step * math.ceil(number / step)


def _bounds(model: mujoco.MjModel, pairs: np.ndarray) -> tuple[int, int]:
    """Contacts and solver rows that no state of a world exceeds."""
    contacts = [_most_contacts(model, *pair) for pair in pairs]
    condim = model.geom_condim[pairs].max(1) if len(pairs) else []
    wider = _ROWS[mujoco.mjtCone(model.opt.cone)]
    rows = sum(count * wider.get(int(dim), int(dim)) for count, dim in zip(contacts, condim, strict=True))
    equality = sum(_ROWS_OF_EQUALITY.get(mujoco.mjtEq(kind), 1) for kind in model.eq_type)
    limits = int(np.count_nonzero(model.jnt_limited)) + 2 * int(np.count_nonzero(model.tendon_limited))
    friction = np.count_nonzero(model.dof_frictionloss) + np.count_nonzero(model.tendon_frictionloss)
    return sum(contacts), rows + equality + limits + int(friction)


def _most_contacts(model: mujoco.MjModel, first: int, second: int) -> int:
    kinds = {Kind(model.geom_type[first]), Kind(model.geom_type[second])}
    if Kind.mjGEOM_HFIELD in kinds:
        return _WITH_FIELD
    counts = [_ROUND.get(kind, _OTHERS) for kind in kinds - {Kind.mjGEOM_PLANE}]
    return 1 if Kind.mjGEOM_SPHERE in kinds else max(counts, default=1)


def _probe(model: mujoco.MjModel, pairs: np.ndarray) -> tuple[int, int]:
    """Most pairs that are near each other, and most solver rows, in standing, falling and folded states."""
    near = rows = 0
    for data in _wild_states(model):
        near = max(near, int(_near(model, data, pairs).sum()))
        rows = max(rows, data.nefc)
    return near, rows


def _near(model: mujoco.MjModel, data: mujoco.MjData, pairs: np.ndarray) -> np.ndarray:
    """Whether the spheres around two geoms overlap, shape (pairs,): what the first stage of a collision test asks."""
    first, second = pairs.T
    between = data.geom_xpos[second] - data.geom_xpos[first]
    radius = model.geom_rbound + model.geom_margin
    normal = data.geom_xmat[first].reshape(-1, 3, 3)[:, :, 2]
    plane = model.geom_rbound[first] == 0.0
    distance = np.where(plane, (between * normal).sum(1), np.linalg.norm(between, axis=1))
    return np.asarray(distance <= radius[first] + radius[second])


def _wild_states(model: mujoco.MjModel) -> Iterator[mujoco.MjData]:
    """A world in states that a policy which has learnt nothing comes through: it falls, in ever wilder poses."""
    data, random = mujoco.MjData(model), np.random.default_rng(_SEED)
    for number in range(_FALLS):
        _start(model, data)
        _disturb(model, data, random, number / _FALLS)
        for _ in range(_LOOKS):
            mujoco.mj_step(model, data, max(1, round(_FALL_S / _LOOKS / model.opt.timestep)))
            yield data


def _disturb(model: mujoco.MjModel, data: mujoco.MjData, random: np.random.Generator, wildness: float) -> None:
    """Turn bodies and move joints, from not at all to anywhere, wildness 0 to 1."""
    limited = model.jnt_limited.astype(bool)
    low, high = np.where(limited, model.jnt_range.T, [[-1.0], [1.0]])
    for joint, kind in enumerate(map(mujoco.mjtJoint, model.jnt_type)):
        at = model.jnt_qposadr[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            data.qpos[at + 2] *= 1.0 - 0.5 * wildness
            data.qpos[at + 3 : at + 7] += wildness * random.normal(size=4)
        elif kind in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
            data.qpos[at] += wildness * (random.uniform(low[joint], high[joint]) - data.qpos[at])
    data.ctrl += wildness * random.normal(size=model.nu)


def _start(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    if model.nkey:
        mujoco.mj_resetDataKeyframe(model, data, 0)
    else:
        mujoco.mj_resetData(model, data)


_LOST = {
    "contacts": ("BROADPHASE", "NARROWPHASE"),
    "solver rows": ("NEFC", "NJMAX_NNZ"),
    "results of collision tests": ("CCD", "EPA_HORIZON", "HFIELD"),
    "readings of contact sensors": ("CONTACT_MATCH",),
    "degrees of freedom": ("NVMAX",),
}
"""What a step left out, by the names of MuJoCo Warp's overflow bits. That an iteration limit was reached is no loss."""
_ADVICE = {
    "contacts": ("env.sim.nconmax", "contacts"),
    "solver rows": ("env.sim.njmax", "rows"),
}


class Overflow:
    """What did not fit into memory since the last report. Nothing is read from the device before."""

    def __init__(self, sizes: Sizes, kinds: Any, bits: Tensor, pairs: Tensor, rows: Tensor) -> None:
        """Watch memory of MuJoCo Warp.

        Args:
            sizes: How much there is.
            kinds: `OverflowType` of MuJoCo Warp.
            bits: Its flags, shape (E,).
            pairs: Pairs of near geoms of all worlds in the last step, shape (1,).
            rows: Solver rows in the last step, shape (E,).
        """
        self._sizes, self._bits, self._pairs, self._rows = sizes, bits, pairs, rows
        self._masks = {what: sum(int(kinds[name]) for name in names) for what, names in _LOST.items()}
        self._found = torch.zeros_like(bits)
        self._most_pairs, self._most_rows = torch.zeros_like(pairs), torch.zeros_like(rows)
        self._warn_at = dict.fromkeys(_LOST, 1)

    def note(self) -> None:
        """Take in a step, before worlds are reset."""
        self._found.bitwise_or_(self._bits)
        torch.maximum(self._most_pairs, self._pairs, out=self._most_pairs)
        torch.maximum(self._most_rows, self._rows, out=self._most_rows)

    def report(self) -> dict[str, int]:
        """In how many worlds something was lost since the last call, by what was; of nothing that never was.

        It warns the first time, and whenever it is twice as much.
        """
        for what, message in self.lost().items():
            if self.worlds[what] >= self._warn_at[what]:
                self._warn_at[what] = 2 * self.worlds[what]
                _log.warning("%s", message)
        for tensor in (self._found, self._most_pairs, self._most_rows):
            tensor.zero_()
        return {what: count for what, count in self.worlds.items() if self._warn_at[what] > 1}

    def lost(self) -> dict[str, str]:
        """What was lost since the last report, with a sentence that says what to do. It waits for the device."""
        masks = torch.tensor([*self._masks.values()], dtype=self._found.dtype, device=self._found.device)
        counts = (self._found.unsqueeze(1) & masks).ne(0).sum(0).tolist()
        self.worlds = dict(zip(_LOST, counts, strict=True))
        needed = {
            "contacts": math.ceil(int(self._most_pairs.max()) / len(self._rows)),
            "solver rows": int(self._most_rows.max()),
        }
        return {what: self._message(what, count, needed.get(what, 0)) for what, count in self.worlds.items() if count}

    def _message(self, what: str, count: int, needed: int) -> str:
        said = f"MuJoCo Warp left out {what} in {count} of {len(self._rows)} worlds, whose physics is wrong there"
        if what not in _ADVICE:
            return f"{said}: give the robot simpler collision shapes"
        path, unit = _ADVICE[what]
        there = getattr(self._sizes, path.rpartition(".")[2])
        enough = _up(max(_MARGIN * needed, there + 1), 8)
        return f"{said}: there is memory for {there} {unit} per world, and {needed} were needed. Set --{path} {enough}"
