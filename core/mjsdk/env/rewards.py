"""Rewards, terminations and metrics: numbers per world and step."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk.config.env import MetricTermConfig, RewardTermConfig, TerminationTermConfig
from mjsdk.env.terms import BoundTerm, Rows
from mjsdk.env.worlds import Worlds
from mjsdk.errors import PhysicsError

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class Rewards:
    """The weighted sum of all reward terms, times the length of a step."""

    def __init__(self, env: Env, configs: Mapping[str, RewardTermConfig], changing: Container[str] = ()) -> None:
        """Build the terms; those of weight 0 only where the path of their weight is `changing` in training."""
        self._env = env
        self._configs = {
            k: config for k, config in configs.items() if config.weight or f"rewards.{k}.weight" in changing
        }
        self.terms = {name: BoundTerm(env, "reward", name, config) for name, config in self._configs.items()}
        self.values = env.zeros(len(self.terms), env.num_envs)
        """What each term gave in the last step, shape (terms, E)."""
        self.rows = Rows(env, self.terms.values(), self.values)
        self.weights = env.zeros(len(self.terms))
        """Weight of each term, shape (terms,)."""
        self.total = env.buffers.new("reward/total", env.num_envs)
        """Reward of the last step, shape (E,)."""
        self._non_finite = env.zeros(len(self.terms), dtype=torch.long)
        self.sync()

    def sync(self) -> None:
        """Take over weights that changed in the settings."""
        for weight, config in zip(self.weights, self._configs.values(), strict=True):
            weight.fill_(config.weight)

    def compute(self, dt: float) -> Tensor:
        """The reward of a step of `dt` seconds, shape (E,). Worlds that blew up get none: MuJoCo has reset them."""
        self.rows.compute()
        unstable, found = self._env.unstable, self._non_finite
        if self._env.ops.weighted_sum(self.values, self.weights, dt, unstable, self.total, found):
            self.check()
        if self._env.config.only_positive_rewards:
            self.total.clamp_(min=0.0)
        return self.total

    def check(self, steps: int = 1) -> None:
        """Raise `PhysicsError` if a value was NaN or infinite although the physics is not; it counted as 0 till now.

        They are those of the last step, or of so many.
        """
        worlds, now = self._env.num_envs, self._env.common_step_counter
        where = f"worlds at step {now}" if steps == 1 else f"values of {steps} steps"
        for term, count in zip(self.terms.values(), self._non_finite.tolist(), strict=True):
            if count:
                raise PhysicsError(
                    f"reward term '{term.name}' is NaN or infinite in {count} of {worlds * steps} {where}, "
                    "although their physics is stable: the term divides by zero or takes a root of a negative number. "
                    "Fix the term, or set its weight to 0."
                )


class Terminations:
    """Why episodes end."""

    def __init__(self, env: Env, configs: Mapping[str, TerminationTermConfig]) -> None:
        self._env = env
        ordered = sorted(configs.items(), key=lambda item: item[1].time_out)
        self.terms = {name: BoundTerm(env, "termination", name, config) for name, config in ordered}
        self.names = (*self.terms, "unstable")
        """All reasons: the terms, those that fail before those whose time is up, and physics that blew up."""
        self._failures = sum(not config.time_out for config in configs.values())
        self.reasons = env.zeros(len(self.names), env.num_envs, dtype=torch.bool)
        """Which reason holds in which world, shape (reasons, E)."""
        self._unstable = self.reasons[-1]
        self.rows = Rows(env, self.terms.values(), self.reasons)
        self.terminated = env.buffers.new("termination/terminated", env.num_envs, dtype=torch.bool)
        """Worlds that failed in the last step, shape (E,)."""
        self.truncated = env.buffers.new("termination/truncated", env.num_envs, dtype=torch.bool)
        """Worlds whose time was up in the last step, shape (E,)."""
        self._end = env.ops.prepared(
            env.ops.end_episodes, self.reasons, self._failures, self.terminated, self.truncated
        )

    def compute(self) -> Worlds:
        """Fill `terminated` and `truncated`; the worlds that are either."""
        self.rows.compute()
        self._unstable.copy_(self._env.unstable)
        return self._env.worlds(*self._end())


class Metrics:
    """Quantities that are only logged."""

    def __init__(self, env: Env, configs: Mapping[str, MetricTermConfig]) -> None:
        self.terms = {name: BoundTerm(env, "metric", name, config) for name, config in configs.items()}
        self.values = env.zeros(len(self.terms), env.num_envs)
        """What each term gave in the last step, shape (metrics, E)."""
        self.rows = Rows(env, self.terms.values(), self.values)

    def compute(self) -> Tensor:
        """Each metric now, shape (metrics, E)."""
        self.rows.compute()
        return self.values
