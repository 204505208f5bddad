"""The Go1 stands on its own servos and survives being shaken."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

import mjsdk_robot_go1
from mjsdk.robot import Robot
from mjsdk.scene.actuators import apply_actuators
from mjsdk.scene.collisions import apply_collisions
from mjsdk.testing.models import posed

STIFFER = 4.0
"""How much further a target leans than the joint has sagged [-]."""
LEAD = 0.05
"""How far a target leans against a joint's speed [s]."""
PRESETS = ["feet", "full", "full_without_self"]


def _on_the_ground(robot: Robot, preset: str) -> mujoco.MjModel:
    spec = mjsdk_robot_go1.mjsdk_load_spec(robot)
    apply_actuators(robot, spec)
    apply_collisions(robot, spec, preset)
    spec.worldbody.add_geom(name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[5, 5, 0.1])
    spec.option.timestep = 0.005
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return spec.compile()


def _warnings(data: mujoco.MjData) -> int:
    return sum(warning.number for warning in data.warning)


def _hold(model: mujoco.MjModel, data: mujoco.MjData, rest: np.ndarray) -> None:
    """Lean the targets against the sag, as a policy does: the servos alone are softer than gravity."""
    joints, dofs = model.jnt_qposadr[model.actuator_trnid[:, 0]], model.jnt_dofadr[model.actuator_trnid[:, 0]]
    data.ctrl[:] = rest + STIFFER * (rest - data.qpos[joints]) - LEAD * data.qvel[dofs]


@pytest.mark.parametrize("pose", ["standing", "home"])
@pytest.mark.parametrize("preset", PRESETS)
def test_its_motors_hold_it_up_for_two_seconds(robot, preset, pose):
    model = _on_the_ground(robot, preset)
    data = posed(model, robot.poses[pose])
    rest = data.ctrl.copy()
    while data.time < 2.0:
        _hold(model, data, rest)
        mujoco.mj_step(model, data)
    assert data.qpos[2] > robot.poses[pose].pos[2] - 0.02
    assert data.body("trunk").xmat[8] > 0.99
    assert np.linalg.norm(data.qpos[:2]) < 0.05
    assert np.abs(data.qvel).max() < 0.05
    assert _warnings(data) == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_random_targets_raise_no_warning(robot, preset):
    model = _on_the_ground(robot, preset)
    data = posed(model, robot.default_pose)
    rest, generator = data.ctrl.copy(), np.random.default_rng(1)
    scale = 0.25 * model.actuator_forcerange[:, 1] / model.actuator_gainprm[:, 0]
    for step in range(200):
        if step % 4 == 0:
            data.ctrl[:] = rest + scale * generator.normal(size=model.nu)
        mujoco.mj_step(model, data)
    assert _warnings(data) == 0
    assert np.isfinite(data.qpos).all()


def test_only_full_collides_with_itself(robot):
    """Front legs folded back, hind legs forward."""
    touching = {}
    for preset in PRESETS:
        model = _on_the_ground(robot, preset)
        data = posed(model, robot.default_pose)
        for side in "LR":
            data.joint(f"F{side}_thigh_joint").qpos = 2.0
            data.joint(f"R{side}_thigh_joint").qpos = -0.6
            data.joint(f"F{side}_calf_joint").qpos = data.joint(f"R{side}_calf_joint").qpos = -0.9
        data.qpos[2] += 1.0
        mujoco.mj_forward(model, data)
        touching[preset] = data.ncon > 0
    assert touching == {"feet": False, "full": True, "full_without_self": False}


@pytest.mark.parametrize("pose", ["standing", "home"])
def test_nothing_but_the_feet_touches_anything_as_it_starts(robot, pose):
    model = _on_the_ground(robot, "full")
    data = posed(model, robot.poses[pose])
    data.qpos[2] -= 0.005
    mujoco.mj_forward(model, data)
    assert sorted(model.geom(g).name for c in data.contact for g in c.geom) == sorted(
        [*robot.roles["feet"].geoms, *["ground"] * 4]
    )
    assert all(contact.dim == 6 and contact.friction[0] == 0.6 for contact in data.contact)
