"""On the path of tensors, which GPUs take, no step reads a tensor in Python or makes one there."""

from __future__ import annotations

import inspect
import math
import runpy
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from mjsdk import ops
from mjsdk.config import (
    Config,
    EnvConfig,
    EventTermConfig,
    NoiseConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    RewardTermConfig,
)
from mjsdk.env import make_env
from mjsdk.mdp import core_terms
from mjsdk.mdp.actions import JointPositionConfig
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.plugins import open_session
from mjsdk.testing.syncs import no_host_syncs
from mjsdk.testing.terms import FREE_BASE, GAIT, Event
from mjsdk.testing.worlds import TESTARM, TESTBOT, TESTTASK, small_env

WORLDS, STEPS = 32, 12
REPO = Path(__file__).parents[2]
TABLES = (REPO / "tests" / "mdp" / "test_terms.py", REPO / "plugins" / "velocity" / "tests" / "test_terms.py")
"""Tests with a case for every term of the core and of the velocity task, which they see to."""
SOON = [0.02, 0.06]
"""Times [s] after which something is due in some world in every step."""
RANDOMIZED = {
    "friction": ("randomize_friction", {"geoms": "@feet", "friction_range": [0.4, 1.2]}),
    "mass": ("randomize_mass", {"bodies": "@base", "mass_range": [0.1, 0.2]}),
    "com": ("randomize_com", {"bodies": "@base", "x": [-0.01, 0.01], "y": [0.0, 0.0], "z": [0.0, 0.01]}),
    "bias": ("randomize_encoder_bias", {"bias_range": [-0.02, 0.02]}),
    "spin": ("reset_root_state_uniform", {"pose_range": {"roll": [0.1, 0.2]}, "velocity_range": {"yaw": [0.0, 0.5]}}),
}
ROBOTS = pytest.mark.parametrize("robot", [TESTBOT, TESTARM, "g1", "go1"], ids=["testbot", "testarm", "g1", "go1"])


@pytest.fixture(autouse=True)
def no_loops(monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", False)


def skip_if_missing(robot):
    if robot in ("g1", "go1"):
        pytest.importorskip(f"mjsdk_robot_{robot}")


def busy(config):
    """In every step episodes end, commands and pushes are due, the curriculum moves, and all memory is in use."""
    env = config.env
    env.scene.num_envs = WORLDS
    env.episode_length_s = 8 * env.step_dt
    for command in env.commands.values():
        if hasattr(command, "resampling_time_range"):
            command.resampling_time_range = SOON
    for event in env.events.values():
        event.interval_range_s = SOON if event.mode == "interval" else None
    for number, term in enumerate(env.observations["actor"].terms.values()):
        term.noise = NoiseConfig(type="gaussian" if number % 2 else "uniform", scale=0.1)
        term.delay_max_lag, term.history_length, term.clip = number % 3, 1 + number % 2, [-5.0, 5.0]
    env.observations["actor"].enable_corruption = True
    for term in env.curriculum.values():
        if term.func == "ramp":
            term.params |= {"first_step": 0, "last_step": 5 * STEPS}


def randomizing(config):
    busy(config)
    for name, (func, params) in RANDOMIZED.items():
        config.env.events[name] = EventTermConfig(func=func, params=params)


def actions(env, steps=STEPS):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(env.num_envs, env.num_actions, generator=generator) for _ in range(steps)]


def ready(env):
    """The environment with worlds of all ages, after a step that has made what is made once."""
    env.stagger_episodes()
    env.step(torch.zeros(env.num_envs, env.num_actions))
    return env


@pytest.mark.parametrize("edit", [busy, randomizing])
@pytest.mark.parametrize(
    ("robot", "task"),
    [(TESTBOT, TESTTASK), (TESTBOT, "velocity"), ("g1", "velocity"), ("go1", "velocity")],
    ids=["testtask", "testbot", "g1", "go1"],
)
def test_no_step_waits_for_a_gpu(robot, task, edit):
    skip_if_missing(robot)
    env = ready(small_env(robot=robot, task=task, edit=edit))
    before, ended = {name: term.command.clone() for name, term in env.commands.terms.items()}, []
    with no_host_syncs(env):
        for action in actions(env):
            *_, terminated, truncated, _ = env.step(action)
            ended.append(terminated | truncated)
    counts = torch.stack(ended).sum(1)
    assert counts.gt(0).sum() >= STEPS // 2
    assert counts.lt(WORLDS).all()
    assert all((term.command != before[name]).any() for name, term in env.commands.terms.items())
    assert all(math.isfinite(value) for value in env.log_iteration().values())


def test_neither_does_one_in_which_physics_blows_up():
    env = ready(small_env(edit=busy))
    steps, failed = actions(env), []
    steps[0][3] = torch.nan
    with no_host_syncs(env):
        for action in steps:
            *_, terminated, _, _ = env.step(action)
            failed.append(terminated)
    assert failed[0].nonzero().tolist() == [[3]]


def every_term(robot, backwards):
    """An environment with all terms that the robot has the parts for; of terms in one place, the last one's."""
    session = open_session(robot, "velocity", core=core_terms)
    facts = session.robot()
    parts = {*facts.roles, *([GAIT] if facts.gait else []), *([FREE_BASE] if robot != TESTARM else [])}
    config = EnvConfig(
        commands={"twist": UniformVelocityConfig(func="uniform_velocity"), "gait": GaitClockConfig(func="gait_clock")},
        actions={"joint_pos": JointPositionConfig(func="joint_position")},
    )
    found = {name: case for table in TABLES for name, case in runpy.run_path(str(table))["CASES"].items()}
    for name, case in sorted(found.items(), reverse=backwards):
        kind, _, func = name.partition("/")
        if not parts.issuperset(case.needs):
            continue
        if isinstance(case, Event):
            config.events[func] = EventTermConfig(func=func, params=dict(case.params))
            if func.startswith("push"):
                config.events[func].mode = "interval"
        else:
            case.put(config, kind, func)
    config.observations["actor"] = ObservationGroupConfig(terms={"pos": ObservationTermConfig(func="joint_pos_rel")})
    config.scene.collisions = "full" if "full" in facts.collisions else ""
    whole = Config(env=config)
    busy(whole)
    return make_env(whole, session, device="cpu", seed=0)


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@ROBOTS
def test_no_term_waits_for_a_gpu(robot, backwards):
    skip_if_missing(robot)
    env, ended = ready(every_term(robot, backwards)), []
    with no_host_syncs(env):
        for action in actions(env):
            *_, terminated, truncated, _ = env.step(action)
            ended.append(terminated | truncated)
    assert torch.stack(ended).any(1).sum() >= STEPS // 2


def test_watching_changes_nothing():
    given = []
    for watched in (True, False):
        env = ready(small_env(task="velocity", edit=randomizing))
        with no_host_syncs(env) if watched else nullcontext():
            steps = [env.step(action) for action in actions(env)]
        given.append([[*observations.values(), *rest] for observations, *rest, _ in steps])
    for one, other in zip(*given, strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.0, equal_nan=True)


X, MASK, IDS, ONE = torch.ones(3, 2), torch.tensor([True, False, True]), torch.tensor([0, 2]), torch.tensor(1.0)


def put(index, value):
    X.clone()[index] = value


SYNCS = {
    "item": lambda: ONE.item(),
    "bool": lambda: bool(ONE),
    "if": lambda: 1 if MASK.any() else 2,
    "int": lambda: int(ONE),
    "float": lambda: float(ONE),
    "math": lambda: math.sqrt(ONE),
    "range": lambda: range(IDS[1]),
    "slice": lambda: X[: IDS[0]],
    "in": lambda: 2.0 in X,
    "format": lambda: f"{ONE:g}",
    "repr": lambda: repr(X),
    "str": lambda: f"{X}",
    "tolist": lambda: X.tolist(),
    "numpy": lambda: X.numpy(),
    "np.sin": lambda: np.asarray(X),
    "cpu": lambda: X.cpu(),
    "nonzero": lambda: MASK.nonzero(),
    "where": lambda: torch.where(MASK),
    "argwhere": lambda: torch.argwhere(X),
    "mask": lambda: X[MASK],
    "mask =": lambda: put(MASK, torch.zeros(2, 2)),
    "ids = 0": lambda: put(IDS, 0.0),
    "[0, 2]": lambda: X[[0, 2]],
    "[0, 2] = 0": lambda: put([0, 2], 0.0),
    "masked_select": lambda: X.masked_select(X > 0.0),
    "unique": lambda: X.unique(),
    "equal": lambda: torch.equal(X, X),
    "allclose": lambda: torch.allclose(X, X),
    "repeat": lambda: X.repeat_interleave(IDS.new_ones(3), 0),
    "bincount": lambda: torch.bincount(IDS),
    "inv": lambda: torch.linalg.inv(torch.eye(2)),
    "tensor": lambda: torch.tensor([1.0, 2.0]),
    "as_tensor": lambda: torch.as_tensor(2.0),
    "from_numpy": lambda: torch.from_numpy(np.ones(2)),
    "new_tensor": lambda: X.new_tensor([1.0]),
}
NO_SYNCS = {
    "arithmetic": lambda: X.clone().add_(1.0).mul(2.0).clamp(0.0, 1.0),
    "where": lambda: torch.where(MASK.unsqueeze(1), X, 0.0),
    "masked_fill": lambda: X.masked_fill(X > 0.0, 1.0),
    "mask = 0": lambda: put(MASK, 0.0),
    "column = 0": lambda: put((slice(None), 0), 0.0),
    "row = row": lambda: put(0, X[1]),
    "ids": lambda: X[IDS] + X.index_select(0, IDS),
    "ids = rows": lambda: put(IDS, X[:2]),
    "index_fill": lambda: X.index_fill(0, IDS, 0.0),
    "as_tensor": lambda: torch.as_tensor(X),
    "sums": lambda: X.any() | MASK.all() | (X.sum(0).max() > X.norm()),
    "shape": lambda: len(X) + X.shape[0] + X.numel(),
    "made here": lambda: torch.zeros(3) + torch.full((3,), 2.0) + torch.arange(3) + torch.rand(3),
    "repeat": lambda: X.repeat_interleave(2, 0).chunk(2, 1)[0].unbind(0),
}
IN_BOTH_MODES = pytest.mark.parametrize("inference", [True, False])


@pytest.fixture(scope="module")
def env():
    return small_env()


@IN_BOTH_MODES
@pytest.mark.parametrize("what", SYNCS)
def test_what_waits_is_found_with_its_place(env, what, inference):
    line = inspect.getsourcelines(SYNCS[what])[1]
    with (
        pytest.raises(AssertionError, match=r"host syncs, for each of which a GPU waits:\n  ") as caught,
        no_host_syncs(env),
        torch.inference_mode(inference),
    ):
        SYNCS[what]()
    places = str(caught.value).splitlines()[1:]
    at_hand = (f"{__file__}:{line} in <lambda>: ", f"{__file__}:{inspect.getsourcelines(put)[1] + 1} in put: ")
    assert len(places) == 1
    assert places[0].strip().startswith(at_hand)
    assert places[0].endswith(", 1 times")


@IN_BOTH_MODES
@pytest.mark.parametrize("what", NO_SYNCS)
def test_what_does_not_wait_is_left_alone(env, what, inference):
    with no_host_syncs(env), torch.inference_mode(inference):
        NO_SYNCS[what]()


def test_physics_may_wait_and_others_may_not_after_it(env):
    with no_host_syncs(env):
        env.physics.state_dict()
        env.physics.load_state_dict(env.physics.state_dict())
    with pytest.raises(AssertionError, match="a number read"), no_host_syncs(env):
        env.physics.bind("qpos").sum().item()


def test_what_goes_wrong_meanwhile_is_not_covered_up(env):
    with pytest.raises(ZeroDivisionError), no_host_syncs(env):
        ONE.item()
        raise ZeroDivisionError
    assert ONE.item() == 1.0


EXTRA = """
import torch
import mjsdk

MJSDK_API = 1

@mjsdk.hookimpl
def mjsdk_reward_terms():
    return {"slow": slow}

def slow(env):
    height = env.robot.root_pos_w[:, 2]
    if height.min() < 0.0:
        return height
    return height * height.max().item() + torch.tensor([1.0] * env.num_envs)
"""


def test_the_lines_of_a_plugin_are_named(tmp_path):
    file = tmp_path / "slow.py"
    file.write_text(EXTRA)
    session = open_session(TESTBOT, TESTTASK, [str(file)], core=core_terms)
    config = Config(env=session.task().env)
    config.env.rewards["slow"] = RewardTermConfig(func="slow:slow", weight=1.0)
    env = make_env(config, session, device="cpu", seed=0)
    with pytest.raises(AssertionError) as caught, no_host_syncs(env):
        env.step(torch.zeros(env.num_envs, env.num_actions))
    lines = [line.strip() for line in str(caught.value).splitlines() if str(file) in line]
    assert lines == [
        f"{file}:13 in slow: a number read from a tensor, 1 times",
        f"{file}:15 in slow: a number read from a tensor, 1 times",
        f"{file}:15 in slow: a tensor made from numbers of the host, 1 times",
    ]
