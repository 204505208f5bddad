"""Settings in, what they are worth on this machine out: steps alone, or whole iterations of a training too."""

from __future__ import annotations

import tempfile
from contextlib import closing

import attrs

from mjsdk.bench.results import Learning, Result
from mjsdk.bench.steps import benchmark
from mjsdk.config import Config
from mjsdk.device import Memory, memory
from mjsdk.env import make_env
from mjsdk.learn.report import Report
from mjsdk.learn.start import start
from mjsdk.learn.trainer import Trainer
from mjsdk.plugins import Session


def measure(config: Config, session: Session, blocks: int, steps: int, iterations: int = 0) -> Result:
    """Time steps on the device and the physics of composed settings, and `iterations` iterations of a training."""
    if not iterations:
        return benchmark(make_env(config, session), blocks, steps)
    config.agent.logger = "none"
    with tempfile.TemporaryDirectory(prefix="mjsdk-bench-") as folder:
        config.train.log_root = folder
        training = start(config, session)
        with closing(training):
            env = training.trainer.env
            before = {name: values.clone() for name, values in env.state_dict().items()}
            result = benchmark(env, blocks, steps)
            env.load_state_dict(before)
            return _with_learning(result, training.trainer, iterations)


def _with_learning(result: Result, trainer: Trainer, iterations: int) -> Result:
    trainer.learn(1)  # in which libraries set themselves up
    seen = _Seen(trainer.env.device)
    trainer.learn(1 + iterations, watchers=[seen])
    times = {name: sum(each[name] for each in seen.times) / iterations for name in seen.times[0]}
    steps = trainer.config.agent.num_steps_per_env
    learning = Learning(
        env_steps_per_s=trainer.env.num_envs * steps / times["iteration_s"],
        **{name: times[name] for name in ("iteration_s", "physics_s", "environment_s", "learning_s")},
        iterations=iterations,
        num_steps_per_env=steps,
    )
    needed = max([result.memory, *seen.memory], key=lambda each: each.used)
    return attrs.evolve(result, learning=learning, memory=needed)


class _Seen:
    """Keeps times and memory of iterations."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.times: list[dict[str, float]] = []
        self.memory: list[Memory] = []

    def iteration(self, report: Report) -> None:
        """Take in an iteration."""
        self.times.append(report.times)
        self.memory.append(memory(self._device))

    def close(self) -> None:
        """The training has ended."""
