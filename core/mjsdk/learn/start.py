"""From settings, or from an earlier run, to a trainer that is ready to go."""

from __future__ import annotations

import secrets
import time
from typing import Any

import attrs
import torch

from mjsdk.config import Config
from mjsdk.config.agent import AgentConfig
from mjsdk.config.convert import to_plain
from mjsdk.config.presets import chosen
from mjsdk.config.root import TrainConfig
from mjsdk.config.schema import flat
from mjsdk.config.settings import Given, Settings
from mjsdk.env import Env, make_env
from mjsdk.errors import BrokenRun, Mistake, refuse
from mjsdk.learn import records
from mjsdk.learn.adapter import GROUPS
from mjsdk.learn.checkpoints import read_checkpoint, seed_everything
from mjsdk.learn.loggers import require_logger
from mjsdk.learn.trainer import Trainer
from mjsdk.physics import resolve, resolve_device
from mjsdk.plugins import Session
from mjsdk.runs import Run, create_run
from mjsdk.runs.aside import leave_behind
from mjsdk.runs.lock import RunLock
from mjsdk.runs.run import named_settings
from mjsdk.runtime import network_threads


@attrs.frozen
class Training:
    """A trainer and the plugins of its run."""

    trainer: Trainer
    session: Session
    lock: RunLock
    """Keeps others from training in the run's folder until the training is closed."""

    def close(self) -> None:
        """Let others train in the run's folder."""
        self.lock.release()


def start(config: Config, session: Session) -> Training:
    """A new run of composed settings: its folder appears, complete, with the checkpoint of the untrained policy."""
    _check(config)
    agent = config.agent
    experiment = agent.experiment_name or f"{session.robot_ref.name}_{session.task_ref.name}"
    run = create_run(config.train.log_root, experiment, agent.run_name)
    try:
        lock = RunLock(run).acquire()
        trainer = _trainer(config, session, run)
        trainer.warm_up()
        _record(run, config, session, trainer.env)
        trainer.save()
        run.publish()
    except BaseException:
        run.discard()
        raise
    return Training(trainer, session, lock)


def resume(run: Run, given: Given | None = None, by_time: bool = False) -> Training:
    """An earlier run at its newest checkpoint that `agent.load_checkpoint` matches, with settings on top of its own.

    The run notes that it was resumed, unless its last iteration is done; `by_time` says that it has none. What lies
    beyond that checkpoint is then moved aside, see `runs.aside`.
    """
    run = Run(run.path)  # what another process wrote meanwhile counts
    lock = RunLock(run).acquire()
    try:
        return _resume(run, given or Given(), by_time, lock)
    except BaseException:
        lock.release()
        raise


def _resume(run: Run, given: Given, by_time: bool, lock: RunLock) -> Training:
    session = run.session()
    config = resumed_config(run, session, given)
    _check(config)
    checkpoint = run.newest_checkpoint(config.agent.load_checkpoint)
    state = read_checkpoint(run, checkpoint, config.train.device)
    _check_networks(run, config, state["infos"]["policy"])
    trainer = _trainer(config, session, run)
    trainer.load_state_dict(state)
    _change_learning_rate(trainer, run)
    records.check_model(run, session)
    if by_time or trainer.iteration < config.agent.max_iterations:
        leave_behind(run, trainer.iteration)
        _record_resume(run, config, trainer.iteration)
    return Training(trainer, session, lock)


def resumed_config(run: Run, session: Session, given: Given) -> Config:
    """The settings of a run with others on top, for the device and the physics that it continues on.

    Raises `ConfigError` with all mistakes, `PhysicsError` for a device that is not there.
    """
    config = run.config(session)  # says so if the file itself does not fit, before anything else is blamed
    device, physics = continued_on(config.train, given)
    origins = dict.fromkeys(flat(run.config_data), f"run {run.name}")
    settings, presets = Settings(session, run.config_data, origins, physics=physics), session.task().presets
    settings.apply_given(given, chosen(given.preset, "", presets), presets)
    config = settings.config()
    config.train.device, config.train.physics = device, physics
    return config


def continued_on(before: TrainConfig, given: Given) -> tuple[str, str]:
    """Device and physics that a training continues on: those it had, or that are `given`.

    A device of another kind has the physics that suits it, unless one is given too.
    """
    device = resolve_device(str(given.get("train.device", before.device)))
    same = device.partition(":")[0] == before.device.partition(":")[0]
    return resolve(device, str(given.get("train.physics", before.physics if same else "auto")))


def _check(config: Config) -> None:
    """What rsl_rl and the machine cannot do is an error before anything is built."""
    env = config.env
    mistakes = [
        Mistake(f"env.observations.{network}", f"must have terms: they are all that the {network} sees")
        for network in GROUPS
        if network not in env.observations or not env.observations[network].terms
    ]
    if not env.actions:
        mistakes.append(Mistake("env.actions", "must have terms: there is nothing to learn without actions"))
    refuse(mistakes)
    require_logger(config.agent.logger)
    config.train.device, config.train.physics = resolve(config.train.device, config.train.physics)


def use_threads(device: str) -> int:
    """Let torch use as many threads as help; returns how many."""
    count = network_threads(device)
    torch.set_num_threads(count)
    return count


def _trainer(config: Config, session: Session, run: Run) -> Trainer:
    use_threads(config.train.device)
    env = make_env(config, session)
    seed_everything(config.agent.seed)
    return Trainer(env, config, run)


def _record(run: Run, config: Config, session: Session, env: Env) -> None:
    threads = {"physics": int(getattr(env.physics, "threads", 0)), "torch": torch.get_num_threads()}
    data = records.keep_local_plugins(run, session, _settled(config))
    info = records.origin(session, config.agent.seed, config.train.device, threads)
    run.write_info({**info, "id": secrets.token_hex(4), "settings": [len(named_settings(data))]})
    run.write_config(data)


def _settled(config: Config) -> dict[str, Any]:
    """The settings as a run keeps them: used again, they describe a training, not a resumed one."""
    data: dict[str, Any] = to_plain(config)
    default = AgentConfig()
    data["agent"] |= {name: getattr(default, name) for name in ("resume", "load_run", "load_checkpoint")}
    return data


def _record_resume(run: Run, config: Config, iteration: int) -> None:
    settled, info = _settled(config), run.info
    before, after = flat(run.config_data), flat(settled)
    changed = {path: [before.get(path), value] for path, value in after.items() if before.get(path) != value}
    entry = {"iteration": iteration, "started": time.time(), **records.moment(), "changed": changed}
    sizes = {"settings": [*info["settings"], len(named_settings(settled))]} if "settings" in info else {}
    run.write_info({**info, **sizes, "resumed": [*info.get("resumed", []), entry]})
    if changed:
        run.write_config(settled)


def _check_networks(run: Run, config: Config, trained: dict[str, Any]) -> None:
    """Refuse other networks: the weights would not fit, or mean something else."""
    why = f"cannot be used to resume: the networks of {run.name} have"
    refuse(
        [
            Mistake(f"agent.{kind}.{name}", f"{value} {why} {trained[kind][name]}")
            for kind in GROUPS
            for name, value in attrs.asdict(getattr(config.agent, kind)).items()
            if name in trained[kind] and trained[kind][name] != value and name not in _FREE
        ]
    )


_FREE = ("init_noise_std", "noise_std_range")
"""Settings of networks that may change: they are not, or not only, in the weights."""


def _change_learning_rate(trainer: Trainer, run: Run) -> None:
    """A learning rate that was asked for now counts more than the one the schedule had come to."""
    wanted = trainer.config.agent.algorithm.learning_rate
    try:
        before = run.config_data["agent"]["algorithm"]["learning_rate"]
    except (KeyError, TypeError) as error:
        raise BrokenRun(f"{run.path} does not record agent.algorithm.learning_rate") from error
    if wanted != before:
        trainer.algorithm.learning_rate = wanted
        for group in trainer.algorithm.optimizer.param_groups:
            group["lr"] = wanted
