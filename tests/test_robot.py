from __future__ import annotations

import math

import pytest

from mjsdk.errors import HookError
from mjsdk.plugins import open_session
from mjsdk.robot import ActuatorGroup, CollisionRule, Gait, InitialState, Robot

NAN, INF = math.nan, math.inf
ARM = """
from mjsdk import hookimpl
from mjsdk.robot import ActuatorGroup, Robot

MJSDK_API = 1

@hookimpl
def mjsdk_robot():
    return Robot(name="odd", actuators=(ActuatorGroup(joints="hip", kp=0.0, kd=1.0, effort_limit=1.0),))

@hookimpl
def mjsdk_load_spec(robot):
    raise AssertionError("nobody asks for a model of impossible facts")
"""


def group(**facts):
    return ActuatorGroup(**{"joints": "hip", "kp": 1.0, "kd": 1.0, "effort_limit": 1.0, **facts})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("kp", value) for value in (NAN, INF, 0.0, -1.0, None, "40", True)),
        *(("kd", value) for value in (NAN, -0.1, None)),
        *(("effort_limit", value) for value in (NAN, 0.0, -5.0)),
        *(("velocity_limit", value) for value in (NAN, 0.0)),
        *(("armature", value) for value in (NAN, -0.01)),
        *(("frictionloss", value) for value in (INF, -0.01)),
    ],
)
def test_motors_have_numbers_that_make_sense(name, value):
    with pytest.raises(ValueError, match=f"^ActuatorGroup of hip: {name} must be a finite number .*, not {value!r}$"):
        group(**{name: value})


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"friction": (-0.1,)}, "friction must be a finite number of at least 0, not -0.1"),
        ({"friction": (NAN,)}, "friction must be finite numbers, not nan"),
        ({"friction": ()}, "friction must be 1 or 2 or 3 numbers, not ()"),
        ({"friction": 0.6}, "friction must be 1 or 2 or 3 numbers, not 0.6"),
        ({"condim": 2}, "condim must be 1, 3, 4 or 6, not 2"),
        ({"priority": 10**12}, "priority must fit into 32 bits, not 1000000000000; 1 is enough"),
        ({"priority": NAN}, "priority must be a finite number, not nan"),
        ({"friction": (10**400,)}, "friction must be finite numbers, not a whole number of hundreds of digits"),
        ({"solref": (0.02,)}, "solref must be 2 numbers, not (0.02,)"),
    ],
)
def test_collision_rules_have_numbers_that_make_sense(facts, message):
    with pytest.raises(ValueError, match="CollisionRule of foot: ") as caught:
        CollisionRule(geoms="foot", **facts)
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize(
    "facts",
    [
        {"pos": (0.0, 0.0)},
        {"pos": (0.0, NAN, 0.0)},
        {"pos": "abc"},
        {"quat": (0.0, 0.0, 0.0, 0.0)},
        {"quat": (1.0, 1.0, 0.0, 0.0)},
        {"quat": (1.0, 0.0, 0.0)},
        {"quat": (NAN, 0.0, 0.0, 0.0)},
        {"quat": 1.0},
        {"joint_pos": {"hip": INF}},
    ],
)
def test_poses_are_places_and_quaternions(facts):
    with pytest.raises(ValueError, match=f"^InitialState: {next(iter(facts))} "):
        InitialState(**facts)


def test_a_quaternion_with_few_digits_is_made_exact():
    assert math.hypot(*InitialState(quat=(0.707, 0.707, 0.0, 0.0)).quat) == pytest.approx(1.0, abs=1e-15)
    assert InitialState().quat == (1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "facts",
    [
        {"frequency": 0.0},
        {"frequency": NAN},
        {"offsets": ()},
        {"offsets": (0.0, 1.5)},
        {"offsets": (0.0, NAN)},
        {"lift": ({"hip": 0.1},)},
        {"lift": ({"hip": 0.1}, {"hip": NAN})},
    ],
)
def test_gaits_have_a_number_for_every_foot(facts):
    with pytest.raises(ValueError, match=f"^Gait: {next(iter(facts))} "):
        Gait(**{"frequency": 1.5, "offsets": (0.0, 0.5), **facts})


@pytest.mark.parametrize(
    "facts",
    [
        {"soft_joint_pos_limit_factor": 0.0},
        {"soft_joint_pos_limit_factor": 1.1},
        {"soft_joint_pos_limit_factor": NAN},
        {"tolerances": {"standing": {"hip": 0.0}}},
        {"mirror": {"": "right"}},
        {"mirror": {"left": "left"}},
        {"poses": {}},
    ],
)
def test_robots_have_facts_that_make_sense(facts):
    with pytest.raises(ValueError, match=f"^Robot 'biped': {next(iter(facts))} "):
        Robot(name="biped", **facts)


def test_a_plugin_with_impossible_facts_is_reported_where(site):
    robot = site.file("odd.py", ARM)
    with pytest.raises(HookError, match=r"kp must be a finite number above 0, not 0.0 \(.*odd.py:\d+\)"):
        open_session(str(robot)).robot()
