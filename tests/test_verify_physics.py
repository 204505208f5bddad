"""Both physics from the same states: what agrees, what does not, and what of it is known."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import pytest
import torch

from mjsdk import verify
from mjsdk.config.settings import compose
from mjsdk.errors import ConfigError
from mjsdk.mdp import core_terms
from mjsdk.physics.cpu import CpuPhysics
from mjsdk.physics.warp import WarpPhysics
from mjsdk.plugins import open_session
from mjsdk.scene import build_scene
from mjsdk.testing.worlds import TESTBOT, TESTTASK, small_env
from mjsdk.verify import Comparison, compare, verify_physics, with_equal_solver
from mjsdk.verify.causes import examine
from mjsdk.verify.states import FIELDS, States, walking, wild

N = 8


def composed(robot: str = TESTBOT, task: str = TESTTASK, **settings: object):
    session = open_session(robot, task, core=core_terms)
    overrides = [(f"env.{name.replace('__', '.')}", value) for name, value in settings.items()]
    return session, compose(session, overrides=overrides)


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    session, given = composed()
    return build_scene(session, with_equal_solver(given)[0].env).model


@pytest.fixture(scope="module")
def standing(model: mujoco.MjModel) -> States:
    """States on both feet, which slide."""
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    states = {field: torch.from_numpy(getattr(data, field)).float().repeat(N, 1) for field in FIELDS}
    states["qpos"][:, 2] -= 0.005
    states["qvel"][:, 0] = torch.linspace(0.1, 0.5, N)
    return states


@pytest.fixture(scope="module")
def compared(model: mujoco.MjModel, standing: States) -> Callable[..., Comparison]:
    """Compares native MuJoCo, with a model that was changed, with Warp."""
    warp = WarpPhysics(model, N, "cpu")

    def comparison(change: Callable[[mujoco.MjModel], object] = id) -> Comparison:
        ours = model.__copy__()
        change(ours)
        return compare(CpuPhysics(ours, N), warp, standing)

    return comparison


def quantity(comparison: Comparison, name: str):
    return next(each for each in comparison.quantities if each.name == name)


def test_equal_models_agree_in_all_that_is_compared(compared):
    found = compared()
    assert (found.verdict, found.differing, found.overflow) == ("agrees", [], [])
    assert (found.states, found.in_contact) == (N, N)
    assert 0.0 < quantity(found, "qvel").largest < 1e-3


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_other_friction_is_found_in_every_state(compared, share):
    def slip(model: mujoco.MjModel) -> None:
        model.geom_friction[:, 0] *= share

    found = compared(slip)
    assert found.verdict == "differs"
    assert found.unexplained == list(range(N))
    assert quantity(found, "qacc (relative)").beyond == N
    assert len(quantity(found, "qacc (relative)").worst) == 5
    assert quantity(found, "contacts").beyond == 0


def test_a_heavier_body_is_found(compared):
    def load(model: mujoco.MjModel) -> None:
        model.body_mass[1] *= 1.1

    assert compared(load).verdict == "differs"


def test_contacts_that_one_side_does_not_have_are_counted(compared):
    def part(model: mujoco.MjModel) -> None:
        model.geom_conaffinity[model.geom("left_foot_geom").id] = 0

    found = compared(part)
    assert found.verdict == "differs"
    assert quantity(found, "qvel").beyond == N


def test_memory_that_is_too_small_is_a_failure_that_says_what_to_set(model, standing):
    found = compare(CpuPhysics(model, N), WarpPhysics(model, N, "cpu", njmax=1), standing)
    assert found.verdict == "differs"
    assert len(found.overflow) == 1
    assert "there is memory for 1 rows per world, and " in found.overflow[0]
    assert "Set --env.sim.njmax " in found.overflow[0]


def posed(xml: str) -> tuple[mujoco.MjModel, States]:
    model = mujoco.MjModel.from_xml_string(f"<mujoco>{xml}</mujoco>")
    data = mujoco.MjData(model)
    return model, {field: torch.from_numpy(getattr(data, field)).float()[None] for field in FIELDS}


PLANE = '<geom type="plane" size="1 1 1"/>'
GROUND = '<geom type="hfield" hfield="hill"/>'
HILL = '<asset><hfield name="hill" nrow="3" ncol="3" size="1 1 1 1"/></asset>'


def body(geom: str, pos: str = "0 0 0.1", tilt: float = 0.0) -> str:
    return f'<body pos="{pos}" euler="0 {tilt} 0"><freejoint/><geom {geom} mass="1"/></body>'


CAPSULE = 'type="capsule" size="0.02 0.1"'
BALL = 'type="sphere" size="0.11"'


@pytest.mark.parametrize(
    ("xml", "causes"),
    [
        (f"<worldbody>{PLANE}{body(CAPSULE, tilt=20)}</worldbody>", {"capsule steeper than 60 degrees on a plane"}),
        (f"<worldbody>{PLANE}{body(CAPSULE, '0 0 0.08', tilt=40)}</worldbody>", set()),
        (f"<option cone='elliptic'/><worldbody>{PLANE}{body(CAPSULE, tilt=20)}</worldbody>", set()),
        (
            f"<worldbody>{body(BALL)}{body(BALL, '0 0 0.102')}</worldbody>",
            {"sphere or capsule sunk into another down to its axis"},
        ),
        (f"<worldbody>{body(BALL)}{body(BALL, '0 0 0.3')}</worldbody>", set()),
        (f"<worldbody>{body(BALL)}{body(CAPSULE, '0.1 0 0.1')}</worldbody>", {"sphere on a capsule"}),
        (f"<worldbody>{body(CAPSULE)}{body(CAPSULE, '0.03 0 0.1')}</worldbody>", set()),
        (f"{HILL}<worldbody>{GROUND}{body(BALL)}</worldbody>", {"contact with a height field"}),
        (f"<option iterations='1'/><worldbody>{PLANE}{body(BALL)}</worldbody>", {"solver at its limit of iterations"}),
    ],
)
def test_known_causes_are_seen_in_the_states_where_they_are(xml, causes):
    model, states = posed(xml)
    (found,) = examine(model, states)
    assert found.contacts > 0
    assert found.causes == causes


def test_states_that_differ_for_a_known_cause_are_told_apart():
    """Friction of the one side is other; only one of both worlds stands on a steep capsule, the other on a flat one."""
    tail = '<keyframe><key name="initial" qpos="0 0 0.11 1 0 0 0"/></keyframe>'
    model, _ = posed(f"<worldbody>{PLANE}{body(CAPSULE)}</worldbody>{tail}")
    states = {
        "qpos": torch.tensor([[0, 0, 0.11, 1, 0, 0, 0], [0, 0, 0.015, 0.5**0.5, 0, 0.5**0.5, 0]]),
        "qvel": torch.tensor([[0.5, 0, 0, 0, 0, 0]] * 2),
        "ctrl": torch.zeros(2, 0),
        "qacc_warmstart": torch.zeros(2, 6),
    }
    slippery = model.__copy__()
    slippery.geom_friction[:, 0] *= 0.5
    found = compare(CpuPhysics(slippery, 2), WarpPhysics(model, 2, "cpu"), states)
    assert (found.differing, found.unexplained, found.verdict) == ([0, 1], [1], "differs")
    assert [(cause.states, cause.differing) for cause in found.causes] == [(1, 1)]
    steep = {field: rows[:1] for field, rows in states.items()}
    found = compare(CpuPhysics(slippery, 1), WarpPhysics(model, 1, "cpu"), steep)
    assert (found.differing, found.verdict) == ([0], "known causes")


def test_a_robot_that_walks_agrees_in_more_than_what_is_asked():
    session, given = composed("go1", "velocity", scene__collisions="feet")
    config, _ = with_equal_solver(given)
    result = verify_physics(config, session, device="cpu", states=12)
    found = result.comparison
    assert found.verdict == "agrees"
    assert found.in_contact > 6
    assert quantity(found, "qpos").largest < 1e-5
    assert quantity(found, "feet_contact (contact)").largest < 0.1
    assert quantity(found, "contacts").largest == 0
    assert (result.collisions, result.solver["solver"], result.solver["timestep"]) == ("feet", "newton", 0.005)


def test_states_follow_from_their_seed():
    def gathered(seed: int) -> torch.Tensor:
        return walking(small_env(6, seed=seed), seed)["qpos"]

    assert torch.equal(gathered(3), gathered(3))
    assert not torch.equal(gathered(3), gathered(4))


def test_wild_states_are_begun_from_in_every_field(model):
    states = wild(model, 20, seed=1)
    assert {field: rows.shape for field, rows in states.items()} == {
        field: (20, getattr(mujoco.MjData(model), field).size) for field in FIELDS
    }
    assert torch.equal(states["qpos"], wild(model, 20, seed=1)["qpos"])
    start = torch.from_numpy(model.key("initial").qpos).float()
    moved = (states["qpos"] - start).abs()
    assert not moved[0].any()
    assert (moved[1:, 2:].amax(0) > 0.1).all()
    assert (states["qvel"].abs().amax(0) > 0.1).all()


def test_the_cheap_solver_of_a_preset_is_replaced_by_one_that_both_have():
    _, given = composed()
    assert given.config.env.sim.solver == "pgs"
    config, said = with_equal_solver(given)
    sim = config.env.sim
    assert (sim.solver, sim.timestep, sim.iterations, sim.ls_iterations) == ("newton", 0.005, 10, 20)
    assert said.startswith("pgs (from preset cpu), which MuJoCo Warp does not have, is replaced: newton, 10 iterations")


def test_what_people_set_stays_as_the_solver_is_replaced():
    _, given = composed(sim__iterations=30, sim__timestep=0.002)
    config, said = with_equal_solver(given)
    assert (config.env.sim.iterations, config.env.sim.timestep) == (30, 0.002)
    assert "30 iterations" in said
    assert "2 ms steps" in said


def test_a_solver_that_both_have_is_left_alone():
    _, given = composed(sim__solver="cg", sim__timestep=0.004)
    config, said = with_equal_solver(given)
    assert (config.env.sim.solver, config.env.sim.timestep, said) == ("cg", 0.004, "")


def test_who_asks_for_a_solver_that_warp_does_not_have_is_refused():
    _, given = composed(sim__solver="pgs")
    with pytest.raises(ConfigError, match=r"env\.sim\.solver: MuJoCo Warp has no pgs, .* Legal here: newton, cg"):
        with_equal_solver(given)


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"states": 0}, "--states: must be from 1 to 10000, not 0"), ({"kind": "odd"}, "--kind: must be walking, wild")],
)
def test_what_cannot_be_verified_is_refused(asked, said):
    session, given = composed()
    with pytest.raises(ConfigError, match=said):
        verify.verify_physics(with_equal_solver(given)[0], session, device="cpu", **asked)
