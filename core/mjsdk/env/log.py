"""True means of what happened since the last report."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from mjsdk.env.worlds import Worlds

if TYPE_CHECKING:
    from mjsdk.env.env import Env

logger = logging.getLogger(__name__)

_EPISODES = "train/episodes"
_PER_EPISODE = ("metrics/fall_rate", "termination/", "train/")
"""Beginnings of the names of means over episodes; all others are means over steps."""


def combined(logs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What one environment would have logged that has the worlds of several others with as many worlds each."""
    if len(logs) == 1:
        return dict(logs[0])
    names = dict.fromkeys(name for log in logs for name in log)
    return {name: _joined(name, [log for log in logs if name in log]) for name in names}


def _joined(name: str, logs: Sequence[Mapping[str, float]]) -> float:
    if name == _EPISODES:
        return sum(log[name] for log in logs)
    weights = [log[_EPISODES] if name.startswith(_PER_EPISODE) else 1.0 for log in logs]
    return sum(weight * log[name] for weight, log in zip(weights, logs, strict=True)) / sum(weights)


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
        self._unstable, self._warn_at = 0, 1
        rewards, sums = env.rewards, (self._rewards, self._episodes_now)
        self._add_step = env.ops.prepared(env.ops.log_step, rewards.values, rewards.weights, rewards.total, *sums)

    def step(self) -> None:
        """Take in a step, before worlds are reset."""
        self._steps += 1
        self._add_step()
        if len(self._metrics):
            self._metrics += self._env.metrics.compute()

    def begin(self, worlds: Worlds) -> None:
        """Begin episodes in some worlds; what was there before ended without an end, and does not count."""
        for row in self._episodes_now[1:]:
            worlds.fill(row, 0.0)

    def end(self, worlds: Worlds) -> None:
        """Take in the episodes of some worlds, which ended."""
        ends, sums = self._env.terminations, (self._episodes_now, self._reasons, self._ended)
        self._env.ops.log_ends(worlds, ends.terminated, ends.reasons, *sums)

    def take(self) -> dict[str, float]:
        """Means since the last call. Raises `PhysicsError` where a reward was not finite, or physics went wrong."""
        env = self._env
        physics = env.physics.report()
        steps = max(int(self._steps), 1)
        env.rewards.check(steps)
        rewards, metrics = (sums.mean(1).tolist() for sums in (self._rewards, self._metrics))
        means = {f"reward/{k}": v / steps for k, v in zip(env.rewards.terms, rewards, strict=True)}
        means |= {f"metrics/{k}": v / steps for k, v in zip(env.metrics.terms, metrics, strict=True)}
        means |= self._episodes()
        means |= {f"curriculum/{name}": value for name, value in env.curriculum.values.items()} | physics
        self._report_unstable(int(self._reasons[-1]))
        for tensor in (self._rewards, self._metrics, self._reasons, self._ended, self._steps):
            tensor.zero_()
        return means

    def _report_unstable(self, episodes: int) -> None:
        """Warn the first time, and whenever twice as many episodes have ended so: a training has many steps."""
        self._unstable += episodes
        if episodes and self._unstable >= self._warn_at:
            self._warn_at = 2 * self._unstable
            logger.warning(
                "physics became unstable in %d episodes (%d so far), which it ended. If so again, shorten sim.timestep",
                episodes,
                self._unstable,
            )

    def _episodes(self) -> dict[str, float]:
        episodes, falls, returns, steps = self._ended.tolist()
        if not episodes:
            return {}
        reasons = zip(self._env.terminations.names, self._reasons.tolist(), strict=True)
        return {
            "metrics/fall_rate": falls / episodes,
            **{f"termination/{name}": count / episodes for name, count in reasons},
            _EPISODES: episodes,
            "train/mean_reward": returns / episodes,
            "train/mean_episode_length_s": steps / episodes * self._env.step_dt,
        }
