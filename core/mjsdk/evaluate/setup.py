"""The environment that a policy is evaluated in: the run's own, without noise and pushes, on faithful physics."""

from __future__ import annotations

from copy import deepcopy

import attrs

from mjsdk.config import Config, SensorConfig, schema
from mjsdk.config.checks import check_physics
from mjsdk.config.env import MAX_WORLDS
from mjsdk.config.presets import numbers
from mjsdk.config.termchecks import changed_by_curriculum
from mjsdk.errors import Mistake, closest, listing, refuse
from mjsdk.physics import resolve
from mjsdk.plugins import Session
from mjsdk.robot import Robot
from mjsdk.task import EvaluationConfig

SIMS = ("faithful", "fast", "as-trained")
"""Physics to evaluate on: presets, or what the run was trained with."""
MAX_SEED = 2**31 - 1
SHORTEST_S, LONGEST_S = 0.1, 1e6
"""Lengths of an episode, smallest and largest [s]."""
FEET_FORCE = "eval_feet_force"
FEET_VELOCITY = "eval_feet_velocity"
"""Sensors that evaluation adds, if the robot has feet."""


@attrs.frozen(kw_only=True)
class Options:
    """How to evaluate."""

    num_envs: int = 256
    """Worlds; rounded up to the same number per command."""
    seed: int = 1
    """Seed of start poses, randomisation and pushes."""
    sim: str = "faithful"
    """One of `SIMS`."""
    noise: bool = False
    """Keep observation noise and delay, as in training."""
    push: bool = False
    """Push the robots; events of the training that come during episodes are left out in any case."""
    device: str = "cpu"
    """Where the worlds are: `auto`, `cpu`, `cuda` or `cuda:N`."""
    physics: str = "auto"
    """What steps them: `auto`, `cpu` or `warp`."""
    horizon_s: float = 20.0
    """Length of an episode [s]."""


def evaluation_config(
    config: Config, session: Session, options: Options, evaluation: EvaluationConfig | None = None
) -> Config:
    """A copy of a run's settings for evaluation. What varies as worlds start stays: each is a little different.

    Its `train` says on which device and physics: those of the options, whatever the run was trained on.
    With `evaluation`, what the task counts as failing, episodes end by that and not by the run's own terminations.
    """
    check_options(options)
    config, robot = deepcopy(config), session.robot()
    env, train = config.env, config.train
    train.device, train.physics = resolve(options.device, options.physics)
    _choose_physics(config, robot, options.sim)
    refuse(check_physics(config, train.physics, "--sim faithful and --sim fast fit any physics"))
    env.scene.num_envs = options.num_envs
    env.episode_length_s = options.horizon_s
    env.events = {name: term for name, term in env.events.items() if term.mode != "interval"}
    for group in env.observations.values():
        group.enable_corruption &= options.noise
    _watch_feet(config, robot)
    if evaluation is not None:
        env.scene.sensors.update(evaluation.sensors)
        env.terminations = dict(evaluation.terminations)
        for name, paths in changed_by_curriculum(env, session.terms()).items():
            if any(path.startswith("terminations.") for path in paths):
                del env.curriculum[name]  # it changes terms of the run, which these replace
    return config


def check_options(options: Options) -> None:
    """Raise `ConfigError` with all options that no evaluation can have, `PhysicsError` for a missing device."""
    mistakes = []
    if not 1 <= options.num_envs <= MAX_WORLDS:
        mistakes.append(Mistake("--num-envs", f"must be from 1 to {MAX_WORLDS}, not {options.num_envs}"))
    if not 0 <= options.seed <= MAX_SEED:
        mistakes.append(Mistake("--seed", f"must be from 0 to {MAX_SEED}, not {options.seed}"))
    if options.sim not in SIMS:
        hint = closest(options.sim, SIMS) or "."
        mistakes.append(Mistake("--sim", f"'{options.sim}'{hint} Legal: {listing(SIMS)}"))
    if not SHORTEST_S <= options.horizon_s <= LONGEST_S:
        legal = f"from {SHORTEST_S:g} to {LONGEST_S:g} s"
        mistakes.append(Mistake("horizon_s", f"must be {legal}, not {options.horizon_s:g}"))
    refuse(mistakes)
    resolve(options.device, options.physics)


def _choose_physics(config: Config, robot: Robot, sim: str) -> None:
    """Apply a preset's physics at the control rate that the policy was trained with."""
    if sim == "as-trained":
        return
    step_dt = config.env.step_dt
    for path, value in numbers(sim, robot, {}, config.train.physics).items():
        schema.put(config, path, value)
    config.env.decimation = max(1, round(step_dt / config.env.sim.timestep))
    config.env.sim.timestep = step_dt / config.env.decimation


def _watch_feet(config: Config, robot: Robot) -> None:
    if "feet" not in robot.roles:
        return
    sensors, feet = config.env.scene.sensors, robot.roles["feet"]
    if feet.bodies:
        sensors[FEET_FORCE] = SensorConfig(type="contact", on="@feet")
    if feet.sites:
        sensors[FEET_VELOCITY] = SensorConfig(type="framelinvel", on="@feet")
