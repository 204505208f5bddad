"""The G1 stands on its own servos and survives being shaken."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

import mjsdk_robot_g1
from mjsdk.robot import Robot
from mjsdk.scene.actuators import apply_actuators
from mjsdk.scene.collisions import apply_collisions
from mjsdk.testing.models import posed

STIFFER = 10.0
"""How much further a target leans than the joint has sagged [-]."""
LEAD = 0.2
"""How far a target leans against a joint's speed [s]."""
PRESETS = ["feet", "lean", "feet_capsules", "full", "full_without_self"]


def _on_the_ground(robot: Robot, preset: str) -> mujoco.MjModel:
    spec = mjsdk_robot_g1.mjsdk_load_spec(robot)
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


@pytest.mark.parametrize("preset", PRESETS)
def test_its_motors_hold_it_up_for_two_seconds_with_its_knees_bent(robot, preset):
    model = _on_the_ground(robot, preset)
    data = posed(model, robot.default_pose)
    rest = data.ctrl.copy()
    while data.time < 2.0:
        _hold(model, data, rest)
        mujoco.mj_step(model, data)
    assert data.qpos[2] > 0.74
    assert data.body("torso_link").xmat[8] > 0.99
    assert np.linalg.norm(data.qpos[:2]) < 0.1
    assert _warnings(data) == 0


def test_servos_that_only_aim_at_the_pose_cannot_balance_it(robot):
    """The ankles' stiffness is below weight times height: standing has to be learned."""
    model = _on_the_ground(robot, "feet")
    data = posed(model, robot.default_pose)
    ankles = sum(model.actuator(f"{side}_ankle_pitch_joint").gainprm[0] for side in ("left", "right"))
    assert ankles < model.body_mass.sum() * 9.81 * data.subtree_com[0][2]


@pytest.mark.parametrize("preset", PRESETS)
def test_random_targets_raise_no_warning(robot, preset):
    model = _on_the_ground(robot, preset)
    data = posed(model, robot.default_pose)
    rest, generator = data.ctrl.copy(), np.random.default_rng(1)
    scale = np.array([0.25 * model.actuator_forcerange[i, 1] / model.actuator_gainprm[i, 0] for i in range(model.nu)])
    for step in range(200):
        if step % 4 == 0:
            data.ctrl[:] = rest + scale * generator.normal(size=model.nu)
        mujoco.mj_step(model, data)
    assert _warnings(data) == 0
    assert np.isfinite(data.qpos).all()


def test_hands_stay_out_of_the_belly_where_the_robot_collides_with_itself(robot):
    """Both hands pushed into the belly."""
    touching = {}
    for preset in PRESETS:
        model = _on_the_ground(robot, preset)
        data = posed(model, robot.default_pose)
        for side, sign in (("left", -1), ("right", 1)):
            data.joint(f"{side}_shoulder_yaw_joint").qpos = 1.4 * sign
            data.joint(f"{side}_elbow_joint").qpos = 1.0
        mujoco.mj_forward(model, data)
        ground = model.geom("ground").id
        touching[preset] = any(contact.geom[0] != ground for contact in data.contact)
    assert [preset for preset, touch in touching.items() if touch] == ["lean", "full"]


@pytest.mark.parametrize("pose", ["knees_bent", "home"])
def test_nothing_but_the_feet_touches_anything_as_it_starts(robot, pose):
    model = _on_the_ground(robot, "full")
    data = posed(model, robot.poses[pose])
    data.qpos[2] -= 0.005
    mujoco.mj_forward(model, data)
    touching = {model.geom(geom).name for contact in data.contact for geom in contact.geom}
    assert touching - {"ground"} == {name for name in robot.roles["feet"].geoms if "corner" not in name}


def test_feet_decide_how_they_slide(robot):
    model = _on_the_ground(robot, "feet")
    data = posed(model, robot.default_pose)
    data.qpos[2] -= 0.005
    mujoco.mj_forward(model, data)
    assert data.ncon == 8
    assert all(contact.dim == 3 and contact.friction[0] == 0.6 for contact in data.contact)
