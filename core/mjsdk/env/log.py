"""True means of what happened since the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.kernels.rows import close_episodes

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class EpisodeLog:
    """Sums over steps and ended episodes; `take` turns them into means.

    Rewards and metrics are means over all steps of all worlds, so that neither long episodes nor the share of worlds
    that happened to end weigh more. Lengths and sums are means over the episodes that ended.
    """

    def __init__(self, env: Env) -> None:
        self._env = env
        self._rewards = env.buffers.new("log/rewards", len(env.rewards.terms), env.num_envs)
        self._metrics = env.buffers.new("log/metrics", len(env.metrics.terms), env.num_envs)
        self._reasons = env.buffers.new("log/reasons", len(env.terminations.names))
        self._steps = env.buffers.new("log/steps", dtype=torch.long)
        self._ended = env.buffers.new("log/ended", 4)
        self._episodes_now = env.buffers.new("log/episodes_now", 4, env.num_envs)
        """Per world: 1, whether it failed, sum of reward and length of its episode so far; sums over those that end."""
        self._episodes_now[0] = 1.0
        self._failed = self._episodes_now[1]
        self._add_step = env.rewards.logging(self._rewards, self._episodes_now, self._steps)
        ends = (env.terminations.terminated, env.terminations.reasons)
        sums = (*ends, self._episodes_now, self._reasons, self._ended)
        self._arrays = [*map(kernels.array, sums)] if kernels.used_on(env.device) else []

    def step(self) -> None:
        """Take in a step, before worlds are reset."""
        self._add_step()
        if len(self._metrics):
            self._metrics += self._env.metrics.compute()

    def begin(self, ids: Tensor) -> None:
        """Begin episodes in the worlds `ids`; what was there before ended without an end, and does not count."""
        self._episodes_now[1:].index_fill_(1, ids, 0.0)

    def end(self, ids: Tensor) -> None:
        """Take in the episodes of the worlds `ids` that ended."""
        if kernels.used_on(self._env.device):
            close_episodes(ids.numpy(), *self._arrays)
            return
        self._failed.copy_(self._env.terminations.terminated)
        self._reasons += self._env.terminations.reasons.index_select(1, ids).sum(1)
        self._ended += self._episodes_now.index_select(1, ids).sum(1)
        self.begin(ids)

    def take(self) -> dict[str, float]:
        """Means since the last call."""
        env = self._env
        steps = max(int(self._steps), 1)
        rewards, metrics = (sums.mean(1).tolist() for sums in (self._rewards, self._metrics))
        means = {f"reward/{k}": v / steps for k, v in zip(env.rewards.terms, rewards, strict=True)}
        means |= {f"metrics/{k}": v / steps for k, v in zip(env.metrics.terms, metrics, strict=True)}
        means |= self._episodes()
        means |= {f"curriculum/{name}": value for name, value in env.curriculum.values.items()}
        for tensor in (self._rewards, self._metrics, self._reasons, self._ended, self._steps):
            tensor.zero_()
        return means

    def _episodes(self) -> dict[str, float]:
        episodes, falls, returns, steps = self._ended.tolist()
        if not episodes:
            return {}
        reasons = zip(self._env.terminations.names, self._reasons.tolist(), strict=True)
        return {
            "metrics/fall_rate": falls / episodes,
            **{f"termination/{name}": count / episodes for name, count in reasons},
            "train/episodes": episodes,
            "train/mean_reward": returns / episodes,
            "train/mean_episode_length_s": steps / episodes * self._env.step_dt,
        }
