from __future__ import annotations

import attrs
import pytest

from mjsdk.errors import SceneError
from mjsdk.plugins import open_session
from mjsdk.robot import CollisionRule, Gait, InitialState, Role, Roles
from mjsdk.scene import compile_robot, on_ground, robot_alone
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
        ({"roles": Roles(pair=Role(bodies=("trunk", "trunk")))}, "role 'pair', bodies: trunk, trunk names some twice"),
        ({"roles": Roles(legs=Role(joints="base"))}, "role 'legs', joints: no 'base'"),
        ({"tolerances": {"standing": {"left_.*": 0.1}}}, "tolerances 'standing': no value for the joints right_hip"),
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


def odd(session, pose="", preset="", **facts):
    change(session, **facts)
    return odd_pose(session, on_ground(session, robot_alone(session, preset)), pose, preset)


def rule(**facts):
    return {"feet": (CollisionRule(geoms=".*_foot_geom", **facts),)}


@pytest.mark.parametrize("pose", ["stand", "lean"])
@pytest.mark.parametrize("collisions", ["feet", "full"])
def test_a_sound_robot_on_the_ground_is_not_odd(session, pose, collisions):
    assert odd(session, pose, collisions) == []


def test_a_base_that_begins_tilted_warns_once(session):
    (warning,) = odd(session, poses={"lying": InitialState(pos=(0, 0, 0.5), quat=(0.7071068, 0.7071068, 0, 0))})
    assert warning.startswith("robot 'testbot', pose 'lying': the base begins tilted by 90 deg")


def test_a_base_that_only_faces_elsewhere_does_not_warn(session):
    assert odd(session, poses={"turned": InitialState(pos=(0, 0, 0.3), quat=(0, 0, 0, 1))}) == []


def test_feet_that_can_touch_nothing_are_named(session):
    feet = Role(bodies=("left_leg", "trunk"), sites=("left_foot", "right_foot"))
    (warning,) = odd(session, roles=Roles(base=Role(bodies="trunk"), feet=feet))
    assert "the feet trunk have no geom that collides with the ground" in warning


@pytest.mark.parametrize(
    ("facts", "lost"),
    [
        ({"friction": (0.8,)}, "friction 0.8"),
        ({"friction": (1.2, 0.001)}, "friction 1.2, 0.001"),
        ({"friction": (1.0,), "condim": 1}, "condim 1"),
        ({"friction": (1.0,), "solref": (0.005, 1.0)}, "solref"),
    ],
)
def test_what_the_ground_overrules_warns(session, facts, lost):
    (warning,) = odd(session, collisions=rule(priority=0, **facts))
    assert f"{lost} of the collision rule of .*_foot_geom does not hold on the ground" in warning
    assert odd(session, collisions=rule(**facts)) == []


@pytest.mark.parametrize("facts", [{"friction": (1.2,)}, {"friction": (1.0,), "condim": 4}, {"world": False}])
def test_what_holds_on_the_ground_anyway_does_not_warn(session, facts):
    feet_on_ground = rule(priority=0, self_collision=True, **facts)["feet"]
    legs = Roles(base=Role(bodies="trunk"))
    assert odd(session, collisions={"feet": feet_on_ground}, roles=legs, gait=None) == []


def test_a_stand_that_the_servos_cannot_hold_warns(session):
    (warning,) = odd(session, poses={"behind": InitialState(pos=(0, 0, 0.28), joint_pos={".*": 0.9})})
    assert "pose 'behind': its servos do not hold it: after 0." in warning


def test_a_robot_without_feet_is_not_asked_to_stand(session):
    base = Roles(base=Role(bodies="trunk"))
    falling = InitialState(pos=(0, 0, 0.28), joint_pos={".*": 0.9})
    assert odd(session, roles=base, poses={"behind": falling}) == []


@pytest.mark.parametrize(
    ("mirror", "message"),
    [
        ({"L_": "R_"}, "'L_': 'R_' is in no name"),
        ({"left_f": "right_f"}, "joint 'left_hip' has no partner, and is 0.15 m beside the middle"),
    ],
)
def test_a_mirror_that_leaves_joints_without_a_partner_is_refused(session, mirror, message):
    with pytest.raises(SceneError, match="'testbot' is not symmetric as its mirror says") as caught:
        odd(session, mirror=mirror)
    assert message in str(caught.value)


def test_a_partner_in_another_place_is_refused(session):
    spec = session.load_spec()
    spec.body("right_leg").pos = [0.05, -0.15, 0.0]
    session.load_spec = lambda: spec
    with pytest.raises(SceneError, match=r"joint 'left_hip' is 0.05 m away from the mirror image of 'right_hip'"):
        odd(session)


def test_a_gait_for_other_feet_is_refused(session):
    change(session, gait=Gait(frequency=1.0, offsets=(0.0, 0.25, 0.5)))
    with pytest.raises(SceneError, match="gait, offsets: 3 for 2 feet"):
        robot_alone(session)


def test_what_explains_a_fall_is_reported_alone(session):
    change(session, poses={"high": InitialState(pos=(0, 0, 1.3))})
    assert odd(session) == ["robot 'testbot', pose 'high': it begins 1 m above the ground, and falls on it; lower pos"]


def test_many_joints_beyond_their_ranges_are_one_warning(session):
    change(session, poses={"bent": InitialState(pos=(0, 0, 0.3), joint_pos={".*": 1.5})})
    (warning,) = odd(session)
    assert warning.endswith("left_hip is at 1.5 rad, outside of its range -1 .. 1, and so are 1 other joints")


def test_a_lift_that_presses_a_foot_down_warns(session):
    change(
        session,
        poses={"lean": InitialState(pos=(0, 0, 0.3), joint_pos={".*": 0.1})},
        gait=Gait(frequency=1, offsets=(0, 0.5), lift=({"left_hip": -0.1}, {"right_hip": 0.1})),
    )
    assert [text for text in odd(session) if "lift" in text] == [
        "robot 'testbot', pose 'lean': gait: the lift of left_foot does not move it up from there; look at its joints "
        "and signs"
    ]


def test_an_effort_that_the_models_joint_cuts_warns(session):
    load = session.load_spec

    def weak():
        spec = load()
        spec.joint("left_hip").actfrcrange = [-3, 4]
        return spec

    session.load_spec = weak
    (warning,) = [text for text in odd(session) if "effort" in text]
    assert "left_hip takes 3 N m at most (actuatorfrcrange), not 10" in warning


def test_parts_that_are_not_on_the_robot_warn(session):
    load = session.load_spec

    def with_mark():
        spec = load()
        spec.worldbody.add_site(name="mark")
        return spec

    session.load_spec = with_mark
    change(session, roles=Roles(**{**session.robot().roles, "imu": Role(sites="mark"), "goal": Role(sites="mark")}))
    (warning,) = odd(session)
    assert "role 'imu': mark is not on the robot" in warning


def test_feet_whose_sites_and_bodies_are_in_different_orders_are_refused(session):
    feet = attrs.evolve(session.robot().roles["feet"], sites=("right_foot", "left_foot"))
    change(session, roles=Roles(**{**session.robot().roles, "feet": feet}))
    with pytest.raises(SceneError, match="role 'feet': site 'right_foot' stands at place 1, its body .* at place 2"):
        robot_alone(session)
