"""The core's own hook implementations: what every session offers before any plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mjsdk.hookspecs import hookimpl

if TYPE_CHECKING:
    import mujoco

    from mjsdk.robot import Robot

MJSDK_API = 1


@hookimpl
def mjsdk_setup_actuators(robot: Robot, spec: mujoco.MjSpec) -> None:
    """Turn `robot.actuators` into position actuators."""
    from mjsdk.scene.actuators import apply_actuators

    apply_actuators(robot, spec)


@hookimpl
def mjsdk_setup_collisions(robot: Robot, spec: mujoco.MjSpec, preset: str) -> None:
    """Let the geoms collide that `robot.collisions[preset]` names."""
    from mjsdk.scene.collisions import apply_collisions

    apply_collisions(robot, spec, preset)


@hookimpl
def mjsdk_observation_terms() -> Mapping[str, Any]:
    """The core's observation terms."""
    from mjsdk.mdp import observations

    return observations.TERMS


@hookimpl
def mjsdk_reward_terms() -> Mapping[str, Any]:
    """The core's reward terms."""
    from mjsdk.mdp import rewards

    return rewards.TERMS


@hookimpl
def mjsdk_termination_terms() -> Mapping[str, Any]:
    """The core's termination terms."""
    from mjsdk.mdp import terminations

    return terminations.TERMS


@hookimpl
def mjsdk_event_terms() -> Mapping[str, Any]:
    """The core's event terms."""
    from mjsdk.mdp import events

    return events.TERMS


@hookimpl
def mjsdk_command_terms() -> Mapping[str, Any]:
    """The core's command terms."""
    from mjsdk.mdp import clock, commands

    return {**commands.TERMS, **clock.TERMS}


@hookimpl
def mjsdk_action_terms() -> Mapping[str, Any]:
    """The core's action terms."""
    from mjsdk.mdp import actions

    return actions.TERMS


@hookimpl
def mjsdk_curriculum_terms() -> Mapping[str, Any]:
    """The core's curriculum terms."""
    from mjsdk.mdp import curriculum

    return curriculum.TERMS


@hookimpl
def mjsdk_metric_terms() -> Mapping[str, Any]:
    """The core's metric terms."""
    from mjsdk.mdp import metrics

    return metrics.TERMS
