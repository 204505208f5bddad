"""`mjsdk train`: train a robot on a task, or resume its training."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import chdir, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output, _streams
from mjsdk.cli._streams import lasting_output
from mjsdk.cli.app import FREE_FLAGS
from mjsdk.errors import ConfigError, HookError, Mistake, MjsdkError, listing, one_line, refuse, shortened

if TYPE_CHECKING:
    from mjsdk.config.settings import Given
    from mjsdk.learn.interrupts import Interrupt
    from mjsdk.learn.progress import LiveView, PlainView
    from mjsdk.learn.report import Dispensable, Watcher
    from mjsdk.learn.start import Training
    from mjsdk.learn.trainer import Trainer
    from mjsdk.runs import Run

_EPILOG = """\b
Every other setting has a dotted flag; `mjsdk explain [PATH] --robot R --task T` tells what each one means:
  --env.scene.num-envs 1024          parallel worlds
  --agent.max-iterations 300         length of the training
  --agent.algorithm.learning-rate 3e-4
  --env.rewards.NAME.weight -0.05    any term of any manager

\b
Examples:
  mjsdk train --robot R --task T --minutes 3
  mjsdk train --robot R --task T --preset stable --seed 2 --run-name steady
  mjsdk train --robot ./my_robot.py --task T --config my_settings.yaml
  mjsdk train --robot R --task T --with ./my_extra.py --env.rewards.jump.func my_extra:jump \\
      --env.rewards.jump.weight 0.1
  mjsdk train --resume               resume the run that was trained last
  mjsdk train --resume --agent.load-run 2026-01-31_14-05-59 --agent.max-iterations 3000
"""

MOST_MINUTES = 1e6
"""Longest training by the clock: two years."""

_TRUST = "With --resume: run plugin files of a run that was not trained here, now and later."
_what, _how, _kept = (
    partial(typer.Option, rich_help_panel=panel) for panel in ("What is trained", "How", "What is kept")
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", rich_help_panel="Learn", context_settings=FREE_FLAGS, epilog=_EPILOG)(train)


def train(
    context: typer.Context,
    robot: Annotated[str, _what(help="Robot: NAME, PACKAGE:NAME or ./FILE.py.")] = "",
    task: Annotated[str, _what(help="Task, likewise.")] = "",
    with_: Annotated[
        list[str] | None, _what("--with", help="Extra to load, likewise; may be given several times.")
    ] = None,
    resume: Annotated[bool, _what("--resume", help="Resume an earlier run, in its folder.")] = False,
    trust_code: Annotated[bool, _what("--trust-code", help=_TRUST)] = False,
    preset: Annotated[
        str, _how(help="Named settings: cpu, gpu, stable, fast, faithful; several joined by commas.")
    ] = "",
    config: Annotated[Path | None, _how(help="YAML file with settings.")] = None,
    device: Annotated[str, _how(help="auto, cpu, cuda or cuda:N.")] = "",
    physics: Annotated[str, _how(help="auto, cpu or warp; auto is warp on a CUDA device.")] = "",
    seed: Annotated[int | None, _how(help="Seed of all random numbers (agent.seed).")] = None,
    minutes: Annotated[float | None, _how(help="Train for that much wall time, then save.")] = None,
    run_name: Annotated[str, _kept(help="Suffix of the run's folder.")] = "",
    log_root: Annotated[str | None, _kept(help="Folder that holds the runs.", show_default="logs")] = None,
    video: Annotated[bool, _kept("--video", help="Record videos while training.")] = False,
    video_length: Annotated[int | None, _kept(help="Control steps per video.")] = None,
    video_interval: Annotated[int | None, _kept(help="Iterations between videos.")] = None,
) -> None:
    """Train a robot on a task, or resume an earlier training.

    The run folder logs/rsl_rl/EXPERIMENT/TIME holds the settings, the checkpoints and the curves; `mjsdk play`,
    `mjsdk eval` and `--resume` need nothing else. Ctrl-C saves and says how to resume.
    """
    started = time.monotonic()
    from mjsdk.config.overrides import parse_flags
    from mjsdk.config.settings import Given

    flags = {
        "train.device": device or None,
        "train.physics": physics or None,
        "agent.seed": seed,
        "agent.run_name": run_name or None,
        "train.log_root": log_root,
        "train.video": video or None,
        "train.video_length": video_length,
        "train.video_interval": video_interval,
    }
    overrides = [*parse_flags(context.args), *((path, value) for path, value in flags.items() if value is not None)]
    given = Given(preset=preset or None, file=config, overrides=overrides)
    deadline = started + _seconds(minutes)
    by_time = minutes is not None and given.get("agent.max_iterations") is None
    with lasting_output("the training continues"):
        if resume or given.get("agent.resume"):
            training = _resumed(robot, task, with_ or [], given, by_time, trust_code)
        else:
            training = _fresh(robot, task, with_ or [], given)
        with closing(training):
            _run(training, deadline, by_time)


def _seconds(minutes: float | None) -> float:
    if minutes is None:
        return float("inf")
    if not 0 < minutes <= MOST_MINUTES:
        legal = f"a finite number above 0, and at most {MOST_MINUTES:g}"
        raise ConfigError([Mistake("--minutes", f"{minutes:g} is not a time to train for; give {legal}")])
    return 60.0 * minutes


# Preparing


def _fresh(robot: str, task: str, extras: list[str], given: Given) -> Training:
    from mjsdk.mdp import core_terms
    from mjsdk.ops import ahead
    from mjsdk.plugins import installed, open_session

    missing = [kind for kind, name in (("robot", robot), ("task", task)) if not name]
    known = {kind: listing(ref.name for ref in installed() if ref.kind == kind) for kind in missing}
    refuse([Mistake(f"--{kind}", f"must be given. Installed: {known[kind]}, or ./FILE.py") for kind in missing])
    typer.echo(shortened(f"composing {_plugin_name(robot)} + {_plugin_name(task)} ..."), err=True)
    session = open_session(robot, task, extras, core=core_terms)
    ahead.start(["mjsdk.mdp", *session.packages])
    from mjsdk.config.settings import compose_given
    from mjsdk.physics import resolve

    device, physics = (str(given.get(f"train.{name}", "auto")) for name in ("device", "physics"))
    composed = compose_given(session, given, *resolve(device, physics))
    for warning in composed.warnings:
        _output.warn(warning)
    from mjsdk.learn.start import start

    return start(composed.config, session)


def _resumed(robot: str, task: str, extras: list[str], given: Given, by_time: bool, trust_code: bool) -> Training:
    from mjsdk.runs import newest_run

    def setting(path: str, default: str) -> str:
        return str(given.get(path, default))

    named = f"{_plugin_name(robot)}_{_plugin_name(task)}" if robot and task else "*"
    experiment = setting("agent.experiment_name", "") or named
    run = newest_run(setting("train.log_root", "logs"), experiment, setting("agent.load_run", ".*"))
    _check_agreement(run, robot, task, extras, setting("agent.seed", ""))
    _check_names(run, setting("agent.run_name", ""), setting("agent.experiment_name", ""))
    typer.echo(f"opening {run.path} ...", err=True)
    if trust_code:
        run.trust_code()
    from mjsdk.learn.start import resume

    return resume(run, given, by_time)


def _check_agreement(run: Run, robot: str, task: str, extras: list[str], seed: str) -> None:
    recorded = run.info.get("plugins", [])
    plugins = {plugin["kind"]: plugin for plugin in recorded}
    known = [plugin["name"] for plugin in recorded if plugin["kind"] == "extra"]
    own, wrong = f"run {run.name} continues with its own", list[tuple[str, str]]()
    for kind, given in (("robot", robot), ("task", task)):
        if given and kind in plugins and _plugin_name(given) != (was := plugins[kind]["name"]):
            message = f"{given} is not the {kind} of run {run.name}, which is {was}; leave it out to resume"
            wrong.append((kind, message))
    strange = [extra for extra in extras if _plugin_name(extra) not in known]
    wrong += [("with", f"{own} extras ({listing(known)}), without {extra}; leave it out") for extra in strange]
    if seed and seed != str(run.info.get("seed", seed)):
        wrong.append(("seed", f"{own} random numbers, of seed {run.info['seed']}; leave it out"))
    refuse([Mistake(f"--{flag}", message) for flag, message in wrong])


def _check_names(run: Run, run_name: str, experiment: str) -> None:
    agent = run.config_data.get("agent")
    if run_name and run_name != (agent.get("run_name") if isinstance(agent, dict) else None):
        wrong = f"run {run.name} continues in its own folder; leave it out to resume"
        raise ConfigError([Mistake("--run-name", wrong)])
    known = run.path.resolve().parent.name
    if experiment and experiment != known:
        wrong = f"run {run.name} is of experiment {known}, not '{shortened(experiment)}'; leave it out to resume"
        raise ConfigError([Mistake("agent.experiment_name", wrong)])


def _plugin_name(spec: str) -> str:
    """`NAME` of `NAME`, `PACKAGE:NAME` or `./NAME.py`."""
    return Path(spec.rpartition(":")[2]).stem


# Training


def _run(training: Training, deadline: float, by_time: bool) -> None:
    from mjsdk.learn.interrupts import graceful
    from mjsdk.learn.report import Dispensable

    trainer = training.trainer
    until = sys.maxsize if by_time else trainer.config.agent.max_iterations
    _announce(training)
    if trainer.iteration >= until:
        typer.echo(f"nothing to do: iteration {trainer.iteration} of {until} is done. Raise --agent.max-iterations.")
        return
    view = Dispensable(_view(trainer, deadline))
    with graceful(
        lambda name: view.note(f"{name}: finishing this iteration, then saving; once more to stop at once")
    ) as interrupt:
        reason = _learn(training, view, until, deadline, interrupt)
    try:
        _export_all(training)
    except KeyboardInterrupt:
        _conclude(trainer, reason)
        raise
    _conclude(trainer, reason)
    if interrupt.signal is not None:
        raise typer.Exit(128 + interrupt.signal)


def _learn(training: Training, view: Dispensable, until: int, deadline: float, interrupt: Interrupt) -> str:
    trainer = training.trainer
    watchers: list[Watcher] = []
    try:
        watchers += _watchers(trainer)
        return trainer.learn(until, deadline=deadline, interrupt=interrupt, watchers=[*watchers, view])
    except MjsdkError as error:
        raise MjsdkError(f"{error}\n{_way_on(trainer.run)}") from error
    except KeyboardInterrupt:
        view.close()
        typer.echo(f"stopped in iteration {trainer.iteration + 1}, which is lost. {_way_on(trainer.run)}")
        raise
    finally:
        view.close()
        for watcher in watchers:
            _close(watcher)


def _watchers(trainer: Trainer) -> list[Watcher]:
    from mjsdk.learn.loggers import open_loggers

    agent = trainer.config.agent
    watchers = open_loggers(trainer.run, agent.logger, agent.wandb_project, trainer.iteration)
    if trainer.config.train.video:
        from mjsdk.learn.report import Dispensable
        from mjsdk.learn.videos import Videos

        watchers.append(Dispensable(Videos(trainer)))
    return watchers


def _close(watcher: Any) -> None:
    """A logger that cannot write its last lines must not hide what ended the training."""
    try:
        watcher.close()
    except MjsdkError as error:
        _output.warn(str(error))


def _view(trainer: Trainer, deadline: float) -> LiveView | PlainView:
    from mjsdk.learn.progress import LiveView, PlainView

    console = _output.console()
    if console.is_terminal:
        return LiveView(console, str(trainer.run.path), deadline)
    return PlainView(typer.echo, deadline)


def _announce(training: Training) -> None:
    trainer, session = training.trainer, training.session
    agent, env = trainer.config.agent, trainer.env
    where = f"{env.device}, physics {env.physics.name}"
    policy = "-".join(map(str, [env.observation_dims["actor"], *agent.actor.hidden_dims, env.num_actions]))
    typer.echo(f"run     {trainer.run.path}")
    typer.echo(f"robot   {session.robot_ref.name} ({session.robot_ref.package})")
    typer.echo(f"task    {session.task_ref.name} ({session.task_ref.package})")
    typer.echo(
        f"worlds  {env.num_envs} x {agent.num_steps_per_env} steps on {where}, "
        f"policy {agent.actor.class_name} {policy}, seed {agent.seed}"
    )
    if trainer.iteration:
        typer.echo(f"resume  at iteration {trainer.iteration}, {trainer.timesteps:,} steps so far")


def _conclude(trainer: Trainer, reason: str) -> None:
    from mjsdk.learn.progress import duration

    run, count = trainer.run, trainer.iteration
    why = {"done": "all iterations are done", "time": "the time is up", "interrupt": "interrupted"}[reason]
    typer.echo(
        f"\n{why}: {count} iteration{'' if count == 1 else 's'}, {trainer.timesteps:,} steps, "
        f"{duration(trainer.seconds)} of training"
    )
    typer.echo(f"saved     {run.checkpoint_path(trainer.iteration)}")
    folder = shlex.quote(str(run.path))
    typer.echo(f"watch     mjsdk play {folder}")
    typer.echo(f"evaluate  mjsdk eval {folder}")
    more = f" --agent.max-iterations {2 * trainer.iteration}" if reason == "done" else ""
    typer.echo(f"resume    {resume_command(run)}{more}")


def _export_all(training: Training) -> None:
    """Give a finished run to every exporter. One that fails is a warning: the training is saved, the others still run.

    Raises `HookError` for one after which the checkpoint is gone.
    """
    run = training.trainer.run
    checkpoint = run.checkpoint_path(training.trainer.iteration).absolute()
    try:
        exporters = training.session.exporters()
    except MjsdkError as error:
        _output.warn(f"nothing is exported: {error}")
        return
    for name, exporter in exporters.items():
        _export(name, exporter, run)
        if not checkpoint.is_file():
            raise HookError(f"exporter '{name}' removed {checkpoint}, the checkpoint of this training")


def _export(name: str, exporter: Any, run: Any) -> None:
    try:
        with _streams.on_stderr(), chdir("."):
            written = one_line(str(exporter(run)))
    except KeyboardInterrupt:
        _output.warn(f"exporter '{name}' was interrupted; the training is saved")
        raise
    except BaseException as error:
        from mjsdk.plugins.load import describe

        reason = describe(error, getattr(exporter, "__module__", ""))
        _output.warn(f"exporter '{name}' failed: {reason}. The training is saved; tell the exporter's authors")
    else:
        typer.echo(f"exported {name}: {written}")


def _way_on(run: Run) -> str:
    newest = run.checkpoints()[-1:]
    return f"The newest checkpoint is {newest[0].name if newest else '(none)'}. Resume with: {resume_command(run)}"


def resume_command(run: Run) -> str:
    """What to type to resume exactly this run."""
    from mjsdk.runs import all_runs

    root = run.path.parent.parent.parent
    where = "" if str(root) == "logs" else f" --log-root {shlex.quote(str(root))}"
    unique = sum(other.name == run.name for other in all_runs(root)) < 2
    name = run.name if unique else f"{run.path.parent.name}/{run.name}"
    return f"mjsdk train --resume --agent.load-run {shlex.quote(name)}{where}"
