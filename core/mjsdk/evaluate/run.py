"""Evaluating a run from its folder alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import torch

from mjsdk.config.evaluation import check_evaluation
from mjsdk.env import Env, make_env
from mjsdk.evaluate.commands import STANDARD, Command
from mjsdk.evaluate.episode_statistics import EpisodeStatistics
from mjsdk.evaluate.report import Report, make_report
from mjsdk.evaluate.rollout import run_episodes
from mjsdk.evaluate.setup import Options, evaluation_config
from mjsdk.motion import velocity_term

if TYPE_CHECKING:
    from mjsdk.config import Config
    from mjsdk.learn.policy import Policy
    from mjsdk.plugins import Session
    from mjsdk.runs import Run


def evaluate_run(
    run: Run,
    options: Options,
    *,
    checkpoint: str | None = None,
    commands: Sequence[Command] = STANDARD,
    on_step: Callable[[EpisodeStatistics], None] | None = None,
) -> Report:
    """Let the deterministic policy of a run live one episode in every world, and report what that shows.

    Args:
        run: The run; robot, task and settings come from its folder.
        options: How to evaluate.
        checkpoint: Which checkpoint, such as `model_100.pt`; the newest if none.
        commands: What the robots are asked to do, in equal shares.
        on_step: Called after every control step, for a progress view.
    """
    worlds = -(-options.num_envs // len(commands)) * len(commands)  # the same number for every command
    options = attrs.evolve(options, num_envs=worlds)
    env, policy = _set_up(run, options, checkpoint)
    with one_torch_thread():
        episodes = run_episodes(env, policy, commands, seed=options.seed, push=options.push, on_step=on_step)
    gravity = math.hypot(*env.model.opt.gravity)
    return make_report(episodes, env.scene.entity.mass, _context(run, options, env, policy), gravity)


def check_run(run: Run, options: Options, checkpoint: str | None = None) -> None:
    """Raise what an evaluation of a run would, by setting it up with a single world."""
    _set_up(run, attrs.evolve(options, num_envs=1), checkpoint)


def _set_up(run: Run, options: Options, checkpoint: str | None) -> tuple[Env, Policy]:
    session = run.session()
    trained = run.config(session)
    check_evaluation(session, trained)
    config = evaluation_config(trained, session, options, session.task().evaluation)
    return rebuild(run, session, config, checkpoint, options.seed)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Networks of a few worlds are computed sooner by one thread than shared out, and physics has the others."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def rebuild(run: Run, session: Session, config: Config, checkpoint: str | None, seed: int) -> tuple[Env, Policy]:
    """Environment and policy of a run, where `config.train` says, as far along its curriculum as the checkpoint is."""
    from mjsdk.learn.policy import load_policy
    from mjsdk.learn.records import check_model

    policy = load_policy(run, checkpoint, config.train.device)
    env = make_env(config, session, seed=seed)
    policy.check(env)
    check_model(run, session)
    env.load_progress(policy.progress, policy.iteration * config.agent.num_steps_per_env)
    return env, policy


def _context(run: Run, options: Options, env: Env, policy: Policy) -> dict[str, Any]:
    """What a reader needs to repeat the evaluation."""
    file = policy.checkpoint
    return {
        "run": str(run.path),
        "checkpoint": file.name if file.parent.resolve() == run.path.resolve() else str(file),
        "robot": run.config_data["robot"],
        "task": run.config_data["task"],
        **attrs.asdict(options, filter=lambda field, _: field.name != "device"),
        "physics": env.physics.name,
        "collisions": env.config.scene.collisions or env.scene.robot.default_collisions,
        "standard_commands": velocity_term(env) is not None,
    }
