"""mjsdk from Python, for notebooks and other people's code: robots, configurations, environments and runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.mdp import core_terms
from mjsdk.plugins import Session, open_session

if TYPE_CHECKING:
    import mujoco

    from mjsdk.config import Config
    from mjsdk.env import Env
    from mjsdk.learn.policy import Policy
    from mjsdk.robot import ActuatorGroup, CollisionRule, InitialState, Robot, Roles
    from mjsdk.runs import Run

_log = logging.getLogger(__name__)

Overrides = Mapping[str, Any] | str
"""`{"env.scene.num_envs": 64}`, or `"env.scene.num_envs=64"` as on the command line."""


@attrs.frozen
class LoadedRobot:
    """A robot: its facts, and its model."""

    session: Session = attrs.field(repr=False)
    facts: Robot
    """Everything that the robot's package says."""

    @property
    def name(self) -> str:
        """Name of the machine."""
        return self.facts.name

    @property
    def summary(self) -> str:
        """One line for people."""
        return self.facts.summary

    @property
    def roles(self) -> Roles:
        """Body parts by role: `robot.roles["feet"].sites`."""
        return self.facts.roles

    @property
    def actuators(self) -> tuple[ActuatorGroup, ...]:
        """Motors."""
        return self.facts.actuators

    @property
    def collisions(self) -> Mapping[str, tuple[CollisionRule, ...]]:
        """Collision presets, the default one first."""
        return self.facts.collisions

    @property
    def poses(self) -> Mapping[str, InitialState]:
        """Poses, the default one first."""
        return self.facts.poses

    def spec(self, collisions: str = "") -> mujoco.MjSpec:
        """A fresh `MjSpec` with actuators and the collisions of a preset, the default one if none is named."""
        from mjsdk.scene import robot_alone

        return robot_alone(self.session, collisions).spec

    def compile(self, collisions: str = "") -> mujoco.MjModel:
        """The robot alone, as an `MjModel`: no ground, no task."""
        from mjsdk.scene import compile_robot

        return compile_robot(self.session, collisions)


@attrs.frozen
class LoadedRun:
    """The folder of one training."""

    run: Run

    @property
    def path(self) -> Path:
        """The folder."""
        return self.run.path

    @property
    def config(self) -> Config:
        """The configuration it was trained with."""
        return self.run.config(self.run.session())

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """One entry per iteration."""
        return self.run.metrics()

    def policy(self, checkpoint: str | Path | None = None, device: str = "cpu") -> Policy:
        """The policy of a checkpoint, the newest if none is named: `policy(observations) -> actions (E, A)`."""
        from mjsdk.learn.policy import load_policy
        from mjsdk.physics import resolve_device

        return load_policy(self.run, checkpoint=checkpoint, device=resolve_device(device))

    def make_env(
        self, *overrides: Overrides, device: str = "cpu", physics: str = "auto", seed: int | None = None
    ) -> Env:
        """An environment as in training, with settings of your own on top, on a device and a physics of your choice."""
        from mjsdk.learn.records import check_model
        from mjsdk.physics import resolve

        session = self.run.session()
        check_model(self.run, session)
        return _make_env(self.run.config(session), session, overrides, resolve(device, physics), seed)


def load_robot(robot: str) -> LoadedRobot:
    """Load a robot by `name`, `package:name` or `./file.py`."""
    session = open_session(robot)
    return LoadedRobot(session, session.robot())


def compose(
    robot: str,
    task: str,
    *overrides: Overrides,
    extras: Sequence[str] = (),
    preset: str | None = None,
    file: str | Path | None = None,
    device: str = "cpu",
    physics: str = "auto",
) -> Config:
    """The configuration of a task for a robot: task, robot's adaptations, preset, file, then overrides.

    Args:
        robot: `name`, `package:name` or `./file.py`; likewise the task and the extras.
        task: The task.
        overrides: Settings by dotted path, `{"env.scene.num_envs": 64}` or `"env.scene.num_envs=64"`.
        extras: Extras that add terms or adapt the task.
        preset: `cpu`, `gpu`, `stable` or a task's own; by default the one that suits the device.
        file: YAML file with settings.
        device: Decides the default preset; it need not be there.
        physics: `cpu`, `warp`, or `auto` for what suits the device: presets have numbers for each.
    """
    from mjsdk.physics import resolve

    where = resolve(device, physics, here=False)
    return _compose(open_session(robot, task, extras, core=core_terms), overrides, where, preset, file)


def make_env(
    config: Config | str,
    task: Overrides | None = None,
    *overrides: Overrides,
    num_envs: int | None = None,
    device: str = "cpu",
    physics: str = "auto",
    seed: int | None = None,
    extras: Sequence[str] = (),
) -> Env:
    """The environment of a configuration, `make_env(config, ...)`, or of a robot and a task by name.

    Args:
        config: What `compose` returned, or the name of a robot.
        task: Name of the task after that of a robot; after a configuration, the first of the overrides.
        overrides: Settings by dotted path, on top.
        num_envs: Number of worlds; short for `env.scene.num_envs`.
        device: `cpu`, `cuda`, `cuda:N`, or `auto` for a GPU if there is one.
        physics: `cpu`, `warp`, or `auto` for what suits the device.
        seed: Seed of all random numbers; the configuration's by default.
        extras: Extras, after the name of a robot; a configuration has its own.
    """
    from mjsdk.physics import resolve

    where = resolve(device, physics)
    given = [*overrides, *([{"env.scene.num_envs": num_envs}] if num_envs is not None else [])]
    if isinstance(config, str):
        if not isinstance(task, str):
            raise TypeError("make_env needs a configuration, or the names of a robot and of a task")
        from mjsdk.env import make_env as build

        session = open_session(config, task, extras, core=core_terms)
        return build(_compose(session, given, where), session, device=where[0], physics=where[1], seed=seed)
    if extras:
        raise TypeError("make_env takes extras only with the names of a robot and a task; a configuration has its own")
    given = given if task is None else [task, *given]
    session = open_session(config.robot, config.task, config.extras, core=core_terms)
    return _make_env(config, session, given, where, seed)


def load_run(run: str | Path = "latest", log_root: str | Path = "logs", trust_code: bool = False) -> LoadedRun:
    """The run of a folder, or the `latest` below `log_root`.

    Args:
        run: Folder, name of a run, or `latest`.
        log_root: Folder that holds the runs.
        trust_code: Take plugin files that a run of somebody else brings for known, now and later. They are code, which
            runs when a configuration or an environment is asked for; without this that raises `UntrustedCode`.
    """
    from mjsdk.runs import find_run

    found = find_run(str(run), str(log_root))
    if trust_code:
        found.trust_code()
    return LoadedRun(found)


def _compose(
    session: Session,
    overrides: Sequence[Overrides],
    where: tuple[str, str],
    preset: str | None = None,
    file: str | Path | None = None,
) -> Config:
    """Settings of a session for a device and a physics, their warnings in the log. Raises `ConfigError`."""
    from mjsdk.config.settings import Given, compose_given

    given = Given(preset=preset, file=Path(file) if file is not None else None, overrides=_pairs(overrides))
    composed = compose_given(session, given, *where)
    for warning in composed.warnings:
        _log.warning("settings of %s on %s: %s", composed.config.robot, composed.config.task, warning)
    return composed.config


def _make_env(
    config: Config, session: Session, overrides: Sequence[Overrides], where: tuple[str, str], seed: int | None
) -> Env:
    """With settings on top, checked: the configuration may have been edited by hand. Raises `ConfigError`."""
    from mjsdk.config.convert import to_plain
    from mjsdk.config.overrides import tree
    from mjsdk.config.settings import Settings
    from mjsdk.env import make_env

    device, physics = where
    settings = Settings(session, to_plain(config), physics=physics)
    settings.apply(tree(_pairs(overrides)), "flag", typed=True)
    return make_env(settings.config(), session, device=device, physics=physics, seed=seed)


def _pairs(overrides: Sequence[Overrides]) -> list[tuple[str, Any]]:
    from mjsdk.config.convert import to_plain
    from mjsdk.config.overrides import parse_flags

    pairs: list[tuple[str, Any]] = []
    for given in overrides:
        pairs += to_plain(given).items() if isinstance(given, Mapping) else parse_flags([f"--{given}"])
    return pairs
