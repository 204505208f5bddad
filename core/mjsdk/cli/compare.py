"""`mjsdk compare`: several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.cli.eval import AsJson, Device, LogRoot, Noise, NumEnvs, Push, Seed, Sim, run_evaluation, summary_rows


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel="Use a run")(compare)


def compare(
    runs: Annotated[list[str], typer.Argument(help="Folders, names of runs, or `latest`.")],
    num_envs: NumEnvs = 256,
    seed: Seed = 1,
    sim: Sim = "faithful",
    noise: Noise = False,
    push: Push = False,
    device: Device = "auto",
    log_root: LogRoot = Path("logs"),
    as_json: AsJson = False,
) -> None:
    """Evaluate several runs in the same way and put the results side by side."""
    from mjsdk.evaluate import Options
    from mjsdk.physics import resolve_device
    from mjsdk.runs import find_run

    found = [find_run(spec, log_root) for spec in runs]
    options = Options(num_envs=num_envs, seed=seed, sim=sim, noise=noise, push=push, device=resolve_device(device))
    reports = [run_evaluation(run, options).data for run in found]
    if as_json:
        _output.print_json(reports)
    else:
        _output.console().print(_side_by_side(reports))


def _side_by_side(reports: list[dict[str, Any]]) -> Any:
    names = [f"{data['robot']} {data['task']}\n{Path(data['run']).name}\n{data['checkpoint']}" for data in reports]
    columns = ("", *(f"{i}: {name}" for i, name in enumerate(names, 1)))
    table = [summary_rows(data) for data in reports]
    labels = dict.fromkeys(row[0] for rows in table for row in rows)
    values = [{name: value for name, value, _ in rows} for rows in table]
    cells = [(label, *(found.get(label, "-") for found in values)) for label in labels]
    errors = [{row["label"]: row for row in data.get("commands", [])} for data in reports]
    for label in dict.fromkeys(label for found in errors for label in found):
        cells.append((f"error: {label}", *(_errors(found.get(label)) for found in errors)))
    return _output.table("lower is better, except for survival, reward and length", columns, cells, right=columns[1:])


def _errors(row: dict[str, Any] | None) -> str:
    if row is None or row["lin_vel_error"] is None:
        return "-"
    return f"{row['lin_vel_error']:.2f} m/s, {row['ang_vel_error']:.2f} rad/s"
