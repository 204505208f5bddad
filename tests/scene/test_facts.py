from __future__ import annotations

import attrs
import pytest

from mjsdk.errors import SceneError
from mjsdk.plugins import open_session
from mjsdk.robot import CollisionRule, Gait, InitialState, Role, Roles
from mjsdk.scene import compile_robot, robot_alone
from mjsdk.scene.facts import odd_pose
from mjsdk.testing.worlds import TESTBOT


@pytest.fixture
def session():
    return open_session(TESTBOT)


def change(session, **facts):
    session.__dict__["_robot"] = attrs.evolve(session.robot(), **facts)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"poses": {"low": InitialState(joint_pos={".*_hipp": 1})}},
            "pose 'low', joint_pos: '.*_hipp' matches no joints",
        ),
        ({"poses": {"low": InitialState(joint_pos={".*_hipp": 1})}}, "did you mean '"),
        ({"tolerances": {"standing": {"knee": 0.1}}}, "tolerances 'standing': 'knee' matches no joints"),
        ({"gait": Gait(frequency=1, offsets=(0,), lift=({"@knees": 1},))}, "gait, lift of foot 0: no role 'knees'"),
        (
            {"collisions": {"feet": (), "bad": (CollisionRule(geoms="tail"),)}},
            "collisions 'bad': 'tail' matches no geoms",
        ),
        ({"roles": Roles(imu=Role(sites="imi"))}, "role 'imu', sites: no 'imi', did you mean 'imu'?"),
    ],
)
def test_facts_that_do_not_fit_the_model_name_robot_and_field(session, facts, message):
    change(session, **facts)
    with pytest.raises(SceneError) as caught:
        robot_alone(session)
    assert str(caught.value).startswith("robot 'testbot' (")
    assert message in str(caught.value)


def test_a_sound_robot_has_no_odd_pose(session):
    assert odd_pose(session, compile_robot(session)) == []


def test_a_pose_beyond_the_joints_ranges_warns(session):
    change(session, poses={"bent": InitialState(pos=(0, 0, 1), joint_pos={"left_hip": 1.5})})
    (warning,) = odd_pose(session, compile_robot(session))
    assert warning == "robot 'testbot', pose 'bent': left_hip is at 1.5 rad, outside of its range -1 .. 1"


def test_a_pose_in_the_ground_warns(session):
    change(session, poses={"deep": InitialState(pos=(0, 0, 0.25))})
    (warning,) = odd_pose(session, compile_robot(session))
    assert "_foot_geom' is 0.05 m under the ground" in warning
