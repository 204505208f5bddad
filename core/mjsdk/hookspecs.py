"""Every hook that mjsdk calls: the plugin contract, on one page.

A plugin is a module with `MJSDK_API = 1` and functions marked `@hookimpl`, named by an entry point:

    [project.entry-points."mjsdk.robots"]     # or mjsdk.tasks, mjsdk.extras
    myarm = "mjsdk_robot_myarm"

Take the arguments you need, in any order, without default values. Adding an argument to a hook is not a breaking
change; `MJSDK_API` grows when something else changes.

Terms see E worlds at once: `env` is a `mjsdk.env.Env`, `params` are the settings that a term's signature names. A term
that remembers is a class: made once as `Term(env, **params)`, called as `term(env)`, and by its method `reset(worlds)`,
if it has one, it forgets the worlds that begin again.

`worlds` is a `mjsdk.env.Worlds`: those that something happens to. A term makes rows for them and writes them, without
asking how many there are, and so is written once for both devices:

    def loosen(env, worlds, largest=0.01):
        rows = worlds.uniform(-largest, largest, env.robot.encoder_bias.shape[1])
        worlds.write(env.robot.encoder_bias, rows)  # the target has a row for each of the E worlds

`worlds.fill(target, value)` writes one value, `worlds.take(source)` reads rows, `worlds.mask` says which worlds they
are, bool, shape (E,), and `worlds.ids` likewise by number, for which a GPU is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import mujoco

    from mjsdk.config import Config
    from mjsdk.robot import Robot
    from mjsdk.task import TaskConfig

API = 1
"""The version of this contract. Plugins state theirs as a literal `MJSDK_API = 1`."""

hookspec = pluggy.HookspecMarker("mjsdk")
hookimpl = pluggy.HookimplMarker("mjsdk")
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec(firstresult=True)
def mjsdk_robot() -> Robot:
    """Robot plugins: the facts of the machine and its roles. No simulation, no device, no network."""


@hookspec(firstresult=True)
def mjsdk_load_spec(robot: Robot) -> mujoco.MjSpec:
    """Robot plugins: a fresh, uncompiled model with bodies, joints, geoms and sites; the scene removes the rest."""


@hookspec
def mjsdk_setup_actuators(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Edit the actuators of `spec` in place. The core has applied `robot.actuators` before."""


@hookspec
def mjsdk_setup_collisions(robot: Robot, spec: mujoco.MjSpec, preset: str) -> None:
    """Edit the collisions of `spec` in place. The core has applied `robot.collisions[preset]` before."""


@hookspec(firstresult=True)
def mjsdk_task(robot: Robot) -> TaskConfig:
    """Task plugins: the whole task, written on the robot's roles."""


@hookspec
def mjsdk_observation_terms() -> Mapping[str, Any]:
    """Observation terms by name: `term(env, **params) -> Tensor (E, D)`, or classes called so."""


@hookspec
def mjsdk_reward_terms() -> Mapping[str, Any]:
    """Reward terms by name: `term(env, **params) -> Tensor (E,)`. Weights carry the sign."""


@hookspec
def mjsdk_termination_terms() -> Mapping[str, Any]:
    """Termination terms by name: `term(env, **params) -> bool Tensor (E,)`."""


@hookspec
def mjsdk_event_terms() -> Mapping[str, Any]:
    """Event terms by name: `term(env, worlds, **params) -> None`, which changes these worlds."""


@hookspec
def mjsdk_command_terms() -> Mapping[str, Any]:
    """Command terms by name: subclasses of `mjsdk.env.CommandTerm`, with their settings as `Config`."""


@hookspec
def mjsdk_action_terms() -> Mapping[str, Any]:
    """Action terms by name: subclasses of `mjsdk.env.ActionTerm`, with their settings as `Config`."""


@hookspec
def mjsdk_curriculum_terms() -> Mapping[str, Any]:
    """Curriculum terms by name: `term(env, worlds, **params) -> float`, a value to log, called as episodes begin."""


@hookspec
def mjsdk_metric_terms() -> Mapping[str, Any]:
    """Metric terms by name: `term(env, **params) -> Tensor (E,)`, logged as the mean over all steps and worlds."""


@hookspec
def mjsdk_adapt(robot: Robot, task_name: str, config: Config) -> None:
    """Robots and extras: edit numbers of a composed task in place, before presets and the user's own settings."""


@hookspec
def mjsdk_exporters() -> Mapping[str, Any]:
    """Ways out of a run, by name: `exporter(run)` writes into `run.path` after a training and returns what it wrote."""
