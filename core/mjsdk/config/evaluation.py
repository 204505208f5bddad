"""Whether what a task counts as failing in evaluations can be built: found before a training, not after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from mjsdk.config.checks import check
from mjsdk.config.env import EnvConfig
from mjsdk.config.root import Config
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.plugins import Session
    from mjsdk.robot.selection import ModelNames
    from mjsdk.task import EvaluationConfig

_WHERE = {"env.terminations": "terminations", "env.scene.sensors": "sensors"}
"""Where the parts of an evaluation stand among the settings."""


def check_evaluation(session: Session, config: Config, names: ModelNames | None = None) -> None:
    """Raise `ConfigError` with all mistakes in the task's `EvaluationConfig`, for a training with these settings."""
    evaluation = session.task().evaluation
    if evaluation is None:
        return
    mistakes = list(_mistakes(evaluation, session, config, names))
    if mistakes:
        ref = session.task_ref
        raise ConfigError(
            mistakes, f"This comes from task '{ref.name}' ({ref.package}), not from your settings; tell its authors."
        )


def _mistakes(
    evaluation: EvaluationConfig, session: Session, config: Config, names: ModelNames | None
) -> Iterator[Mistake]:
    for name in evaluation.sensors.keys() & config.env.scene.sensors.keys():
        yield Mistake(f"evaluation.sensors.{name}", "there is a sensor of that name among the settings; choose another")
    env = attrs.evolve(
        EnvConfig(commands=config.env.commands, actions=config.env.actions, terminations=evaluation.terminations),
        scene=attrs.evolve(config.env.scene, sensors={**config.env.scene.sensors, **evaluation.sensors}),
    )
    for mistake in check(Config(env=env), session.terms(), names=names, robot=session.robot()).mistakes:
        for path, part in _WHERE.items():
            name, _, below = mistake.path.removeprefix(f"{path}.").partition(".")
            if mistake.path.startswith(f"{path}.") and name in getattr(evaluation, part):
                yield attrs.evolve(mistake, path=".".join(filter(None, ("evaluation", part, name, below))))
