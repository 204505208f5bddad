"""What the package says about the G1 is true of its model."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import mujoco
import numpy as np
import pytest

import mjsdk_robot_g1
from mjsdk.robot import PARTS, Robot
from mjsdk.robot.selection import ModelNames, match, per_joint
from mjsdk.scene.collisions import apply_collisions
from mjsdk.testing.models import posed

FEET = ("left", "right")
MOTORS = {  # joint: armature, kp, kd, effort, action scale; as published
    "left_elbow_joint": (0.003609725, 14.2506, 0.9072, 25, 0.438577),
    "right_hip_pitch_joint": (0.01017752, 40.1792, 2.5579, 88, 0.547546),
    "left_knee_joint": (0.025101925, 99.0984, 6.3088, 139, 0.350661),
    "right_wrist_yaw_joint": (0.00425, 16.7783, 1.0681, 5, 0.0745009),
    "left_ankle_roll_joint": (0.00721945, 28.5012, 1.8144, 50, 0.438577),
    "waist_pitch_joint": (0.00721945, 28.5012, 1.8144, 50, 0.438577),
    "waist_yaw_joint": (0.01017752, 40.1792, 2.5579, 88, 0.547546),
}


@pytest.fixture(scope="module")
def names(model):
    return ModelNames.of(model)


def _lowest(model: mujoco.MjModel, data: mujoco.MjData, geom: str) -> float:
    """Height of the lowest point of a sphere or capsule [m]."""
    i = model.geom(geom).id
    radius, half = model.geom_size[i][:2]
    capsule = model.geom_type[i] == mujoco.mjtGeom.mjGEOM_CAPSULE
    return float(data.geom_xpos[i][2] - radius - (half * abs(data.geom_xmat[i][8]) if capsule else 0.0))


def test_importing_the_plugin_imports_no_simulator():
    code = (
        "import sys, mjsdk_robot_g1; mjsdk_robot_g1.mjsdk_robot(); print({'mujoco', 'torch', 'numpy'} & {*sys.modules})"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


def test_the_wheel_carries_the_model(tmp_path):
    package = Path(__file__).parents[1]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert "mjsdk_robot_g1/g1.xml" in zipfile.ZipFile(wheel).namelist()


def test_loading_twice_gives_equal_models(robot):
    first, second = (mjsdk_robot_g1.mjsdk_load_spec(robot) for _ in range(2))
    assert first is not second
    assert first.to_xml() == second.to_xml()


@pytest.mark.parametrize("part", PARTS)
def test_every_role_names_parts_of_the_model(robot, names, part):
    for role, parts in robot.roles.items():
        assert not set(getattr(parts, part)) - set(getattr(names, part)), role


def test_the_roles_that_tasks_ask_for_are_there(robot):
    assert {"base", "torso", "imu", "feet", "hands", "legs", "arms", "waist", "tracked"} <= set(robot.roles)
    assert len(robot.roles["feet"].bodies) == len(robot.roles["feet"].sites) == 2
    assert len(robot.roles["tracked"].bodies) == 14
    assert robot.roles["tracked"].bodies[0] == robot.roles["base"].bodies[0]


def test_legs_arms_and_waist_are_all_joints_once(robot, names):
    listed = [joint for role in ("legs", "arms", "waist") for joint in robot.roles[role].joints]
    assert sorted(listed) == sorted(names.joints)


def test_every_joint_has_one_motor(robot, names):
    owners = [i for group in robot.actuators for i in match(group.joints, names.joints, "joints")]
    assert sorted(owners) == list(range(29))


@pytest.mark.parametrize("joint", MOTORS)
def test_motor_figures_are_the_published_ones(robot, joint):
    (group,) = [group for group in robot.actuators if any(re.fullmatch(pattern, joint) for pattern in group.joints)]
    figures = (group.armature, group.kp, group.kd, group.effort_limit, group.action_scale)
    np.testing.assert_allclose(figures, MOTORS[joint], rtol=5e-5)  # the table has four decimals


@pytest.mark.parametrize("pose", ["knees_bent", "home"])
def test_poses_are_within_soft_limits(robot, model, names, pose):
    values = np.array(per_joint(robot.poses[pose].joint_pos, names, robot.roles, default=0.0))
    low, high = model.jnt_range[1:].T
    middle, half = (low + high) / 2, (high - low) / 2 * robot.soft_joint_pos_limit_factor
    assert np.all(np.abs(values - middle) <= half)


@pytest.mark.parametrize("pose", ["knees_bent", "home"])
def test_poses_stand_on_level_soles(robot, model, pose):
    data = posed(model, robot.poses[pose])
    heights = [_lowest(model, data, name) for name in robot.roles["feet"].geoms]
    assert min(heights) > -0.001
    assert max(heights) < 0.005


def test_knees_bent_comes_first(robot):
    assert next(iter(robot.poses)) == "knees_bent"
    assert robot.default_collisions == "feet"


def test_spheres_and_capsules_of_a_foot_share_one_sole(robot, model):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    heights = [_lowest(model, data, name) for name in robot.roles["feet"].geoms]
    np.testing.assert_allclose(heights, heights[0], atol=1e-9)


def test_the_lean_preset_has_four_small_geoms_per_foot(robot, names):
    (rule,) = robot.collisions["feet"]
    hits = [names.geoms[i] for i in match(rule.geoms, names.geoms, "geoms")]
    assert [sum(name.startswith(side) for name in hits) for side in FEET] == [4, 4]
    assert set(hits) <= set(robot.roles["feet"].geoms)


def test_legs_that_cross_touch_each_other_in_training(robot):
    spec = mjsdk_robot_g1.mjsdk_load_spec(robot)
    apply_collisions(robot, spec, "lean")
    model = spec.compile()
    data = posed(model, robot.default_pose)
    assert not data.ncon
    for side, sign in (("left", -1.0), ("right", 1.0)):
        data.joint(f"{side}_hip_roll_joint").qpos = sign * 0.2
    mujoco.mj_forward(model, data)
    touching = {model.geom(i).name.split("_")[0] for contact in data.contact for i in contact.geom}
    assert touching == {"left", "right"}


@pytest.mark.parametrize("preset", ["feet", "lean", "feet_capsules", "full", "full_without_self"])
def test_collision_rules_match_geoms_and_do_not_overlap(robot, names, preset):
    hits = [i for rule in robot.collisions[preset] for i in match(rule.geoms, names.geoms, "geoms")]
    assert len(hits) == len(set(hits)) > 0


@pytest.mark.parametrize("pace", ["standing", "walking", "running"])
def test_tolerances_cover_every_joint(robot, names, pace):
    values = per_joint(robot.tolerances[pace], names, robot.roles)
    assert len(values) == 29
    assert min(values) > 0


def test_left_and_right_mirror_each_other(robot, names):
    ((left, right),) = robot.mirror.items()
    for listed in (names.joints, names.bodies, names.sites):
        assert {n.replace(left, right) for n in listed if left in n} == {n for n in listed if right in n}


@pytest.mark.parametrize("foot", [0, 1])
def test_the_lift_raises_its_own_foot_by_a_step_and_keeps_it_level(robot: Robot, model, foot):
    data = posed(model, robot.default_pose)
    site = [model.site(name).id for name in robot.roles["feet"].sites]
    before = data.site_xpos[site, 2].copy()
    for joint, change in robot.gait.lift[foot].items():
        data.joint(joint).qpos += change
    mujoco.mj_kinematics(model, data)
    rise = data.site_xpos[site, 2] - before
    assert 0.05 < rise[foot] < 0.15
    assert rise[1 - foot] == 0
    assert data.site_xmat[site[foot]][8] > 0.999
