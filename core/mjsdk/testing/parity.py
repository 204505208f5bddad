"""Whether a robot's model is that of its manufacturer: the same bodies, masses, frames, limits and dynamics.

    @pytest.mark.parametrize("check", parity.CHECKS)
    def test_it_is_the_public_one(check, model, reference):
        check(model, reference)

Both models are compiled, without a ground; theirs comes from a public file, or from figures by
`mjsdk.testing.models.model_of`. A check raises `AssertionError` where a number differs by more than `TOLERANCE`, and
MuJoCo's `KeyError` where a name is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import mujoco
import numpy as np

POSES = 200
"""Random poses that positions and mass matrices are compared in."""
TOLERANCE = 1e-6
"""Greatest difference, in kg, m, kg m^2, rad or what else a number is in."""

_BODY, _JOINT = mujoco.mjtObj.mjOBJ_BODY, mujoco.mjtObj.mjOBJ_JOINT
_SITE, _GEOM = mujoco.mjtObj.mjOBJ_SITE, mujoco.mjtObj.mjOBJ_GEOM


def total_mass(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """The whole weighs the same."""
    _close(ours.body_mass.sum(), theirs.body_mass.sum())


def names(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Bodies and joints have the same names in the same order, and sites the same names."""
    for kind, count in ((_BODY, "nbody"), (_JOINT, "njnt")):
        assert _names(ours, kind, getattr(ours, count)) == _names(theirs, kind, getattr(theirs, count))
    assert set(_named(ours, _SITE, ours.nsite)) == set(_named(theirs, _SITE, theirs.nsite))
    assert list(ours.body_parentid) == list(theirs.body_parentid)


def masses_and_inertias(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every body has the same mass, centre and inertia."""
    _same_fields(ours, theirs, ("body_mass", "body_ipos"))
    _close(_inertias(ours), _inertias(theirs))


def frames(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every body has the same place in its parent."""
    _same_fields(ours, theirs, ("body_pos",))
    _close(_turns(ours.body_quat), _turns(theirs.body_quat), "body_quat")


def joints(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every joint has the same kind, place, axis and range."""
    _same_fields(ours, theirs, ("jnt_type", "jnt_bodyid", "jnt_pos", "jnt_axis", "jnt_range", "jnt_limited"))


def passive_joints(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every joint has the same stiffness, armature, damping and friction.

    Leave it out where the public model has those of its motors, and ours gets them from `Robot.actuators`.
    """
    _same_fields(ours, theirs, ("jnt_stiffness", "dof_armature", "dof_damping", "dof_frictionloss"))


def sites(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every site that has a name is in the same place of the same body."""
    for name in _named(theirs, _SITE, theirs.nsite):
        _same_place(ours, theirs, ours.site(name), theirs.site(name))


def collisions(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Every geom of theirs that has a name has the same shape and place, and there is one at least."""
    named = _named(theirs, _GEOM, theirs.ngeom)
    assert named, "no geom of the reference has a name"
    for name in named:
        mine, other = ours.geom(name), theirs.geom(name)
        assert mine.type == other.type, name
        _close(mine.size, other.size, name)
        _same_place(ours, theirs, mine, other)


def excluded_contacts(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """The same pairs of bodies pass through each other."""
    assert sorted(ours.exclude_signature) == sorted(theirs.exclude_signature)


def dynamics(ours: mujoco.MjModel, theirs: mujoco.MjModel) -> None:
    """Places of all bodies and mass matrices, without armature, are the same in random poses."""
    assert (ours.nbody, ours.nq, ours.nv) == (theirs.nbody, theirs.nq, theirs.nv), "other bodies or joints: see `names`"
    for mine, other in _random_poses(ours, theirs):
        _close(mine.xpos, other.xpos)
        _close(_mass_matrix(ours, mine), _mass_matrix(theirs, other))


def weightless_drawings(spec: mujoco.MjSpec) -> None:
    """Geoms without a name, which are only drawn, have no part in masses and inertias. Of our model alone."""
    drawn, plain = spec.copy().compile(), spec.copy()
    for geom in [geom for geom in plain.geoms if not geom.name]:
        plain.delete(geom)
    bare = plain.compile()
    _same_fields(bare, drawn, ("body_mass", "body_inertia"))


CHECKS: tuple[Callable[[mujoco.MjModel, mujoco.MjModel], None], ...] = (
    total_mass,
    names,
    masses_and_inertias,
    frames,
    joints,
    passive_joints,
    sites,
    collisions,
    excluded_contacts,
    dynamics,
)
"""All checks, for `pytest.mark.parametrize`; each takes our model and theirs."""


def _close(ours: Any, theirs: Any, what: str = "") -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE, err_msg=what)


def _same_fields(ours: mujoco.MjModel, theirs: mujoco.MjModel, fields: Iterable[str]) -> None:
    for field in fields:
        _close(getattr(ours, field), getattr(theirs, field), field)


def _same_place(ours: mujoco.MjModel, theirs: mujoco.MjModel, mine: Any, other: Any) -> None:
    assert ours.body(mine.bodyid[0]).name == theirs.body(other.bodyid[0]).name, mine.name
    _close(mine.pos, other.pos, mine.name)
    _close(_turns(mine.quat), _turns(other.quat), mine.name)


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [mujoco.mj_id2name(model, kind, i) for i in range(count)]


def _named(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [name for name in _names(model, kind, count) if name]


def _inertias(model: mujoco.MjModel) -> np.ndarray:
    """Inertia about the centre of mass in the frame of the body [kg m^2], shape (B, 3, 3)."""
    turns = _turns(model.body_iquat)
    return np.einsum("bij,bj,bkj->bik", turns, model.body_inertia, turns)


def _turns(quats: np.ndarray) -> np.ndarray:
    """Rotation matrices, shape (n, 3, 3): the same for a quaternion and its negative."""
    matrices = np.empty((len(np.atleast_2d(quats)), 9))
    for matrix, quat in zip(matrices, np.atleast_2d(quats), strict=True):
        mujoco.mju_quat2Mat(matrix, quat)
    return matrices.reshape(-1, 3, 3)


def _random_poses(*models: mujoco.MjModel) -> Iterator[list[mujoco.MjData]]:
    """The same random poses in all models: bases anywhere, joints within their limits."""
    generator = np.random.default_rng(0)
    datas = [mujoco.MjData(model) for model in models]
    for _ in range(POSES):
        pose = np.concatenate([_random_joint(generator, models[0].joint(i)) for i in range(models[0].njnt)])
        for model, data in zip(models, datas, strict=True):
            data.qpos[:] = pose
            mujoco.mj_normalizeQuat(model, data.qpos)
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_makeM(model, data)
        yield datas


def _random_joint(generator: np.random.Generator, joint: Any) -> np.ndarray:
    """Position of a joint; quaternions of bases are not of length one."""
    if joint.type[0] == mujoco.mjtJoint.mjJNT_FREE:
        return generator.normal(size=7)
    if joint.type[0] == mujoco.mjtJoint.mjJNT_BALL:
        return generator.normal(size=4)
    low, high = joint.range if joint.limited else (-np.pi, np.pi)
    return generator.uniform(low, high, size=1)


def _mass_matrix(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    full = np.empty((model.nv, model.nv))
    mujoco.mj_fullM(model, data, full)
    return full - np.diag(model.dof_armature)
