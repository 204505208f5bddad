"""What settings mean together: bounds, choices, ranges, and what must fit with what."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mjsdk.config import schema, termchecks
from mjsdk.config.agent import AgentConfig
from mjsdk.config.convert import show
from mjsdk.config.env import EnvConfig, EventTermConfig, ObservationTermConfig, SimConfig
from mjsdk.config.fields import LARGEST, Setting, setting_of
from mjsdk.config.root import Config
from mjsdk.errors import Mistake, SelectionError, closest, listing
from mjsdk.robot import Robot
from mjsdk.robot.selection import ModelNames, regular_expression
from mjsdk.terms import TermRegistry

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_NOT_IN_WARP = ("pgs",)
"""Solvers that MuJoCo Warp does not have."""
RECURRENT = {"lstm", "gru"}
"""Kinds of networks that remember."""
MAX_WEIGHTS = 10**8
"""Weights of a network between its hidden layers: training takes 16 bytes of memory for each."""
_RANGE = re.compile(r"(^|_)range(_s)?$|^clip$")


@attrs.define
class Checked:
    """What is wrong with settings, and what is odd."""

    mistakes: list[Mistake] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)


def check(
    config: Config, terms: TermRegistry, *, names: ModelNames | None = None, robot: Robot | None = None
) -> Checked:
    """Look for everything that cannot work, or is outside of its recommended range.

    With the `names` of a compiled model, patterns and roles must match something; with the `robot`, its presets must exist.
    """
    result = Checked()
    leaves = list(schema.every_leaf(config, terms))
    for leaf in leaves:
        if leaf.given:
            _add(result, leaf)
    result.mistakes += _together(config, robot)
    result.mistakes += termchecks.check_references(config.env, terms, leaves)
    if config.env.mirror_clock and (recurrent := _recurrent(config)):
        result.warnings.append(
            f"env.mirror_clock: the hidden state of a recurrent network ({listing(sorted(recurrent))}) is not mirrored; "
            "the policy is not exactly symmetric: set env.mirror_clock to ''"
        )
    result.warnings += termchecks.outdated_docs(config.env, terms)
    result.mistakes += termchecks.check_terms(config.env, terms, names, robot.roles if robot is not None else None)
    return result


def _add(result: Checked, leaf: schema.Leaf) -> None:
    value, setting = leaf.value, leaf.setting
    endless = setting.endless or any(map(math.isinf, schema.numbers(leaf.default)))
    *parents, name = leaf.path.split(".")
    is_range = ("ranges" in parents and "params" not in parents) or _RANGE.search(name)
    ordered = _disordered(value) if is_range else ()
    wrong = dict.fromkeys([*_impossible(value, setting, endless), *ordered])
    result.mistakes += [Mistake(leaf.path, message) for message in wrong]
    if not wrong:
        result.warnings += [f"{leaf.path}: {message}" for message in odd(value, setting)]


def odd(value: Any, setting: Setting) -> list[str]:
    """The warning for a value outside of its recommended range, if it is."""
    if setting.recommended is None:
        return []
    low, high = setting.recommended
    if all(low <= number <= high for number in schema.numbers(value)):
        return []
    span = f"{show(low)} to {show(high)}{f' {setting.unit}' if setting.unit else ''}"
    return [f"{show(value)} is outside of the recommended range {span}. {setting.advice}".strip()]


def _impossible(value: Any, setting: Setting, endless: bool) -> Iterator[str]:
    if setting.choices and value not in setting.choices:
        yield f"no choice {show(value)}{closest(str(value), setting.choices) or '.'} Legal: {listing(setting.choices)}"
    fewest, most = setting.length or (0, math.inf)
    if isinstance(value, list) and not fewest <= len(value) <= most:
        count = str(most) if fewest == most else f"{fewest} to {most}"
        lacking = not value and fewest == 1
        yield "needs at least one element" if lacking else f"takes {count} values, not {len(value)}: {show(value)}"
    for part in schema.scalars(value):
        if isinstance(part, str) and not part.isprintable():  # it becomes names of files and curves
            yield f"takes text that can be printed, not {show(part)}"
    for number in schema.numbers(value):
        yield from _out_of_bounds(number, setting, endless)


def _out_of_bounds(number: float, setting: Setting, endless: bool) -> Iterator[str]:
    low, high = (
        bound if bound is not None else end for bound, end in zip(setting.bounds, (-LARGEST, LARGEST), strict=True)
    )
    if number in (math.inf, -math.inf):
        if not endless:
            yield f"must be finite, not {show(number)}"
    elif number != number:
        yield "is not a number (nan)"
    elif setting.exclusive_min is not None and not number > setting.exclusive_min:
        yield f"must be greater than {show(setting.exclusive_min)}, not {show(number)}"
    elif number < low:
        yield f"must be at least {show(low)}, not {show(number)}"
    elif number > high:
        yield f"must be at most {show(high)}, not {show(number)}"


def _disordered(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (f"{key}: {message}" for message in _disordered(item))
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            yield f"takes the smallest and the largest value, not {show(list(value))}"
        elif list(schema.numbers(value)) == list(value) and value[0] > value[1]:
            yield f"the smallest value comes first, not {show(list(value))}"


def _together(config: Config, robot: Robot | None) -> Iterator[Mistake]:
    env = config.env
    yield from _entries(env)
    yield from _batches(config)
    yield from _agent(config)
    if 0 < env.episode_length_s < env.step_dt < math.inf:
        least = f"one control step ({env.step_dt:g} s = decimation x sim.timestep)"
        yield Mistake("env.episode_length_s", f"must be at least {least}, not {show(env.episode_length_s)}")
    if robot is None:
        return
    for name, legal in (("pose", robot.poses), ("collisions", robot.collisions)):
        given = getattr(env.scene, name)
        if given and given not in legal:
            hint = f"{closest(given, legal) or '.'} Legal: {listing(legal)}, or empty for its default"
            yield Mistake(f"env.scene.{name}", f"robot '{robot.name}' has no '{given}'{hint}")


def check_physics(config: Config, physics: str, way: str = "--preset fast fits any physics") -> list[Mistake]:
    """What settings ask for that a physics, `cpu` or `warp`, does not have; `way` says what has the right numbers."""
    solver = config.env.sim.solver
    if physics != "warp" or solver not in _NOT_IN_WARP:
        return []
    legal = listing(
        choice for choice in setting_of(attrs.fields(SimConfig).solver).choices if choice not in _NOT_IN_WARP
    )
    message = f"the physics 'warp' has no {solver}. Legal: {legal}; {way}; --device cpu --physics cpu has {solver}"
    return [Mistake("env.sim.solver", message)]


def _recurrent(config: Config) -> set[str]:
    """Kinds of networks of the agent that remember."""
    return {config.agent.actor.class_name, config.agent.critic.class_name} & RECURRENT


def _entries(env: EnvConfig) -> Iterator[Mistake]:
    """Names of entries are parts of paths of settings, and of names of curves; some settings of an entry go together."""
    for path, entry in schema.entries(env, "env."):
        name = path.rpartition(".")[2]
        if not name or not path.isprintable() or len(name) > 100:
            yield Mistake(path, "a name has 1 to 100 characters that can be printed, and no dot")
        if isinstance(entry, ObservationTermConfig) and entry.delay_min_lag > entry.delay_max_lag:
            more = f"{entry.delay_min_lag} is more than delay_max_lag ({entry.delay_max_lag})"
            yield Mistake(f"{path}.delay_min_lag", more)
        if isinstance(entry, EventTermConfig) and entry.mode == "interval" and entry.interval_range_s is None:
            yield Mistake(f"{path}.interval_range_s", "must be given for mode=interval: [shortest, longest] in seconds")


def _batches(config: Config) -> Iterator[Mistake]:
    """rsl_rl cuts rollouts of recurrent networks by worlds, others by samples, and drops what is left over."""
    worlds, parts = config.env.scene.num_envs, config.agent.algorithm.num_mini_batches
    if worlds < 1 or parts < 1:
        return
    path, samples = "agent.algorithm.num_mini_batches", worlds * config.agent.num_steps_per_env
    if worlds % parts and _recurrent(config):
        divisors = [str(i) for i in range(1, min(worlds, 64) + 1) if worlds % i == 0]
        must = f"must divide env.scene.num_envs ({worlds}) for a recurrent network, not {parts}"
        yield Mistake(path, f"{must}. Legal: {listing(divisors)}")
    elif samples < parts:
        need = f"{parts} mini-batches need at least as many samples"
        yield Mistake(path, f"{need}; num_envs x num_steps_per_env is {samples}")


def _agent(config: Config) -> Iterator[Mistake]:
    agent = config.agent
    for name in ("load_run", "load_checkpoint"):
        try:
            regular_expression(getattr(agent, name))
        except SelectionError as error:
            yield Mistake(f"agent.{name}", str(error))
    yield from _networks(agent)
    if not _DEVICE.fullmatch(config.train.device):
        legal = "auto, cpu, cuda, cuda:0, cuda:1, ..."
        yield Mistake("train.device", f"no device {show(config.train.device)}. Legal: {legal}")
    if not config.train.log_root.strip():
        yield Mistake("train.log_root", "must name a folder, such as logs; a dot is the present one")


def _networks(agent: AgentConfig) -> Iterator[Mistake]:
    for name, network in (("actor", agent.actor), ("critic", agent.critic)):
        widths = network.hidden_dims
        weights = sum(one * other for one, other in itertools.pairwise(widths))
        if network.class_name in RECURRENT:
            weights += 8 * network.rnn_hidden_dim**2 * network.rnn_num_layers
        if not widths:
            yield Mistake(f"agent.{name}.hidden_dims", "needs at least one layer")
        elif weights > MAX_WEIGHTS:
            message = f"{show(widths)} makes {weights:,} weights, more than {MAX_WEIGHTS:,}"
            yield Mistake(f"agent.{name}.hidden_dims", message)
