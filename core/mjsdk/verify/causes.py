"""What native MuJoCo says of a state: its contacts, and reasons why Warp is known to come to another result there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs
import mujoco
import numpy as np

from mjsdk.verify.states import FIELDS, States

_Contact = Callable[[mujoco.MjModel, mujoco.MjData, mujoco.MjContact], bool]
_STEEP = np.sin(np.radians(60.0))
"""Sine of the angle between a capsule and a plane from which on Warp takes another tangent for the friction pyramid."""
_CLOSE = 0.005
"""Distance of two centres below which the normal between them is uncertain by more than 1e-5 in float32 [m]."""


@attrs.frozen
class Examined:
    """A state by native MuJoCo."""

    contacts: int
    rows: int
    """Rows of the constraint solver."""
    causes: frozenset[str]
    """Known causes of differences that are there: names of `CAUSES`."""


def examine(model: mujoco.MjModel, states: States) -> list[Examined]:
    """Examine each state."""
    data, plain = mujoco.MjData(model), {field: states[field].cpu().numpy() for field in FIELDS}
    count = len(plain[FIELDS[0]])
    return [_examined(model, data, {field: values[i] for field, values in plain.items()}) for i in range(count)]


def _examined(model: mujoco.MjModel, data: mujoco.MjData, state: Mapping[str, np.ndarray]) -> Examined:
    mujoco.mj_resetData(model, data)
    for field, values in state.items():
        getattr(data, field)[:] = values
    mujoco.mj_forward(model, data)
    return Examined(data.ncon, data.nefc, frozenset(_causes(model, data)))


def _causes(model: mujoco.MjModel, data: mujoco.MjData) -> Iterator[str]:
    for contact in data.contact:
        yield from (name for name, is_such in _CONTACTS.items() if is_such(model, data, contact))
    if data.solver_niter.max() >= model.opt.iterations:
        yield _LIMIT


def _kinds(model: mujoco.MjModel, contact: mujoco.MjContact) -> tuple[mujoco.mjtGeom, mujoco.mjtGeom]:
    """Shapes of both geoms; MuJoCo puts the simpler one first."""
    first, second = model.geom_type[contact.geom]
    return mujoco.mjtGeom(first), mujoco.mjtGeom(second)


def _steep_capsule(model: mujoco.MjModel, data: mujoco.MjData, contact: mujoco.MjContact) -> bool:
    pyramid = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL and contact.dim > 1
    if not pyramid or _kinds(model, contact) != (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_CAPSULE):
        return False
    plane, capsule = data.geom_xmat[contact.geom].reshape(2, 3, 3)[:, :, 2]
    return bool(abs(plane @ capsule) > _STEEP)


def _sphere_on_capsule(model: mujoco.MjModel, data: mujoco.MjData, contact: mujoco.MjContact) -> bool:
    """Warp adds 1e-6 m^2 to the squared length of the axis as it looks for the closest point: normals turn by 1e-4."""
    return {*_kinds(model, contact)} == {mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CAPSULE}


def _deep_round(model: mujoco.MjModel, data: mujoco.MjData, contact: mujoco.MjContact) -> bool:
    if not {*_kinds(model, contact)} <= {mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CAPSULE}:
        return False
    return bool(model.geom_size[contact.geom, 0].sum() + contact.dist < _CLOSE)


def _height_field(model: mujoco.MjModel, data: mujoco.MjData, contact: mujoco.MjContact) -> bool:
    return mujoco.mjtGeom.mjGEOM_HFIELD in _kinds(model, contact)


_CONTACTS: Mapping[str, _Contact] = {
    "capsule steeper than 60 degrees on a plane": _steep_capsule,
    "sphere on a capsule": _sphere_on_capsule,
    "sphere or capsule sunk into another down to its axis": _deep_round,
    "contact with a height field": _height_field,
}
_LIMIT = "solver at its limit of iterations"
CAUSES = (*_CONTACTS, _LIMIT)
"""Names of all known causes: where Warp comes to a result that is as valid, or where neither is exact."""
