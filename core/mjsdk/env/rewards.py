"""Rewards, terminations and metrics: numbers per world and step."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.config.env import MetricTermConfig, RewardTermConfig, TerminationTermConfig
from mjsdk.env.rows import Rows
from mjsdk.env.terms import BoundTerm
from mjsdk.kernels import Call
from mjsdk.kernels.rows import log_step
from mjsdk.kernels.sums import ends, weighted_sums

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
        self._values = kernels.zeros(len(self.terms), env.num_envs, device=env.device)
        self.rows = Rows(env, self.terms.values(), self._values)
        self._weights = torch.zeros(len(self.terms), device=env.device)
        self.total = env.buffers.new("reward/total", env.num_envs)
        """Reward of the last step, shape (E,)."""
        self._arrays = (self._values.numpy(), self._weights.numpy()) if kernels.used_on(env.device) else ()
        self.sync()

    def sync(self) -> None:
        """Take over weights that changed in the settings."""
        weights = [config.weight for config in self._configs.values()]
        self._weights.copy_(torch.tensor(weights))

    def compute(self, dt: float) -> Tensor:
        """The reward of a step of `dt` seconds, shape (E,). Worlds that blew up get none: MuJoCo has reset them."""
        self.rows.compute()
        if not self._add_up(dt):
            self._replace_non_finite()
            self._add_up(dt)
        if self._env.config.only_positive_rewards:
            self.total.clamp_(min=0.0)
        if self._env.any_unstable:
            self.total.masked_fill_(self._env.unstable, 0.0)
        return self.total

    def _add_up(self, dt: float) -> bool:
        """Fill `total`; whether it is finite in all worlds."""
        if kernels.used_on(self._env.device):
            return weighted_sums(*self._arrays, np.float32(dt), self.total.numpy())
        torch.mv(self._values.T, self._weights * dt, out=self.total)
        return math.isfinite(self.total.sum())  # one that is not, makes the sum so

    def logging(self, sums: Tensor, episodes_now: Tensor, steps: Tensor) -> Call:
        """What adds the last step to sums: each weighted term [1/s] to `sums`, shape (terms, E), and see EpisodeLog."""
        if kernels.used_on(self._env.device):
            return log_step.bind(self._values, self._weights, sums, self.total, episodes_now, steps.view(1))

        def add() -> None:
            sums.addcmul_(self._values, self._weights.unsqueeze(1))
            episodes_now[2].add_(self.total)
            episodes_now[3].add_(1.0)
            steps.add_(1)

        return add

    def reset(self, ids: Tensor) -> None:
        """Let terms forget the worlds `ids`."""
        self.rows.reset(ids)

    def _replace_non_finite(self) -> None:
        """Raise for a term that is to blame; what a world that blew up gave is left out."""
        stable = ~self._env.unstable
        for term, row in zip(self.terms.values(), self._values, strict=True):
            if not torch.isfinite(row[stable]).all():
                self._env.report_non_finite(f"reward term '{term.name}'", ~torch.isfinite(row) & stable)
        self._values.nan_to_num_(0.0, 0.0, 0.0)


class Terminations:
    """Why episodes end."""

    def __init__(self, env: Env, configs: Mapping[str, TerminationTermConfig]) -> None:
        self._env = env
        self.terms = {name: BoundTerm(env, "termination", name, config) for name, config in configs.items()}
        self.names = (*self.terms, "unstable")
        """All reasons: the terms, and physics that blew up."""
        time_outs = [*(config.time_out for config in configs.values()), False]
        self._is_time_out = torch.tensor(time_outs, device=env.device)
        self.reasons = kernels.zeros(len(self.names), env.num_envs, device=env.device, dtype=torch.bool)
        """Which reason holds in which world, shape (reasons, E)."""
        self.rows = Rows(env, self.terms.values(), self.reasons)
        self._ids = torch.arange(env.num_envs, device=env.device)
        self.done = self._ids[:0]
        """Numbers of the worlds whose episode ended in the last step, shape (n,)."""
        self.terminated = env.buffers.new("termination/terminated", env.num_envs, dtype=torch.bool)
        """Worlds that failed in the last step, shape (E,)."""
        self.truncated = env.buffers.new("termination/truncated", env.num_envs, dtype=torch.bool)
        """Worlds whose time was up in the last step, shape (E,)."""
        ended = (self.reasons, self._is_time_out, self.terminated, self.truncated, self._ids)
        self._ends = ends.bind(*ended) if kernels.used_on(env.device) else None

    def compute(self) -> None:
        """Fill `terminated`, `truncated` and `done`."""
        self.rows.compute()
        self.reasons[-1].copy_(self._env.unstable)
        if self._ends is not None:
            self.done = self._ids[: self._ends()]
        else:
            late = self._is_time_out.unsqueeze(1)
            self.terminated.copy_((self.reasons & ~late).any(0))
            self.truncated.copy_((self.reasons & late).any(0) & ~self.terminated)
            self.done = (self.terminated | self.truncated).nonzero().squeeze(1)

    def reset(self, ids: Tensor) -> None:
        """Let terms forget the worlds `ids`."""
        self.rows.reset(ids)


class Metrics:
    """Quantities that are only logged."""

    def __init__(self, env: Env, configs: Mapping[str, MetricTermConfig]) -> None:
        self.terms = {name: BoundTerm(env, "metric", name, config) for name, config in configs.items()}
        self.rows = Rows(env, self.terms.values(), kernels.zeros(len(self.terms), env.num_envs, device=env.device))

    def compute(self) -> Tensor:
        """Each metric now, shape (metrics, E)."""
        return self.rows.compute()

    def reset(self, ids: Tensor) -> None:
        """Let terms forget the worlds `ids`."""
        self.rows.reset(ids)
