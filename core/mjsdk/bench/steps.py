"""How fast an environment steps, and what it costs on top of its physics.

Overhead is the time of `Env.step` over the time of the same physics alone, measured in one process:

1. Worlds run under small random actions, so that they stand, sway, fall and are reset as in training.
2. A block of environment steps is timed. Before it, the whole state of the environment was saved.
3. The state is put back and the block is run again, untimed, noting what the physics was given in every step: states,
   controls, warm start, model fields of randomised worlds. It is the same block: random numbers were put back too.
4. The physics is given the same again, step by step, and only its own stepping is timed.
5. Blocks repeat; each gives a ratio. The result is their median, so that a disturbance of the machine hardly counts.

Neither noting nor putting back is timed. Both timings of a block follow each other, so that a machine that slows down
slows both. On a GPU nothing waits within a block: the device has finished before the clock is read at both ends of a
block, and the physics is timed by events on the device (`Physics.seconds`), between which there are its physics steps
alone. What a backend does after them, such as to look for worlds that blew up, counts as the environment's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mjsdk.bench.results import Result
from mjsdk.device import memory, name, wait
from mjsdk.env import Env
from mjsdk.errors import Mistake, refuse
from mjsdk.physics import Physics
from mjsdk.runtime import training_runtime

ACTION_STD = 0.2
"""Standard deviation of the random actions: enough to move, too little to throw the robot about."""
_DERIVED = "bound/"
"""What a physics computes anew in each step, by the names of its state: it need not be noted."""
_WARM_UP_S = 0.6
"""Simulated time before the first block [s]: first falls and resets have happened, feet have landed."""


def benchmark(env: Env, blocks: int = 10, steps: int = 20, on_block: Callable[[int], None] | None = None) -> Result:
    """Time `blocks` blocks of `steps` control steps each."""
    generator = torch.Generator().manual_seed(0)
    times = []
    with training_runtime(env.device):
        _run(env, _actions(env, max(steps, round(_WARM_UP_S / env.step_dt)), generator))
        wait(env.device)
        needed = memory(env.device)
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
        device=env.device,
        device_name=name(env.device),
        settings=_settings(env),
        memory=needed,
    )


def _settings(env: Env) -> dict[str, Any]:
    """What decides how much the physics has to do."""
    sim, config = env.config.sim, env.config
    values = {field: getattr(sim, field) for field in ("timestep", "solver", "iterations", "ls_iterations")}
    return {**values, "decimation": config.decimation, "collisions": config.scene.collisions}


MAX_COUNT = 10_000
"""Blocks, steps of a block and iterations: the actions of a block are in memory before it is timed."""


def check_counts(blocks: int, steps: int, iterations: int = 1) -> None:
    """Raise `ConfigError` where there would be nothing to time, or no memory for it."""
    given = {"--blocks": blocks, "--steps": steps, "--iterations": iterations}
    mistakes = [
        Mistake(flag, f"must be at {'least 1' if count < 1 else f'most {MAX_COUNT}'}, not {count}")
        for flag, count in given.items()
        if not 1 <= count <= MAX_COUNT
    ]
    refuse(mistakes)


def _time_block(env: Env, actions: list[Tensor]) -> tuple[float, float]:
    """Seconds that the steps take, and that their physics takes alone."""
    before = env.state_dict()
    wait(env.device)
    start = time.perf_counter()
    _run(env, actions)
    wait(env.device)
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
        state = self._physics.state_dict()
        self._calls.append(({name: state[name] for name in state if not name.startswith(_DERIVED)}, count))
        self._step(count)

    def replay(self) -> float:
        """Seconds that the same steps take alone."""
        before = self._physics.seconds
        for state, count in self._calls:
            # Derived fields are left alone: computing them would run the same code on the same worlds just before the
            # timed step, and make it faster than it ever is in a loop of its own.
            self._physics.load_state_dict(state, derived=False)
            self._step(count)
        return self._physics.seconds - before
