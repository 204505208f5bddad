"""Every term of the velocity task gives what it says, on every robot."""

from __future__ import annotations

import itertools

import mujoco
import numpy as np
import pytest

from mjsdk.config import SensorConfig
from mjsdk.testing.terms import GAIT, Stage, Value
from mjsdk.testing.worlds import TESTARM, TESTBOT

CONTACT = {"feet_contact": SensorConfig(type="contact", on="@feet", track_air_time=True)}
VELOCITY = {"feet_velocity": SensorConfig(type="framelinvel", on="@feet")}
TWIST = {"command": "twist"}
NEEDS = ("feet",)


def feet(now):
    """Their sites' positions and velocities in the world, shape (F, 3) each, and loads [N], shape (F,)."""
    role = now.robot.roles["feet"]
    return now.places(role.sites), now.velocities(role.sites)[:, 3:], now.loads(role.bodies)[-1]


def ground_speed(now):
    return np.linalg.norm(feet(now)[1][:, :2], axis=1)


def speed_asked(now):
    return abs(now.asked("twist")).sum()


def flights(now):
    """Seconds that each foot flew until it touched down in this step, shape (F,); NaN for those that did not."""
    touching = now.loads(now.robot.roles["feet"].bodies) > 1.0
    if now.age == 0:
        return np.full(touching.shape[1], np.nan)
    in_the_air = [len(list(itertools.takewhile(lambda touch: not touch, foot[-2:0:-1]))) for foot in touching.T]
    return np.where(touching[-1] & ~touching[-2], (np.array(in_the_air) + 1) * now.dt, np.nan)


def air_time(now):
    return np.nansum(flights(now) - 0.1) * (speed_asked(now) > 0.05)


def clearance(now):
    heights = feet(now)[0][:, 2]
    return (abs(heights - 0.05) * ground_speed(now)).sum() * (speed_asked(now) > 0.05)


def default_feet(now):
    """Positions of the feet's sites in the pose that episodes start from, shape (F, 3)."""
    data = mujoco.MjData(now.model)
    mujoco.mj_resetDataKeyframe(now.model, data, now.model.key("initial").id)
    mujoco.mj_kinematics(now.model, data)
    return np.array([data.site(name).xpos for name in now.robot.roles["feet"].sites])


def distances(places):
    return np.array([np.linalg.norm((a - b)[:2]) for a, b in itertools.combinations(places, 2)])


def crowding(now):
    nearest = 0.95 * distances(default_feet(now))
    return np.maximum(1.0 - distances(feet(now)[0]) / nearest, 0.0).sum()


def gait(now):
    """By the words of the term: half for no load, half for height, less for weight; or no slip on the ground."""
    places, _, loads = feet(now)
    lift = np.clip((places[:, 2] - default_feet(now)[:, 2].min()) / 0.08, 0.0, 1.0)
    swinging = 0.5 * lift + 0.5 * (loads <= 1.0) - 0.5 * (loads > 20.0)
    standing = np.exp(-((ground_speed(now) / 0.3) ** 2)) * (loads > 1.0)
    swings = (now.kept("command/gait/foot_phase") < 0.5) & now.kept("command/gait/step_commanded")
    return np.where(swings, swinging, standing).mean()


def torso_tilts(now):
    """Angle from the z axis of each body of the torso to the vertical."""
    return np.array([np.arccos(now.data.body(name).xmat[8]) for name in now.robot.roles["torso"].bodies])


TOLERANCES = {"standing": {".*": 0.1}, "walking": {".*": 0.4}, "running": {".*": 0.8}}


def posture(now):
    speed = speed_asked(now)
    tolerance = 0.1 if speed <= 0.05 else 0.4 if speed <= 1.0 else 0.8
    return np.exp(-np.mean((now.joint_error / tolerance) ** 2))


CASES = {
    "observation/velocity:foot_force": Value(
        lambda now: np.log1p(abs(now.forces(now.robot.roles["feet"].bodies)[-1, :, 2])),
        sensors=CONTACT,
        needs=NEEDS,
    ),
    "observation/velocity:foot_height": Value(lambda now: feet(now)[0][:, 2], needs=NEEDS),
    "reward/velocity:air_time": Value(air_time, {**TWIST, "target": 0.1}, CONTACT, NEEDS),
    "reward/velocity:body_upright": Value(
        lambda now: np.exp(-np.mean(np.sin(torso_tilts(now)) ** 2) / 0.45**2), needs=("torso",)
    ),
    "reward/velocity:foot_clearance": Value(clearance, {**TWIST, "target": 0.05}, VELOCITY, NEEDS),
    "reward/velocity:foot_crowding": Value(crowding, {"share": 0.95}, needs=NEEDS),
    "reward/velocity:foot_slip": Value(
        lambda now: (ground_speed(now) ** 2)[feet(now)[2] > 1.0].sum(), sensors=CONTACT | VELOCITY, needs=NEEDS
    ),
    "reward/velocity:gait": Value(gait, sensors=CONTACT | VELOCITY, needs=(*NEEDS, GAIT)),
    "reward/velocity:marching": Value(
        lambda now: now.kept("command/gait/moving") and not now.kept("command/gait/step_commanded")
    ),
    "reward/velocity:posture": Value(posture, {**TWIST, **TOLERANCES, "running_speed": 1.0}),
    "reward/velocity:soft_landing": Value(
        lambda now: feet(now)[2][~np.isnan(flights(now))].sum(), sensors=CONTACT, needs=NEEDS
    ),
}


@pytest.fixture(scope="module", params=[TESTBOT, TESTARM, "g1", "go1"], ids=["testbot", "testarm", "g1", "go1"])
def stage(request):
    if request.param in ("g1", "go1"):
        pytest.importorskip(f"mjsdk_robot_{request.param}")
    return Stage(CASES, request.param, "velocity", thorough=request.param in (TESTBOT, TESTARM))


def test_every_term_has_a_case(stage):
    stage.check_complete("velocity")


@pytest.mark.parametrize("name", CASES)
def test_a_term_gives_what_it_says(stage, name):
    stage.check(name)
