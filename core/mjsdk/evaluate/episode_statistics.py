"""Statistics of the first episode of each world."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SETTLE_S = 1.0
"""Time at the start of an episode that does not count for errors [s]."""


class EpisodeStatistics:
    """Adds up steps until every world has finished its first episode.

    A world counts while it is alive. Errors and other means over time leave out the first second, in which a robot has
    to get going; of a world that falls before that they take the whole life, so that falling early hides no error.
    """

    def __init__(self, num_envs: int, step_dt: float) -> None:
        self.step_dt = step_dt
        self.time_s = 0.0
        self.alive = torch.ones(num_envs, dtype=torch.bool)
        """Worlds in their first episode, shape (E,)."""
        self.fell = torch.zeros(num_envs, dtype=torch.bool)
        """Worlds that failed, shape (E,)."""
        self.steps = torch.zeros(num_envs)
        """Length of the episode [control steps], shape (E,)."""
        self.reward = torch.zeros(num_envs, dtype=torch.float64)
        """Sum of rewards, shape (E,)."""
        self._early: dict[str, Tensor] = {}
        self._late: dict[str, Tensor] = {}
        self._counts = {"early": torch.zeros(num_envs), "late": torch.zeros(num_envs)}

    def add(self, reward: Tensor, terminated: Tensor, truncated: Tensor, quantities: Mapping[str, Tensor]) -> None:
        """Take in one control step: rewards, who failed, whose time is over, and what to average, shape (E,) each.

        Quantities of worlds that ended in this step are not used: these have been reset, and show the next episode.
        """
        self.time_s += self.step_dt
        self.steps += self.alive
        self.reward += torch.where(self.alive, reward, 0.0)
        self.fell |= self.alive & terminated
        self.alive &= ~(terminated | truncated)
        early = self.time_s <= SETTLE_S + 0.5 * self.step_dt
        sums, counts = (self._early, self._counts["early"]) if early else (self._late, self._counts["late"])
        counts += self.alive
        for name, values in quantities.items():
            for every in (self._early, self._late):
                every.setdefault(name, torch.zeros(len(self.alive), dtype=torch.float64))
            sums[name] += torch.where(self.alive, values, 0.0)

    def has(self, name: str) -> bool:
        """Whether that quantity was measured."""
        return name in self._late

    def mean(self, name: str) -> Tensor:
        """Mean of a quantity over time, shape (E,), float64; NaN where nothing was measured."""
        late = self._counts["late"] > 0
        sums = torch.where(late, self._late[name], self._early[name])
        return sums / torch.where(late, self._counts["late"], self._counts["early"])

    def total(self, name: str) -> Tensor:
        """Sum of a quantity over all steps, shape (E,), float64."""
        return self._early[name] + self._late[name]
