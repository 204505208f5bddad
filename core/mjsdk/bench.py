"""How fast an environment steps, and what it costs on top of its physics.

Overhead is the time of `Env.step` over the time of the same physics alone, measured in one process:

1. Worlds run under small random actions, so that they stand, sway, fall and are reset as in training.
2. A block of environment steps is timed. Before it, the whole state of the environment was saved.
3. The state is put back and the block is run again, untimed, noting what the physics was given in every step: states,
   controls, warm start, model fields of randomised worlds. It is the same block: random numbers were put back too.
4. The physics is given the same again, step by step, and only its own stepping is timed.
5. Blocks repeat; each gives a ratio. The result is their median, so that a disturbance of the machine hardly counts.

Neither noting nor putting back is timed. Both timings of a block follow each other, so that a machine that slows down
slows both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import attrs
import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.errors import Mistake, refuse
from mjsdk.physics import Physics
from mjsdk.runtime import training_runtime

ACTION_STD = 0.2
"""Standard deviation of the random actions: enough to move, too little to throw the robot about."""
_WARM_UP_S = 0.6
"""Simulated time before the first block [s]: first falls and resets have happened, feet have landed."""


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

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return attrs.asdict(self)


def benchmark(env: Env, blocks: int = 10, steps: int = 20, on_block: Callable[[int], None] | None = None) -> Result:
    """Time `blocks` blocks of `steps` control steps each."""
    generator = torch.Generator().manual_seed(0)
    times = []
    with training_runtime(env.device):
        _run(env, _actions(env, max(steps, round(_WARM_UP_S / env.step_dt)), generator))
        for block in range(blocks):
            times.append(_time_block(env, _actions(env, steps, generator)))
            if on_block is not None:
                on_block(block + 1)
    total = blocks * steps * env.num_envs
    return Result(
        env_steps_per_s=total / sum(whole for whole, _ in times),
        physics_env_steps_per_s=total / sum(alone for _, alone in times),
        overhead=statistics.median(whole / alone for whole, alone in times),
        num_envs=env.num_envs,
        threads=env.physics.threads,
        physics=env.physics.name,
        blocks=[whole / alone for whole, alone in times],
    )


MAX_COUNT = 10_000
"""Blocks, and steps of a block: the actions of a block are in memory before it is timed."""


def check_counts(blocks: int, steps: int) -> None:
    """Raise `ConfigError` where there would be nothing to time, or no memory for it."""
    given = {"--blocks": blocks, "--steps": steps}
    mistakes = [
        Mistake(flag, f"must be at {'least 1' if count < 1 else f'most {MAX_COUNT}'}, not {count}")
        for flag, count in given.items()
        if not 1 <= count <= MAX_COUNT
    ]
    refuse(mistakes)


def _time_block(env: Env, actions: list[Tensor]) -> tuple[float, float]:
    """Seconds that the steps take, and that their physics takes alone."""
    before = env.state_dict()
    start = time.perf_counter()
    _run(env, actions)
    whole = time.perf_counter() - start
    after = env.state_dict()
    env.load_state_dict(before)
    with _Recording(env.physics) as recording:
        _run(env, actions)
    alone = recording.replay()
    env.load_state_dict(after)
    return whole, alone


def _run(env: Env, actions: list[Tensor]) -> None:
    for action in actions:
        env.step(action)


def _actions(env: Env, steps: int, generator: torch.Generator) -> list[Tensor]:
    shape = (env.num_envs, env.num_actions)
    return [(torch.randn(shape, generator=generator) * ACTION_STD).to(env.device) for _ in range(steps)]


class _Recording:
    """Notes what a physics was given before each of its steps."""

    def __init__(self, physics: Physics) -> None:
        self._physics = physics
        self._step = physics.step
        self._calls: list[tuple[dict[str, Tensor], int]] = []

    def __enter__(self) -> _Recording:
        self._physics.step = self._note  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        del self._physics.step  # the instance's attribute; the class's method shows again

    def _note(self, count: int = 1) -> None:
        self._calls.append((self._physics.state_dict(), count))
        self._step(count)

    def replay(self) -> float:
        """Seconds that the same steps take alone."""
        seconds = 0.0
        if self._calls:
            self._physics.load_state_dict(self._calls[0][0])
        for state, count in self._calls:
            # Derived fields are left alone: computing them would run the same code on the same worlds just before the
            # timed step, and make it faster than it ever is in a loop of its own.
            self._physics.load_state_dict(state, derived=False)
            start = time.perf_counter()
            self._step(count)
            seconds += time.perf_counter() - start
        return seconds
