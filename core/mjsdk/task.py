"""What a task package says: what is asked of a robot, and the whole configuration of the training."""

from __future__ import annotations

from typing import Any

import attrs

from mjsdk.config.agent import AgentConfig
from mjsdk.config.env import EnvConfig, SensorConfig, TerminationTermConfig
from mjsdk.errors import MissingRole, listing
from mjsdk.robot import PARTS, Robot


@attrs.frozen(kw_only=True)
class Requirement:
    """A part that the robot must have."""

    role: str
    part: str = attrs.field(default="bodies", validator=attrs.validators.in_(PARTS))
    at_least: int = 1
    why: str = ""
    """What the task does with it, for the error message."""


def _maps_to(kind: type) -> Any:
    """A validator of dicts from names to objects of a class."""
    of = attrs.validators.instance_of
    return attrs.validators.deep_mapping(of(str), of(kind), of(dict))


@attrs.define(kw_only=True)
class EvaluationConfig:
    """What every evaluation of a task counts as failing, however a run was trained."""

    terminations: dict[str, TerminationTermConfig] = attrs.field(validator=_maps_to(TerminationTermConfig))
    """Instead of those of the run's settings. One at least that is no time-out: else nothing is ever a failure."""
    sensors: dict[str, SensorConfig] = attrs.field(factory=dict, validator=_maps_to(SensorConfig))
    """Besides those of the run's settings, for these terms to read; with names of their own."""

    def __attrs_post_init__(self) -> None:
        if all(term.time_out for term in self.terminations.values()):
            raise ValueError("EvaluationConfig(terminations=...): every term is a time-out, so nothing is a failure")


@attrs.define(kw_only=True)
class TaskConfig:
    """A task for one robot, as `mjsdk_task(robot)` returns it."""

    name: str
    summary: str = ""
    requires: tuple[Requirement, ...] = ()
    env: EnvConfig = attrs.field(factory=EnvConfig)
    agent: AgentConfig = attrs.field(factory=AgentConfig)
    evaluation: EvaluationConfig | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(EvaluationConfig))
    )
    """None: episodes fail as they did in the training of the run that is evaluated."""
    presets: dict[str, dict[str, object]] = attrs.field(factory=dict)
    """This task's own numbers for the presets `cpu`, `gpu`, `stable`: values by path, the same on any physics."""


def check_requirements(
    requires: tuple[Requirement, ...], robot: Robot, task: str, robot_name: str, robot_package: str
) -> None:
    """Raise `MissingRole` for the parts that `robot` lacks, all at once, before any physics starts."""
    missing = [_describe(need) for need in requires if not _has(robot, need)]
    if missing:
        raise MissingRole(
            f"task '{task}' needs {'; '.join(missing)}; robot '{robot_name}' ({robot_package}) has the roles "
            f"{listing(robot.roles)}. Add the role in {robot_package}'s mjsdk_robot(), or choose another robot."
        )


def _has(robot: Robot, need: Requirement) -> bool:
    return need.role in robot.roles and len(getattr(robot.roles[need.role], need.part)) >= need.at_least


def _describe(need: Requirement) -> str:
    count = f"at least {need.at_least} {need.part}" if need.at_least > 1 else need.part
    return f"role '{need.role}' with {count}" + (f" ({need.why})" if need.why else "")
