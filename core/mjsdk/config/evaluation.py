"""Whether what a task counts as failing in evaluations can be built: found before a training, not after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from mjsdk.config.checks import check
from mjsdk.config.env import EnvConfig
from mjsdk.config.root import Config
from mjsdk.errors import Mistake, refuse

if TYPE_CHECKING:
    from mjsdk.plugins import Session
    from mjsdk.robot.selection import ModelNames


def check_evaluation(session: Session, config: Config, names: ModelNames | None = None) -> None:
    """Raise `ConfigError` with all mistakes in the task's `EvaluationConfig`, for a training with these settings."""
    evaluation, scene = session.task().evaluation, config.env.scene
    if evaluation is None:
        return
    env = EnvConfig(
        scene=attrs.evolve(scene, sensors={**scene.sensors, **evaluation.sensors}),
        commands=config.env.commands,
        actions=config.env.actions,
        terminations=evaluation.terminations,
    )
    mistakes = [
        Mistake(f"evaluation.sensors.{name}", "there is a sensor of that name among the settings; choose another")
        for name in evaluation.sensors.keys() & scene.sensors.keys()
    ]
    for mistake in check(Config(env=env), session.terms(), names=names, robot=session.robot()).mistakes:
        for section, part in (("env.terminations.", "terminations"), ("env.scene.sensors.", "sensors")):
            _, found, below = mistake.path.partition(section)
            if found and below.partition(".")[0] in getattr(evaluation, part):
                mistakes.append(Mistake(f"evaluation.{part}.{below}", mistake.message))
    ref = session.task_ref
    refuse(mistakes, f"This comes from task '{ref.name}' ({ref.package}), not from your settings; tell its authors.")
