"""What the package says about the Go1 is true of its model."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import mujoco
import numpy as np
import pytest

import mjsdk_robot_go1
from mjsdk.robot import PARTS
from mjsdk.robot.selection import ModelNames, match, per_joint
from mjsdk.testing.models import posed

RADIUS = 0.023
POSES = ["standing", "home", "crouched"]
MOTORS = {  # joint: armature, kp, kd, effort, action scale; as published
    "FL_hip_joint": (0.004026312, 15.895, 1.012, 23.7, 0.37275),
    "RR_thigh_joint": (0.004026312, 15.895, 1.012, 23.7, 0.37275),
    "FR_calf_joint": (0.009059202, 35.764, 2.277, 35.55, 0.24850),
}


@pytest.fixture(scope="module")
def names(model):
    return ModelNames.of(model)


def test_importing_the_plugin_imports_no_simulator():
    code = "import sys, mjsdk_robot_go1 as go1; go1.mjsdk_robot(); print({'mujoco', 'torch', 'numpy'} & {*sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


def test_the_wheel_carries_the_model(tmp_path):
    package = Path(__file__).parents[1]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=package, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert "mjsdk_robot_go1/go1.xml" in zipfile.ZipFile(wheel).namelist()


def test_loading_twice_gives_equal_models(robot):
    first, second = (mjsdk_robot_go1.mjsdk_load_spec(robot) for _ in range(2))
    assert first is not second
    assert first.to_xml() == second.to_xml()


@pytest.mark.parametrize("part", PARTS)
def test_every_role_names_parts_of_the_model(robot, names, part):
    for role, parts in robot.roles.items():
        assert not set(getattr(parts, part)) - set(getattr(names, part)), role


def test_the_roles_that_tasks_ask_for_are_there_and_no_hands(robot):
    assert {"base", "torso", "imu", "feet", "legs"} <= set(robot.roles)
    assert not {"hands", "arms", "waist"} & set(robot.roles)
    assert sorted(robot.roles["legs"].joints) == sorted(f"{leg}_{j}_joint" for leg in _LEGS for j in _PARTS)


_LEGS, _PARTS = ("FL", "FR", "RL", "RR"), ("hip", "thigh", "calf")


def test_feet_come_front_before_rear_and_left_before_right(robot, model):
    data = posed(model, robot.default_pose)
    x, y, _ = np.array([data.site(name).xpos for name in robot.roles["feet"].sites]).T
    assert list(np.sign(x)) == [1, 1, -1, -1]
    assert list(np.sign(y)) == [1, -1, 1, -1]


def test_every_joint_has_one_motor(robot, names):
    owners = [i for group in robot.actuators for i in match(group.joints, names.joints, "joints")]
    assert sorted(owners) == list(range(12))


@pytest.mark.parametrize("joint", MOTORS)
def test_motor_figures_are_the_published_ones(robot, joint):
    (group,) = [group for group in robot.actuators if any(re.fullmatch(pattern, joint) for pattern in group.joints)]
    figures = (group.armature, group.kp, group.kd, group.effort_limit, group.action_scale)
    np.testing.assert_allclose(figures, MOTORS[joint], rtol=5e-4)  # the table has three decimals


@pytest.mark.parametrize("pose", POSES)
def test_poses_are_within_soft_limits(robot, model, names, pose):
    values = np.array(per_joint(robot.poses[pose].joint_pos, names, robot.roles, default=0.0))
    low, high = model.jnt_range[1:].T
    middle, half = (low + high) / 2, (high - low) / 2 * robot.soft_joint_pos_limit_factor
    assert np.all(np.abs(values - middle) <= half)


@pytest.mark.parametrize("pose", POSES)
def test_poses_stand_on_all_feet(robot, model, pose):
    data = posed(model, robot.poses[pose])
    heights = [data.geom(name).xpos[2] - RADIUS for name in robot.roles["feet"].geoms]
    np.testing.assert_allclose(heights, 0.0, atol=0.001)


def test_it_stands_with_its_feet_outside_of_its_hips(robot, model):
    data = posed(model, robot.default_pose)
    for leg in _LEGS:
        assert abs(data.site(leg).xpos[1]) > abs(data.body(f"{leg}_thigh").xpos[1])


def test_the_lean_preset_has_one_sphere_per_foot(robot, names):
    assert robot.default_collisions == "feet"
    (rule,) = robot.collisions["feet"]
    assert {names.geoms[i] for i in match(rule.geoms, names.geoms, "geoms")} == set(robot.roles["feet"].geoms)


@pytest.mark.parametrize("preset", ["feet", "full", "full_without_self"])
def test_collision_rules_match_geoms_and_do_not_overlap(robot, names, preset):
    hits = [i for rule in robot.collisions[preset] for i in match(rule.geoms, names.geoms, "geoms")]
    assert len(hits) == len(set(hits)) == (4 if preset == "feet" else 30)


@pytest.mark.parametrize("pace", ["standing", "walking", "running"])
def test_tolerances_cover_every_joint(robot, names, pace):
    values = per_joint(robot.tolerances[pace], names, robot.roles)
    assert len(values) == 12
    assert min(values) > 0


def test_left_and_right_mirror_each_other(robot, names):
    for left, right in robot.mirror.items():
        for listed in (names.joints, names.bodies, names.sites):
            assert {n.replace(left, right) for n in listed if left in n} == {n for n in listed if right in n}


@pytest.mark.parametrize("foot", range(4))
def test_the_lift_raises_its_own_foot_by_a_step_straight_up(robot, model, foot):
    data = posed(model, robot.default_pose)
    site = [model.site(name).id for name in robot.roles["feet"].sites]
    before = data.site_xpos[site].copy()
    for joint, change in robot.gait.lift[foot].items():
        data.joint(joint).qpos += change
    mujoco.mj_kinematics(model, data)
    rise = data.site_xpos[site] - before
    assert 0.05 < rise[foot, 2] < 0.08
    assert abs(rise[foot, 0]) < 0.002
    assert not np.delete(rise, foot, axis=0).any()


def test_diagonal_legs_swing_together(robot):
    front_left, front_right, rear_left, rear_right = robot.gait.offsets
    assert front_left == rear_right != front_right == rear_left
