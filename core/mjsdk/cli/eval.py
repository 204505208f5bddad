"""`mjsdk eval`: how good the policy of a run is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import (
    AsJson,
    Checkpoint,
    Device,
    LogRoot,
    Noise,
    NumEnvs,
    Physics,
    Push,
    RunName,
    Seed,
    Sim,
    TrustCode,
)
from mjsdk.errors import UnknownRun

if TYPE_CHECKING:
    from mjsdk.evaluate.episode_statistics import EpisodeStatistics
    from mjsdk.evaluate.report import Report
    from mjsdk.evaluate.setup import Options
    from mjsdk.runs import Run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval", rich_help_panel="Use a run")(evaluate)


def evaluate(
    run: RunName = "latest",
    num_envs: NumEnvs = 256,
    seed: Seed = 1,
    sim: Sim = "faithful",
    noise: Noise = False,
    push: Push = False,
    checkpoint: Checkpoint = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the tracking to write.", show_default=False)] = None,
    device: Device = "auto",
    physics: Physics = "auto",
    log_root: LogRoot = "logs",
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate the policy of a run: a fixed set of commands, fixed seeds, faithful physics, no noise, no pushes.

    Robot, task and settings come from the run folder. Every world lives one episode of 20 s under one command.
    """
    from mjsdk.evaluate.setup import Options, check_options

    if plot is not None:
        from mjsdk.plot import check_picture_path, draw_tracking, need_matplotlib, save_figure

        check_picture_path(plot)
        need_matplotlib()
    options = Options(num_envs=num_envs, seed=seed, sim=sim, noise=noise, push=push, device=device, physics=physics)
    check_options(options)
    report = run_evaluation(*find_checkpoint(run, log_root, checkpoint, trust_code), options)
    warn_of_collisions(report.data)
    if as_json:
        _output.print_json(report.data)
    else:
        _print(report)
    if plot is not None:  # last: what has been measured is not lost to a picture that cannot be written
        save_figure(draw_tracking(report), plot)
        typer.echo(f"wrote {plot}", err=as_json)


def find_checkpoint(
    spec: str, log_root: str, checkpoint: str | None = None, trust_code: bool = False
) -> tuple[Run, str | None]:
    """A run, and the checkpoint of it that was named: RUN/model_100.pt, or RUN and the checkpoint besides."""
    from mjsdk.runs import find_run

    run, _, name = spec.rstrip("/").rpartition("/")
    if not run or not name.endswith(".pt"):
        run = spec
    elif checkpoint not in (None, name):
        raise UnknownRun(f"two checkpoints: RUN ends in {name}, and --checkpoint says '{checkpoint}'. Leave one out")
    else:
        checkpoint = name
    found = find_run(run, log_root)
    if trust_code:
        found.trust_code()
    return found, checkpoint


def run_evaluation(run: Run, checkpoint: str | None, options: Options) -> Report:
    """Evaluate with a progress bar on stderr where that is a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from mjsdk.evaluate.run import evaluate_run

    what, state = TextColumn("evaluating {task.description}"), TextColumn("{task.fields[status]}")
    columns = (what, BarColumn(), state, TimeElapsedColumn())
    console = _output.console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(run.name, total=options.horizon_s, status="loading robot and policy")

        def on_step(statistics: EpisodeStatistics) -> None:
            status = f"{statistics.time_s:.0f} s, {int(statistics.alive.sum())} of {len(statistics.alive)} up"
            progress.update(task, completed=statistics.time_s, status=status)

        return evaluate_run(run, options, checkpoint=checkpoint, on_step=on_step)


def warn_of_collisions(data: dict[str, Any]) -> None:
    """Say so where faithful physics is not to be had."""
    if data["sim"] == "faithful" and data["collisions"] not in ("", "full"):
        _output.warn(f"robot '{data['robot']}' has no collision preset 'full': evaluated with '{data['collisions']}'")


def _print(report: Report) -> None:
    from mjsdk.evaluate.report import how_measured

    data = report.data
    console = _output.console()
    console.print(f"[bold]{data['robot']} {data['task']}[/bold]  {data['run']}  {data['checkpoint']}")
    console.print(how_measured(data) + "\n")
    console.print(_output.Table("", ("", "value", "meaning"), summary_rows(data), right=("value",)))
    if "commands" not in data:
        return
    columns = ("command", "falls", "lin\nerror", "ang\nerror", "forward", "left", "yaw\nrate", "slip", "length")
    cells = [
        (
            row["label"],
            f"{row['fall_rate']:.0%}",
            number(row["lin_vel_error"]),
            number(row["ang_vel_error"]),
            *(number(value, "+.2f") for value in row["mean_velocity"]),
            number(row["foot_slip"]),
            f"{row['mean_episode_length_s']:.1f} s",
        )
        for row in data["commands"]
    ]
    title = "by command: errors [m/s, rad/s] and mean velocity"
    console.print(_output.Table(title, columns, cells, right=columns[1:]))


def summary_rows(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each number of a report."""
    survival, metrics = data["survival"], data["metrics"]
    rows = [
        ("survival", f"{survival['rate']:.1%}", f"95 % confidence: {survival['low']:.1%} to {survival['high']:.1%}"),
        ("lin_vel_error [m/s]", number(metrics["lin_vel_error"]), "after the first second, while up"),
        ("ang_vel_error [rad/s]", number(metrics["ang_vel_error"]), "likewise"),
        ("mean_reward", number(data["mean_reward"]), "sum per episode"),
        ("mean_episode_length [s]", number(data["mean_episode_length_s"]), f"of {data['horizon_s']:g} s"),
        ("foot_slip [m/s]", number(metrics["foot_slip"]), "feet on the ground, no fall"),
        ("action_change", number(metrics["action_change"]), "per step, mean over actions, no fall"),
        ("cost_of_transport", number(metrics["cost_of_transport"]), "work over weight and way, walking, no fall"),
    ]
    if pushes := data.get("pushes"):
        what = f"{pushes['velocity']:g} m/s in a random direction every {pushes['interval_s']:g} s"
        rows.insert(1, ("pushes recovered", number(pushes["recovered"], ".1%"), f"of {pushes['count']}: {what}"))
    if standing := data.get("standing"):
        rows.append(("standing speed [m/s]", number(standing["mean_base_speed"]), "commanded to stand, while up"))
        share = number(standing["feet_on_ground"], ".1%")
        rows.append(("standing on feet", share, "of the whole time; the fallen do not stand"))
    return rows


def number(value: float | None, form: str = ".3f") -> str:
    """A number of a report; a dash for what was not measured."""
    return "-" if value is None else format(value, form)
