"""Two models are told apart by what differs, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.plugins import open_session
from mjsdk.robot import InitialState
from mjsdk.scene import compile_robot
from mjsdk.testing import parity
from mjsdk.testing.models import model_of, posed
from mjsdk.testing.worlds import TESTBOT

Change = Callable[[mujoco.MjSpec], object]

FIGURES = {
    "bodies": [
        {"name": "base", "parent": "world", "pos": [0, 0, 1], "quat": [1, 0, 0, 0], "mass": 3.0, "com": [0, 0, 0.1]},
        {"name": "arm", "parent": "base", "pos": [0, 0.2, 0], "quat": [0, 1, 0, 0], "mass": 1.0, "com": [0.1, 0, 0]},
    ],
    "joints": [
        {"name": "free", "body": "base", "free": True, "axis": [0, 0, 1], "pos": [0, 0, 0], "range": [0, 0]},
        {"name": "bend", "body": "arm", "free": False, "axis": [0, 1, 0], "pos": [0, 0, 0], "range": [-1.0, 0.5]},
    ],
    "sites": [{"name": "tip", "body": "arm", "pos": [0.2, 0, 0], "quat": [1, 0, 0, 0]}],
    "geoms": [
        {"name": "ball", "body": "arm", "type": "sphere", "size": [0.05, 0, 0], "pos": [0, 0, 0], "quat": [1, 0, 0, 0]}
    ],
    "excludes": [["base", "arm"]],
}
for body in FIGURES["bodies"]:
    body["inertia"] = [0.02, 0.03, 0.04, 0.001, 0.002, 0.003]


MORE_JOINTS = {"names", "joints", "passive_joints", "dynamics"}


def spec() -> mujoco.MjSpec:
    return open_session(TESTBOT).load_spec()


def rejecting(change: Change) -> set[str]:
    """Names of the checks that notice a change of the small robot."""
    changed = spec()
    change(changed)
    ours, theirs = changed.compile(), spec().compile()
    return {check.__name__ for check in parity.CHECKS if not passes(check, ours, theirs)}


def passes(check: Callable[..., None], ours: mujoco.MjModel, theirs: mujoco.MjModel) -> bool:
    try:
        check(ours, theirs)
    except AssertionError:
        return False
    return True


def put(kind: str, name: str, field: str, value: object) -> Change:
    return lambda spec: setattr(getattr(spec, kind)(name), field, value)


def test_a_model_is_like_itself():
    assert not rejecting(lambda _: None)


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (put("body", "left_leg", "mass", 0.6), {"total_mass", "masses_and_inertias", "dynamics"}),
        (put("body", "left_leg", "ipos", [0, 0, -0.16]), {"masses_and_inertias", "dynamics"}),
        (put("body", "left_leg", "pos", [0, 0.16, 0]), {"frames", "dynamics"}),
        (put("joint", "left_hip", "range", [-0.9, 0.9]), {"joints"}),
        (put("joint", "left_hip", "axis", [1, 0, 0]), {"joints", "dynamics"}),
        (put("joint", "left_hip", "armature", 0.01), {"passive_joints"}),
        (put("site", "left_foot", "pos", [0, 0, -0.28]), {"sites"}),
        (put("geom", "left_foot_geom", "size", [0.04, 0, 0]), {"collisions"}),
        (lambda spec: spec.body("left_leg").add_joint(name="slide", type=mujoco.mjtJoint.mjJNT_SLIDE), MORE_JOINTS),
        (lambda spec: spec.add_exclude(bodyname1="trunk", bodyname2="left_leg"), {"excluded_contacts"}),
        (put("body", "left_leg", "name", "leg"), {"names", "sites", "collisions"}),
    ],
)
def test_each_difference_is_noticed_by_the_checks_that_it_concerns(change, noticed):
    assert rejecting(change) == noticed


def test_what_has_no_name_and_a_quaternion_of_the_other_sign_are_no_difference():
    def turned(sign):
        made = spec()
        made.body("trunk").add_site()
        for each in (made.body("left_leg"), made.site("left_foot"), made.geom("left_foot_geom")):
            each.quat = sign * np.array([0.6, 0.8, 0.0, 0.0])
        return made.compile()

    assert all(passes(check, turned(1), turned(-1)) for check in parity.CHECKS)


@given(st.floats(2e-6, 1e-2))
def test_no_difference_above_the_tolerance_is_too_small(shift):
    ours = spec()
    ours.site("imu").pos = [shift, 0, 0]
    assert not passes(parity.sites, ours.compile(), spec().compile())


def test_a_drawing_that_weighs_something_is_noticed():
    balls = '<geom name="ball" size="0.1"/><geom size="0.1" mass="{}"/>'
    model = f"<mujoco><worldbody><body><freejoint/>{balls}</body></worldbody></mujoco>"
    parity.weightless_drawings(mujoco.MjSpec.from_string(model.format(0)))
    with pytest.raises(AssertionError, match="body_mass"):
        parity.weightless_drawings(mujoco.MjSpec.from_string(model.format(1)))


def test_figures_become_the_model_that_they_describe():
    model = model_of(FIGURES).compile()
    assert (model.nbody, model.njnt, model.nsite, model.ngeom, model.nexclude) == (3, 2, 1, 1, 1)
    assert model.body_mass.sum() == pytest.approx(4.0)
    assert list(model.joint("bend").range) == pytest.approx([-1.0, 0.5])
    assert not model.joint("free").limited
    assert all(passes(check, model, model) for check in parity.CHECKS)


def test_a_pose_is_taken_by_base_joints_and_servos():
    model = compile_robot(open_session(TESTBOT))
    data = posed(model, InitialState(pos=(0.1, 0.2, 0.3), joint_pos={"left_.*": 0.4}))
    assert list(data.qpos) == pytest.approx([0.1, 0.2, 0.3, 1, 0, 0, 0, 0.4, 0])
    assert list(data.ctrl) == pytest.approx([0.4, 0])
    assert data.site("imu").xpos == pytest.approx([0.1, 0.2, 0.3])
