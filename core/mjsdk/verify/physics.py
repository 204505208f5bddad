"""Both physics from the same states and controls, one step, side by side.

A single step, because rollouts part through the timing of contacts, however equal the physics are. Native MuJoCo
computes in double, MuJoCo Warp in float32; states are rounded to float32 for both.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import attrs
import importlib_metadata
import numpy as np
from torch import Tensor

from mjsdk.config.env import SimConfig
from mjsdk.config.root import Config
from mjsdk.env import Env
from mjsdk.errors import Mistake, listing, refuse, shortened
from mjsdk.evaluate.setup import MAX_SEED
from mjsdk.physics.capacity import Sizes
from mjsdk.physics.cpu import CpuPhysics
from mjsdk.physics.warp import WarpPhysics
from mjsdk.plugins import Session
from mjsdk.scene import Scene, build_scene
from mjsdk.verify.causes import CAUSES, Examined, examine
from mjsdk.verify.differences import Difference, Quantity, bind, counted, differences
from mjsdk.verify.states import FIELDS, KINDS, States, walking, wild

MAX_STATES = 10_000
_PACKAGES = ("mjsdk", "mujoco", "mjbatch", "mujoco-warp", "warp-lang")
_SOLVER = ("timestep", "solver", "iterations", "ls_iterations", "tolerance", "integrator", "cone", "impratio")
"""Settings of `env.sim` that both physics share, and that a reader wants to know."""


@attrs.frozen
class Cause:
    """A known cause of differences."""

    name: str
    states: int
    """States in which it is there."""
    differing: int
    """Those of them that differ."""


@attrs.frozen(kw_only=True)
class Comparison:
    """What one step of both physics from the same states gave."""

    states: int
    in_contact: int
    """States with a contact."""
    quantities: list[Quantity]
    causes: list[Cause]
    """Those that are there in any state."""
    differing: list[int]
    """Numbers of the states in which any quantity is beyond its tolerance."""
    unexplained: list[int]
    """Those of them without a known cause."""
    overflow: list[str]
    """What Warp left out for want of memory, with the value to set."""
    sizes: Sizes

    @property
    def verdict(self) -> str:
        """`agrees`; `known causes` where some states differ and all of these have one; `differs`."""
        if self.overflow or self.unexplained:
            return "differs"
        return "known causes" if self.differing else "agrees"


@attrs.frozen(kw_only=True)
class Result:
    """A comparison, and of what."""

    comparison: Comparison
    kind: str
    seed: int
    device: str
    """Of Warp; native MuJoCo is on the CPU."""
    collisions: str
    solver: dict[str, Any]
    versions: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        data = attrs.asdict(self)
        return {"verdict": self.comparison.verdict, **data.pop("comparison"), **data}


def verify_physics(
    config: Config, session: Session, *, device: str, states: int = 100, kind: str = "walking", seed: int = 0
) -> Result:
    """Compare MuJoCo Warp on `device` with native MuJoCo on a robot under a task.

    Args:
        config: Settings with a solver that both have: see `with_equal_solver`.
        session: The plugins that they were composed with.
        device: `cpu` or `cuda:N`.
        states: Number of states, each of which is one world of both physics.
        kind: `walking`: from short episodes with small random actions; `wild`: random poses, folded ones included.
        seed: Seed of the states.
    """
    _check(states, kind, seed)
    scene, sim = build_scene(session, config.env), config.env.sim
    native = CpuPhysics(scene.model, states, sim.threads)
    warp = WarpPhysics(scene.model, states, device, sim.nconmax, sim.njmax)
    start = wild(scene.model, states, seed) if kind == "wild" else _walking(config, session, scene, states, seed)
    return Result(
        comparison=compare(native, warp, start),
        kind=kind,
        seed=seed,
        device=device,
        collisions=config.env.scene.collisions or scene.robot.default_collisions,
        solver=_solver(config.env.sim),
        versions={name: importlib_metadata.version(name) for name in _PACKAGES},
    )


def compare(native: CpuPhysics, warp: WarpPhysics, states: States) -> Comparison:
    """Take one step with both from the same N states, which is how many worlds each has."""
    examined = examine(warp.model, states)
    ours, theirs = bind(native), bind(warp)
    rows = warp.bind("nefc")
    for physics in (native, warp):
        for field in FIELDS:
            physics.write(field, states[field].to(physics.device))
        physics.step()
    found = [
        *differences(warp.model, ours, theirs),
        counted("contacts", np.array([state.contacts for state in examined]), _numpy(warp.contact_counts())),
        counted("solver rows", np.array([state.rows for state in examined]), _numpy(rows)),
        counted("blew up", np.zeros(len(examined)), _numpy(native.unstable()) + _numpy(warp.unstable())),
    ]
    return _summed_up(found, examined, warp)


def _summed_up(found: list[Difference], examined: list[Examined], warp: WarpPhysics) -> Comparison:
    differs = np.logical_or.reduce([difference.beyond for difference in found])
    causes = []
    for name in CAUSES:
        there = np.array([name in state.causes for state in examined])
        if there.any():
            causes.append(Cause(name, int(there.sum()), int((there & differs).sum())))
    differing = np.flatnonzero(differs).tolist()
    return Comparison(
        states=len(examined),
        in_contact=sum(state.contacts > 0 for state in examined),
        quantities=[difference.summary() for difference in found],
        causes=causes,
        differing=differing,
        unexplained=[i for i in differing if not examined[i].causes],
        overflow=list(warp.overflow.lost().values()),
        sizes=warp.sizes,
    )


def _numpy(values: Tensor) -> np.ndarray:
    return values.cpu().numpy().astype(int)


def _walking(config: Config, session: Session, scene: Scene, count: int, seed: int) -> States:
    physics = CpuPhysics(scene.model, count, config.env.sim.threads)
    return walking(Env(deepcopy(config.env), scene, physics, session.terms(), seed), seed)


def _solver(sim: SimConfig) -> dict[str, Any]:
    return {name: getattr(sim, name) for name in _SOLVER}


def _check(states: int, kind: str, seed: int) -> None:
    mistakes = []
    if not 1 <= states <= MAX_STATES:
        mistakes.append(Mistake("--states", f"must be from 1 to {MAX_STATES}, not {states}"))
    if kind not in KINDS:
        mistakes.append(Mistake("--kind", f"must be {listing(KINDS)}, not '{shortened(kind)}'"))
    if not 0 <= seed <= MAX_SEED:
        mistakes.append(Mistake("--seed", f"must be from 0 to {MAX_SEED}, not {seed}"))
    refuse(mistakes)
