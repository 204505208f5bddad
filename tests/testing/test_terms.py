"""The stage for terms lets a right one pass and tells what is wrong with the others."""

from __future__ import annotations

import pytest

from mjsdk.testing.terms import FREE_BASE, Effect, Event, Stage, Value
from mjsdk.testing.worlds import TESTARM, TESTBOT

EXTRA = """
import mjsdk
import torch
from mjsdk.env import reflects
from mjsdk.env.mirror import AXIAL, POLAR
from mjsdk.ops.compiled import LoopOps

MJSDK_API = 1

@reflects(POLAR)
def drift(env):
    return env.robot.root_lin_vel_b

@reflects(AXIAL)
def mirrored_wrongly(env):
    return env.robot.root_lin_vel_b

def rising(env):
    return env.robot.root_lin_vel_w[:, 2]

def falling(env):
    return -env.robot.root_lin_vel_w[:, 2]

def double(env):
    return env.robot.joint_vel[:, 0].double()

def two_ways(env):
    return env.robot.joint_vel[:, 0 if isinstance(env.ops, LoopOps) else 1]

def always(env):
    return torch.ones(env.num_envs)

def everywhere(env, worlds, bias):
    env.robot.encoder_bias.uniform_(0.0, bias, generator=env.generator)

def the_same(env, worlds, bias):
    worlds.fill(env.robot.encoder_bias, bias)

@mjsdk.hookimpl
def mjsdk_observation_terms():
    return {"drift": drift, "mirrored_wrongly": mirrored_wrongly}

@mjsdk.hookimpl
def mjsdk_reward_terms():
    return {f.__name__: f for f in (rising, falling, double, two_ways, always)}

@mjsdk.hookimpl
def mjsdk_event_terms():
    return {"everywhere": everywhere, "the_same": the_same}
"""

RISE = Value(lambda now: now.data.qvel[2], needs=(FREE_BASE,))
DRIFT = Value(lambda now: now.rotation.T @ now.data.qvel[:3], needs=(FREE_BASE,))
BIAS = Event({"bias": 0.1}, "encoder_bias", lambda env, values: values.clip(0.0, 0.1))
CASES = {
    "observation/my_extra:drift": DRIFT,
    "observation/my_extra:mirrored_wrongly": DRIFT,
    "reward/my_extra:rising": RISE,
    "reward/my_extra:falling": RISE,
    "reward/my_extra:double": Value(lambda now: now.joint_vel[0]),
    "reward/my_extra:two_ways": Value(lambda now: now.joint_vel[0]),
    "reward/my_extra:always": Value(lambda now: 1.0),
    "event/my_extra:everywhere": BIAS,
    "event/my_extra:the_same": BIAS,
}


@pytest.fixture(scope="module")
def extra(tmp_path_factory):
    path = tmp_path_factory.mktemp("extra") / "my_extra.py"
    path.write_text(EXTRA)
    return [str(path)]


@pytest.fixture(scope="module")
def stage(extra):
    return Stage(CASES, TESTBOT, extras=extra)


@pytest.mark.parametrize("name", ["observation/my_extra:drift", "reward/my_extra:rising"])
def test_a_right_term_passes(stage, name):
    stage.check(name)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("observation/my_extra:mirrored_wrongly", "instead of"),
        ("reward/my_extra:falling", r"worst at \(step, world, \.\.\.\)"),
        ("reward/my_extra:double", "gives a tensor of torch.float64"),
        ("reward/my_extra:two_ways", "instead of"),
        ("reward/my_extra:always", "should be 1.0 all along"),
        ("event/my_extra:everywhere", "instead of"),
        ("event/my_extra:the_same", "the same in all worlds"),
    ],
)
def test_a_wrong_term_is_caught(stage, name, what):
    with pytest.raises(AssertionError, match=what):
        stage.check(name)


def test_a_term_that_works_without_what_it_is_said_to_need_is_caught(extra):
    cases = CASES | {"reward/my_extra:always": Value(lambda now: 1.0, needs=(FREE_BASE,))}
    stage = Stage(cases, TESTARM, extras=extra)
    stage.check("reward/my_extra:rising")
    with pytest.raises(AssertionError, match="works on a robot without {'free base'}"):
        stage.check("reward/my_extra:always")


def test_a_term_without_a_case_and_a_case_without_a_term_are_reported(extra):
    Stage(CASES, TESTBOT, extras=extra).check_complete("my_extra")
    lacking = {name: case for name, case in CASES.items() if not name.endswith("double")}
    with pytest.raises(AssertionError, match="no known value for reward/my_extra:double: add a case"):
        Stage(lacking, TESTBOT, extras=extra).check_complete("my_extra")
    unknown = CASES | {"action/my_extra:fly": Effect(lambda config: None, lambda env: (env.actions.controls, 0.0))}
    with pytest.raises(AssertionError, match="no term for the cases action/my_extra:fly"):
        Stage(unknown, TESTBOT, extras=extra).check_complete("my_extra")
