"""Our Go1 is the public one: the same bodies, masses, frames, limits and dynamics."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

POSES = 200
TOLERANCE = 1e-6


def _names(model: mujoco.MjModel, kind: mujoco.mjtObj, count: int) -> list[str]:
    return [mujoco.mj_id2name(model, kind, i) for i in range(count)]


def _inertias(model: mujoco.MjModel) -> np.ndarray:
    """Inertia about the centre of mass in the frame of the body [kg m^2], shape (B, 3, 3)."""
    turns = np.array([_matrix(quat) for quat in model.body_iquat])
    return np.einsum("bij,bj,bkj->bik", turns, model.body_inertia, turns)


def _matrix(quat: np.ndarray) -> np.ndarray:
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)


def _random_poses(*models: mujoco.MjModel) -> Iterator[list[mujoco.MjData]]:
    """The same random poses in all models, the base anywhere, joints within their limits."""
    generator = np.random.default_rng(0)
    datas = [mujoco.MjData(model) for model in models]
    low, high = models[0].jnt_range[1:].T
    for _ in range(POSES):
        quat = generator.normal(size=4)
        pose = [*generator.uniform(-1, 1, 3), *quat / np.linalg.norm(quat), *generator.uniform(low, high)]
        for model, data in zip(models, datas, strict=True):
            data.qpos[:] = pose
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_makeM(model, data)
        yield datas


def _mass_matrix(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    full = np.empty((model.nv, model.nv))
    mujoco.mj_fullM(model, data, full)
    return full


def test_total_mass_is_the_public_one(model, reference):
    assert abs(model.body_mass.sum() - reference.body_mass.sum()) < TOLERANCE


def test_bodies_joints_and_sites_have_the_public_names_in_the_public_order(model, reference):
    for kind, count in ((mujoco.mjtObj.mjOBJ_BODY, "nbody"), (mujoco.mjtObj.mjOBJ_JOINT, "njnt")):
        assert _names(model, kind, getattr(model, count)) == _names(reference, kind, getattr(reference, count))
    sites = mujoco.mjtObj.mjOBJ_SITE
    assert set(_names(model, sites, model.nsite)) == set(_names(reference, sites, reference.nsite))
    assert list(model.body_parentid) == list(reference.body_parentid)


def test_every_body_has_the_public_mass_and_inertia(model, reference):
    np.testing.assert_allclose(model.body_mass, reference.body_mass, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(model.body_ipos, reference.body_ipos, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(_inertias(model), _inertias(reference), rtol=0, atol=TOLERANCE)


def test_every_body_has_the_public_frame(model, reference):
    np.testing.assert_allclose(model.body_pos, reference.body_pos, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(model.body_quat, reference.body_quat, rtol=0, atol=TOLERANCE)


def test_every_joint_has_the_public_axis_and_range(model, reference):
    for field in ("jnt_type", "jnt_bodyid", "jnt_pos", "jnt_axis", "jnt_range", "jnt_limited", "jnt_stiffness"):
        np.testing.assert_allclose(getattr(model, field), getattr(reference, field), rtol=0, atol=TOLERANCE)
    for field in ("dof_armature", "dof_damping", "dof_frictionloss"):
        np.testing.assert_allclose(getattr(model, field), getattr(reference, field), rtol=0, atol=TOLERANCE)


def test_every_site_is_where_the_public_one_is(model, reference):
    for i in range(model.nsite):
        ours, theirs = model.site(i), reference.site(model.site(i).name)
        assert model.body(ours.bodyid[0]).name == reference.body(theirs.bodyid[0]).name
        np.testing.assert_allclose(ours.pos, theirs.pos, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(ours.quat, theirs.quat, rtol=0, atol=TOLERANCE)


def test_what_collides_has_the_public_shape_and_place(model, reference):
    names = [name for name in _names(reference, mujoco.mjtObj.mjOBJ_GEOM, reference.ngeom) if name]
    assert len(names) >= 30
    for name in names:
        ours, theirs = model.geom(name), reference.geom(name)
        assert model.body(ours.bodyid[0]).name == reference.body(theirs.bodyid[0]).name
        assert ours.type == theirs.type
        for field in ("size", "pos", "quat"):
            np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), rtol=0, atol=TOLERANCE)


def test_the_same_bodies_are_excluded_from_contact(model, reference):
    assert sorted(model.exclude_signature) == sorted(reference.exclude_signature)


def test_mass_matrix_and_body_positions_are_the_public_ones_in_200_random_poses(model, reference):
    for ours, theirs in _random_poses(model, reference):
        np.testing.assert_allclose(ours.xpos, theirs.xpos, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(_mass_matrix(model, ours), _mass_matrix(reference, theirs), rtol=0, atol=TOLERANCE)


def test_what_is_drawn_weighs_nothing(robot, model):
    import mjsdk_robot_go1

    bare = mjsdk_robot_go1.mjsdk_load_spec(robot)
    for geom in [geom for geom in bare.geoms if not geom.name]:
        bare.delete(geom)
    np.testing.assert_array_equal(bare.compile().body_mass, model.body_mass)
    np.testing.assert_array_equal(bare.compile().body_inertia, model.body_inertia)
