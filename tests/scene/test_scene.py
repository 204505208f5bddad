from __future__ import annotations

import attrs
import mujoco
import numpy as np
import pytest

from mjsdk.config import EnvConfig, SceneConfig, SensorConfig
from mjsdk.errors import ConfigError, MjsdkError, SceneError, SelectionError
from mjsdk.plugins import open_session
from mjsdk.robot import ActuatorGroup, CollisionRule
from mjsdk.scene import build_scene, compile_robot
from mjsdk.scene.actuators import apply_actuators
from mjsdk.scene.collisions import apply_collisions
from mjsdk.testing.worlds import TESTBOT


@pytest.fixture(scope="module")
def session():
    return open_session(TESTBOT)


def config(**scene):
    return EnvConfig(scene=SceneConfig(**scene))


def test_actuators_are_servos_with_the_groups_numbers(session):
    model = compile_robot(session)
    assert [model.actuator(i).name for i in range(model.nu)] == ["left_hip", "right_hip"]
    np.testing.assert_allclose(model.actuator_gainprm[:, 0], 20.0)
    np.testing.assert_allclose(model.actuator_biasprm[:, 1:3], [[-20.0, -1.0]] * 2)
    np.testing.assert_allclose(model.actuator_forcerange, [[-10.0, 10.0]] * 2)
    np.testing.assert_allclose(model.dof_armature[6:], 0.01)


def test_the_default_collisions_are_the_first(session):
    default, first = (compile_robot(session, name) for name in ("", next(iter(session.robot().collisions))))
    np.testing.assert_array_equal(default.geom_conaffinity, first.geom_conaffinity)


def test_an_unknown_collision_preset_lists_the_legal_ones(session):
    with pytest.raises(SelectionError) as caught:
        compile_robot(session, "ful")
    assert str(caught.value).startswith("robot 'testbot' has no collision preset 'ful', did you mean 'full'? Legal: ")


def test_a_joint_in_two_groups_is_an_error(session):
    groups = (
        ActuatorGroup(joints=".*", kp=1, kd=1, effort_limit=1),
        ActuatorGroup(joints="left.*", kp=1, kd=1, effort_limit=1),
    )
    robot = attrs.evolve(session.robot(), actuators=groups)
    with pytest.raises(SceneError, match="'left_hip' is in two actuator groups"):
        apply_actuators(robot, session.load_spec())


def test_an_actuator_pattern_that_matches_nothing_lists_the_joints(session):
    robot = attrs.evolve(session.robot(), actuators=(ActuatorGroup(joints="knee", kp=1, kd=1, effort_limit=1),))
    with pytest.raises(SceneError, match="'knee' matches no joints.*left_hip, right_hip"):
        apply_actuators(robot, session.load_spec())


def test_only_geoms_of_the_preset_collide(session):
    model = build_scene(session, config(collisions="feet"), visuals=True).model
    colliding = {model.geom(i).name for i in range(model.ngeom) if model.geom_conaffinity[i]}
    assert colliding == {"floor", "left_foot_geom", "right_foot_geom"}
    assert not model.geom_contype[model.geom("left_foot_geom").id]


def test_self_collision_is_the_rules_choice(session):
    model = build_scene(session, config(collisions="full")).model
    assert model.geom_contype[model.geom("trunk_geom").id] == 2


def contacts(robot, session, rules):
    """Pairs of geoms that touch where all of them are large."""
    spec = session.load_spec()
    apply_collisions(attrs.evolve(robot, collisions={"some": rules}), spec, "some")
    for geom in spec.geoms:
        geom.pos, geom.size = [0.0, 0.0, 0.0], [0.5, 0.5, 0.5]
    spec.worldbody.add_geom(name="ground", size=[0.5, 0.5, 0.5])
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return {frozenset(model.geom(i).name for i in contact.geom) for contact in data.contact}


def test_geoms_that_collide_with_the_robot_only_touch_neither_the_world_nor_others(session):
    robot = session.robot()
    feet = CollisionRule(geoms=".*_foot_geom", world=False, self_collision=True)
    trunk = CollisionRule(geoms="trunk_geom")
    found = contacts(robot, session, (feet, trunk))
    assert found == {frozenset({"left_foot_geom", "right_foot_geom"}), frozenset({"trunk_geom", "ground"})}


def test_training_leaves_out_what_only_looks_good_and_keeps_the_physics(session):
    lean, full = (build_scene(session, config(), visuals=visuals).model for visuals in (False, True))
    assert lean.ngeom < full.ngeom
    np.testing.assert_allclose(lean.body_mass, full.body_mass)
    np.testing.assert_allclose(lean.body_inertia, full.body_inertia)


def test_the_initial_keyframe_is_the_pose_held_by_its_servos(session):
    scene = build_scene(session, config(pose="lean"))
    key = scene.model.key("initial")
    np.testing.assert_allclose(key.qpos, [0, 0, 0.3, 1, 0, 0, 0, 0.1, 0.1])
    np.testing.assert_allclose(key.ctrl, [0.1, 0.1])
    assert scene.default_joint_pos == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ({"pose": "standd"}, "no pose 'standd', did you mean 'stand'"),
        ({"collisions": "ful"}, "no collision preset 'ful', did you mean 'full'"),
        ({"terrain": "moon"}, "unknown terrain 'moon'. Legal: flat"),
    ],
)
def test_a_name_that_is_not_there_is_an_error_with_the_legal_ones(session, scene, message):
    with pytest.raises(MjsdkError, match=message):
        build_scene(session, config(**scene))


def test_sensors_keep_the_order_of_their_role(session):
    scene = build_scene(
        session,
        config(sensors={"touch": SensorConfig(type="contact", on="@feet"), "imu": SensorConfig(type="gyro", on="imu")}),
    )
    assert scene.sensors["touch"].parts == ("left_leg", "right_leg")
    assert (scene.sensors["touch"].width, scene.sensors["imu"].start) == (3, 6)


def test_a_contact_sensor_carries_the_robots_weight(session):
    scene = build_scene(session, config(sensors={"touch": SensorConfig(type="contact", on="@feet")}))
    model, data = scene.model, mujoco.MjData(scene.model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    for _ in range(400):
        mujoco.mj_step(model, data)
    force = data.sensordata.reshape(2, 3).sum(0)
    assert abs(force[2]) == pytest.approx(model.body_mass.sum() * 9.81, rel=0.05)


def test_contacts_with_the_ground_are_counted_by_geom_and_for_all_below_a_body(session):
    sensors = {
        "all": SensorConfig(type="subtreegroundcontacts", on="@base"),
        "feet": SensorConfig(type="groundcontacts", on="@feet"),
    }
    scene = build_scene(session, config(sensors=sensors))
    model, data = scene.model, mujoco.MjData(scene.model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.qpos[2] += 1.0
    mujoco.mj_step(model, data)
    assert not data.sensordata.any()
    mujoco.mj_resetDataKeyframe(model, data, 0)
    for _ in range(400):
        mujoco.mj_step(model, data)
    feet = scene.sensors["feet"]
    assert feet.width == scene.sensors["all"].width == 1
    assert data.sensordata[scene.sensors["all"].start] == data.ncon
    assert data.sensordata[feet.start : feet.start + feet.count].sum() == data.ncon > 0


def test_sensors_on_nothing_are_all_named(session):
    sensors = {"a": SensorConfig(type="gyro", on="nose"), "b": SensorConfig(type="contact", on="tail")}
    with pytest.raises(ConfigError) as error:
        build_scene(session, config(sensors=sensors))
    assert "env.scene.sensors.a.on" in str(error.value)
    assert "env.scene.sensors.b.on" in str(error.value)
