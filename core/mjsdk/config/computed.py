"""Quantities that follow from settings, such as the size of a mini-batch."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from mjsdk.config.fields import Setting
from mjsdk.config.root import Config


@attrs.frozen
class Computed:
    """One quantity and what it is made of."""

    name: str
    setting: Setting
    formula: str
    value: Callable[[Config], float]

    @property
    def path(self) -> str:
        """Where `mjsdk explain` shows it."""
        return f"computed.{self.name}"

    @property
    def inputs(self) -> list[str]:
        """Paths of the settings it depends on: those that the formula names."""
        ends = tuple(f".{name}" for name in re.findall(r"[a-z][a-z_.]+", self.formula))
        return [path for path in _INPUTS if path.endswith(ends)]


_INPUTS = (
    *("agent.max_iterations", "agent.num_steps_per_env"),
    *(f"agent.algorithm.{name}" for name in ("gamma", "num_learning_epochs", "num_mini_batches")),
    *("env.decimation", "env.episode_length_s", "env.scene.num_envs", "env.sim.timestep"),
)


def transitions_per_iteration(config: Config) -> int:
    """Steps of all worlds per iteration."""
    return config.env.scene.num_envs * config.agent.num_steps_per_env


def experience_per_iteration(config: Config) -> float:
    """Simulated time of all worlds per iteration [s]."""
    return round(transitions_per_iteration(config) * config.env.step_dt, 9)


def discount_horizon(config: Config) -> float:
    """Time after which rewards count a third [s]."""
    gamma = config.agent.algorithm.gamma
    return round(config.env.step_dt / (1.0 - gamma), 6) if gamma < 1.0 else float("inf")


COMPUTED: tuple[Computed, ...] = (
    Computed(
        "transitions_per_iteration",
        Setting(
            "Steps of all worlds that one iteration learns from.",
            recommended=(4096, 262144),
            advice="More steady the gradient, fewer come round sooner.",
        ),
        "num_envs x num_steps_per_env",
        transitions_per_iteration,
    ),
    Computed(
        "mini_batch_size",
        Setting(
            "Steps that one gradient is taken over.",
            recommended=(1000, 50000),
            advice="Below, gradients are noisy; above, updates are few.",
        ),
        "num_envs x num_steps_per_env / num_mini_batches",
        lambda config: transitions_per_iteration(config) // max(config.agent.algorithm.num_mini_batches, 1),
    ),
    Computed(
        "updates_per_iteration",
        Setting("Gradient steps per iteration."),
        "num_learning_epochs x num_mini_batches",
        lambda config: config.agent.algorithm.num_learning_epochs * config.agent.algorithm.num_mini_batches,
    ),
    Computed(
        "discount_horizon",
        Setting("How far ahead the policy looks: rewards later than this count less than a third.", unit="s"),
        "decimation x sim.timestep / (1 - gamma)",
        discount_horizon,
    ),
    Computed(
        "control_rate",
        Setting(
            "How often the policy acts.",
            unit="Hz",
            recommended=(20.0, 200.0),
            advice="50 Hz suits legged robots; the robot must be able to keep up.",
        ),
        "1 / (decimation x sim.timestep)",
        lambda config: round(1.0 / config.env.step_dt, 6),
    ),
    Computed(
        "step_dt",
        Setting("Control period.", unit="s"),
        "decimation x sim.timestep",
        lambda config: round(config.env.step_dt, 9),
    ),
    Computed(
        "max_episode_length",
        Setting("Longest episode.", unit="control steps"),
        "episode_length_s / (decimation x sim.timestep)",
        lambda config: round(config.env.episode_length_s / config.env.step_dt),
    ),
    Computed(
        "physics_steps_per_iteration",
        Setting("Physics steps of all worlds per iteration."),
        "num_envs x num_steps_per_env x decimation",
        lambda config: transitions_per_iteration(config) * config.env.decimation,
    ),
    Computed(
        "experience_per_iteration",
        Setting("Simulated time of all worlds per iteration.", unit="s"),
        "num_envs x num_steps_per_env x decimation x sim.timestep",
        experience_per_iteration,
    ),
    Computed(
        "experience_of_training",
        Setting("Simulated time of all worlds over the whole training.", unit="h"),
        "max_iterations x num_envs x num_steps_per_env x decimation x sim.timestep / 3600",
        lambda config: round(config.agent.max_iterations * experience_per_iteration(config) / 3600.0, 3),
    ),
    Computed(
        "transitions_of_training",
        Setting("Steps of all worlds over the whole training."),
        "max_iterations x num_envs x num_steps_per_env",
        lambda config: config.agent.max_iterations * transitions_per_iteration(config),
    ),
)
"""All computed quantities."""
