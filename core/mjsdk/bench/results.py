"""What a benchmark found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mjsdk.device import Memory


@attrs.frozen(kw_only=True)
class Learning:
    """Whole iterations of a training: rollout and update."""

    env_steps_per_s: float
    """Worlds times control steps per second of wall time, learning included."""
    iteration_s: float
    """Time of an iteration [s], of which:"""
    physics_s: float
    """Physics [s]."""
    environment_s: float
    """The rest of the environment [s]."""
    learning_s: float
    """Networks: actions and update [s]."""
    iterations: int
    num_steps_per_env: int


@attrs.frozen(kw_only=True)
class Result:
    """What a benchmark found."""

    env_steps_per_s: float
    """Worlds times control steps per second of wall time."""
    physics_env_steps_per_s: float
    """Likewise of the physics alone."""
    overhead: float
    """Time of `Env.step` over time of its physics alone, median of the blocks."""
    num_envs: int
    threads: int
    physics: str
    blocks: list[float]
    """Overhead of each block."""
    device: str
    device_name: str
    settings: dict[str, Any]
    """What the physics had to do, by the name of each setting."""
    memory: Memory
    """The most of the times that it was looked at: after the first steps, and after each iteration."""
    learning: Learning | None = None
    """None if nothing was learnt."""

    @property
    def throughput(self) -> float:
        """Steps per second that a training gets, or where nothing was learnt, that the environment gives."""
        return self.learning.env_steps_per_s if self.learning else self.env_steps_per_s

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return attrs.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """What `to_json` gave."""
        learning = Learning(**data["learning"]) if data["learning"] else None
        return cls(**{**data, "memory": Memory(**data["memory"]), "learning": learning})
