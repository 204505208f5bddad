"""Whether terms give what they say: known values on any robot, with loops and without.

A table has one case for every term that a plugin offers, and one test goes over it on some robots:

    CASES = {
        "reward/my_task:low": Value(lambda now: now.data.qpos[2] < 0.2, needs=(FREE_BASE,)),
        "event/my_task:lift": Event({"height": 0.1}, "state", lifted, needs=(FREE_BASE,)),
    }

    @pytest.fixture(scope="module", params=[TESTBOT, TESTARM])
    def stage(request):
        return Stage(CASES, request.param, "my_task")

    @pytest.mark.parametrize("name", CASES)
    def test_a_term_gives_what_it_says(stage, name):
        stage.check(name)

    def test_every_term_has_a_case(stage):
        stage.check_complete("my_task")

A known value is worked out by native MuJoCo, which takes every step beside the environment: see `Moment`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor

from mjsdk import ops
from mjsdk.config import (
    Config,
    EnvConfig,
    EventTermConfig,
    MetricTermConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    RewardTermConfig,
    SensorConfig,
    TerminationTermConfig,
)
from mjsdk.env import Env, make_env
from mjsdk.errors import ConfigError, MissingRole, SceneError
from mjsdk.mdp import core_terms
from mjsdk.mdp.actions import JointPositionConfig
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.plugins import open_session
from mjsdk.terms import KINDS
from mjsdk.testing.native import Moment, Native
from mjsdk.testing.states import Pairs, images

WORLDS, STEPS, SCATTERED, EPISODE = 16, 24, 6, 15
"""Of a rollout: worlds, control steps, after how many of them states are redrawn, and the longest episode."""
FREE_BASE, GAIT = "free base", "gait"
"""What a case may need besides roles."""


@attrs.frozen
class Value:
    """An observation, reward, termination or metric term, in a rollout with the commands `twist` and `gait`."""

    known: Callable[[Moment], Any]
    """What the term should give in one world."""
    params: Mapping[str, Any] = attrs.field(factory=dict)
    sensors: Mapping[str, SensorConfig] = attrs.field(factory=dict)
    """Sensors that the term reads."""
    needs: tuple[str, ...] = ()
    """Roles, `FREE_BASE` and `GAIT` without which a robot must be refused."""

    def put(self, config: EnvConfig, kind: str, func: str) -> None:
        """Add the term to settings."""
        config.scene.sensors |= self.sensors
        given: dict[str, Any] = {"func": func, "params": dict(self.params)}
        if kind == "reward":
            config.rewards[func] = RewardTermConfig(**given, weight=1.0)
        elif kind == "termination":
            config.terminations[func] = TerminationTermConfig(**given)
        elif kind == "metric":
            config.metrics[func] = MetricTermConfig(**given)
        else:  # a group each, since groups are mirrored as a whole
            config.observations[func] = ObservationGroupConfig(terms={func: ObservationTermConfig(**given)})


@attrs.frozen
class Effect:
    """An action, command or curriculum term, or any other that acts."""

    add: Callable[[EnvConfig], None]
    """Adds the term to settings that have the action `joint_pos` and the commands `twist` and `gait`."""
    run: Callable[[Env], tuple[Tensor, Any]]
    """Lets it act; gives what came of it, and what should have."""
    needs: tuple[str, ...] = ()

    def put(self, config: EnvConfig, kind: str, func: str) -> None:
        """Add the term to settings."""
        self.add(config)


@attrs.frozen
class Event:
    """An event term, in half of the worlds as their episodes begin."""

    params: Mapping[str, Any]
    field: str
    """What it changes: `state` for qpos and qvel, `encoder_bias`, or a field of MjModel."""
    nearest: Callable[[Env, np.ndarray], np.ndarray]
    """For values of the field in all worlds, shape (E, ...), the nearest ones that the event may give."""
    needs: tuple[str, ...] = ()
    first: Mapping[str, EventTermConfig] = attrs.field(factory=dict)
    """Events before it."""

    def put(self, config: EnvConfig, kind: str, func: str) -> None:
        """Add the term to settings."""
        config.events |= {**self.first, "event": EventTermConfig(func=func, params=dict(self.params))}
        config.terminations["time_out"] = TerminationTermConfig(func="time_out", time_out=True)

    def run(self, env: Env) -> tuple[Tensor, np.ndarray]:
        """The field after episodes of every other world have begun; the other worlds continue as if nothing was."""
        native, kept = Native(env), self._values(env).clone()
        native.load()
        env.episode_length_buf[::2] = env.max_episode_length
        env.step(torch.zeros(env.num_envs, env.num_actions))
        native.step()
        values = self._values(env).clone()
        assert len(values[::2].flatten(1).unique(dim=0)) > 1, f"{self.field} is the same in all worlds"
        wanted = self.nearest(env, values.numpy().astype(float))
        wanted[1::2] = native.state[1::2] if self.field == "state" else kept[1::2]
        return values, wanted

    def _values(self, env: Env) -> Tensor:
        if self.field == "state":
            return torch.cat((env.physics.bind("qpos"), env.physics.bind("qvel")), 1)
        return env.robot.encoder_bias if self.field == "encoder_bias" else env.physics.expand(self.field)


Case = Value | Effect | Event


@attrs.define
class Rollout:
    """What terms gave, one entry per step, by `kind/name`."""

    starts: list[tuple[dict[str, Tensor], Tensor]] = attrs.field(factory=list)
    """The environment's state before each step, and the action."""
    given: list[dict[str, Tensor]] = attrs.field(factory=list)
    known: list[dict[str, Tensor]] = attrs.field(factory=list)
    begun: list[Tensor] = attrs.field(factory=list)
    """Worlds whose episode began at the end of the step: they observe another state. Shape (E,)."""
    direct: dict[str, Tensor] = attrs.field(factory=dict)
    """What calling each term gives in the end."""
    images: dict[str, Tensor] = attrs.field(factory=dict)
    """What observations should be in each second world by the first one's, shape (steps, E / 2, D)."""

    def of(self, name: str, rows: list[dict[str, Tensor]]) -> Tensor:
        """A term's values in all steps, shape (steps, E, ...); NaN where they are of an episode that has begun."""
        values = torch.stack([row[name].float() for row in rows])
        if name.startswith("observation/"):
            values[torch.stack(self.begun)] = torch.nan
        return values


class Stage:
    """One robot, and what all cases give on it."""

    def __init__(
        self,
        cases: Mapping[str, Case],
        robot: str,
        task: str | None = None,
        *,
        extras: Sequence[str] = (),
        thorough: bool = True,
    ) -> None:
        """Open the robot, with the task or the extras that offer the terms.

        Args:
            cases: How to test each term, by `kind/name`.
            robot: The robot, as users name it.
            task: The task.
            extras: The extras.
            thorough: Demand besides that no term gives the same all along, and that observations of mirrored worlds
                are mirror images: what simple symmetric robots show, and others only nearly.
        """
        self._cases, self._thorough = cases, thorough
        self._session = open_session(robot, task, extras, core=core_terms)
        bare = self._build([])
        traits = {FREE_BASE: bare.robot.has_free_base, GAIT: bare.gait is not None}
        self._parts = {*bare.roles, *(trait for trait, has in traits.items() if has)}

    def check_complete(self, plugin: str = "") -> None:
        """Every term of the core, or of a plugin, has a case, and every case a term."""
        terms = self._session.terms()
        offered = {f"{kind}/{name}" for kind in KINDS for name in terms.names(kind)}
        offered = {name for name in offered if (f"/{plugin}:" in name if plugin else ":" not in name)}
        missing, gone = sorted(offered - set(self._cases)), sorted(set(self._cases) - offered)
        assert not missing, f"no known value for {', '.join(missing)}: add a case for each to the table of this test"
        assert not gone, f"no term for the cases {', '.join(gone)}"

    def check(self, name: str) -> None:
        """The term gives what it should, whichever way it is computed; a robot that lacks its parts is refused."""
        case = self._cases[name]
        if not self._parts.issuperset(case.needs):
            self._check_refused(name, case)
        elif isinstance(case, Value):
            self._check_value(name)
        else:
            self._check_effect(name, case)

    def _check_refused(self, name: str, case: Case) -> None:
        try:
            env = self._build([name])
            if isinstance(case, Value):
                env.step(torch.zeros(WORLDS, env.num_actions))
            else:
                case.run(env)
        except (MissingRole, SceneError, ConfigError):
            return
        raise AssertionError(f"{name} works on a robot without {set(case.needs) - self._parts}")

    def _check_effect(self, name: str, case: Effect | Event) -> None:
        found = []
        for on in (True, False):
            with _using_loops(on):
                given, wanted = case.run(self._build([name]))
            _close(given.float(), torch.as_tensor(wanted).float(), 1e-4)
            found.append(given)
        if isinstance(case, Effect):  # what events draw is another random number where worlds come as a mask
            loops, tensors = found
            _close(loops, tensors, 1e-5)

    def _check_value(self, name: str) -> None:
        loops = self._loops.of(name, self._loops.given)
        known = self._loops.of(name, self._loops.known)
        size = max(1.0, float(known.nan_to_num().abs().max()))
        _close(loops, known, 2e-4 * size, 1e-3)
        _close(loops, self._tensors.of(name, self._tensors.given), 1e-4)
        self._check_form(name, self._tensors.direct[name])
        if self._thorough:
            assert len(known[~known.isnan()].unique()) > 1, f"{name} should be {known[0, 0]} all along: not tested"
            if name in self._loops.images:
                _close(loops[:, 1::2], self._loops.images[name], 1e-3 * size, 1e-3)

    def _check_form(self, name: str, value: Tensor) -> None:
        dimensions = 2 if name.startswith("observation/") else 1
        kind = torch.bool if name.startswith("termination/") else torch.float32
        form = (value.ndim, len(value), value.dtype)
        assert form == (dimensions, WORLDS, kind), f"{name} gives a tensor of {value.dtype}, {tuple(value.shape)}"
        assert value.isfinite().all()

    @cached_property
    def _loops(self) -> Rollout:
        with _using_loops(True):
            return self._perform(Rollout())

    @cached_property
    def _tensors(self) -> Rollout:
        """The same steps, each from the same state: they would drift apart."""
        starts = self._loops.starts
        with _using_loops(False):
            return self._perform(Rollout(starts))

    def _build(self, names: list[str]) -> Env:
        config = EnvConfig(
            commands={
                "twist": UniformVelocityConfig(func="uniform_velocity", heading_command=False, rel_heading_envs=0.0),
                "gait": GaitClockConfig(func="gait_clock", velocity_command="twist"),
            },
            actions={"joint_pos": JointPositionConfig(func="joint_position")},
        )
        config.episode_length_s = EPISODE * config.step_dt
        config.scene.num_envs = WORLDS
        config.scene.collisions = "full" if "full" in self._session.robot().collisions else ""
        for name in names:
            kind, _, func = name.partition("/")
            self._cases[name].put(config, kind, func)
        return make_env(Config(env=config), self._session, device="cpu", seed=0)

    def _perform(self, rollout: Rollout) -> Rollout:
        """Take the steps that a rollout has the starts of, or new ones, beside native MuJoCo."""
        values = {n: c for n, c in self._cases.items() if isinstance(c, Value) and self._parts.issuperset(c.needs)}
        env = self._build(list(values))
        pairs, read = Pairs(env, "gait"), _reader(env)
        env.reset()
        native = None if rollout.starts else Native(env)
        for number in range(STEPS):
            if native is None:
                env.load_state_dict(rollout.starts[number][0])
            else:
                if number % SCATTERED == 0:
                    pairs.scatter()
                native.load()
                rollout.starts.append((env.state_dict(), pairs.action()))
            state, action = rollout.starts[number]
            *_, terminated, truncated, _ = env.step(action)
            rollout.begun.append(terminated | truncated)
            rollout.given.append(read())
            if native is not None:
                moments = native.moments(state, action, terminated)
                rollout.known.append({n: _known(case, moments) for n, case in values.items()})
                native.begin(rollout.begun[-1])
        rollout.direct = {f"{kind}/{name}": term() for kind, name, term in _terms(env)}
        rollout.images = _images(env, pairs, rollout)
        return rollout


@contextmanager
def _using_loops(on: bool) -> Iterator[None]:
    """Build environments with compiled loops, or without."""
    before, ops.LOOPS = ops.LOOPS, on
    try:
        yield
    finally:
        ops.LOOPS = before


def _terms(env: Env) -> Iterator[tuple[str, str, Any]]:
    """Kind, name and term of all that have values."""
    for group in env.observations.groups.values():
        yield from (("observation", term.config.func, term) for _, term, _ in group.terms_and_columns())
    for kind, terms in (
        ("reward", env.rewards.terms),
        ("metric", env.metrics.terms),
        ("termination", env.terminations.terms),
    ):
        yield from ((kind, name, term) for name, term in terms.items())


def _reader(env: Env) -> Callable[[], dict[str, Tensor]]:
    """What gives each term's value in the last step: managers write to the same memory again and again."""
    rows = (env.rewards.values, env.metrics.values, env.terminations.reasons)
    names = [f"{kind}/{name}" for kind, name, _ in _terms(env) if kind != "observation"]

    def read() -> dict[str, Tensor]:
        given = {f"observation/{name}": values for name, values in env.get_observations().items()}
        each = (row.clone() for values in rows for row in values)
        return given | dict(zip(names, each, strict=False))

    return read


def _images(env: Env, pairs: Pairs, rollout: Rollout) -> dict[str, Tensor]:
    if pairs.mirror is None:
        return {}
    reflections = {
        f"observation/{name}": group.reflection(pairs.mirror)
        for name, group in env.observations.groups.items()
        if hasattr(env.terms.get("observation", name), "reflection")
    }
    return {name: images(rollout.of(name, rollout.given)[:, ::2], each) for name, each in reflections.items()}


def _known(case: Value, moments: list[Moment]) -> Tensor:
    return torch.tensor(np.array([case.known(moment) for moment in moments], float))


def _close(given: Tensor, wanted: Tensor, atol: float, rtol: float = 1e-4) -> None:
    """Raise with the step and the world of the greatest difference."""

    def message(text: str) -> str:
        worst = np.unravel_index(int((given - wanted).abs().nan_to_num().argmax()), given.shape)
        place = tuple(map(int, worst))
        return f"{text}\nworst at (step, world, ...) {place}: {given[place]:g} instead of {wanted[place]:g}"

    torch.testing.assert_close(given, wanted, atol=atol, rtol=rtol, equal_nan=True, msg=message)
