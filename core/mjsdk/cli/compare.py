"""`mjsdk compare`: several runs side by side."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, Device, LogRoot, Noise, NumEnvs, Physics, Push, Seed, Sim, TrustCode
from mjsdk.cli.eval import find_checkpoint, run_evaluation, summary_rows, warn_of_collisions

if TYPE_CHECKING:
    from mjsdk.runs import Run

_GAP = 4
"""Characters around a column and between two."""
_SHORTEST = 12
"""Characters of a name that are always shown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel="Use a run")(compare)


def compare(
    runs: Annotated[
        list[str], typer.Argument(help="Folders, names of runs, or `latest`; RUN/model_100.pt for a checkpoint.")
    ],
    num_envs: NumEnvs = 256,
    seed: Seed = 1,
    sim: Sim = "faithful",
    noise: Noise = False,
    push: Push = False,
    device: Device = "auto",
    physics: Physics = "auto",
    log_root: LogRoot = "logs",
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate several runs in the same way and put the results side by side."""
    from mjsdk.evaluate.report import how_measured
    from mjsdk.evaluate.run import check_run
    from mjsdk.evaluate.setup import Options, check_options

    found = [find_checkpoint(spec, log_root, trust_code=trust_code) for spec in runs]
    options = Options(num_envs=num_envs, seed=seed, sim=sim, noise=noise, push=push, device=device, physics=physics)
    check_options(options)
    for run, checkpoint in found:
        check_run(run, options, checkpoint)  # before the first evaluation: none is made in vain
    _warn_of_differences([run for run, _ in found])
    reports = [run_evaluation(run, checkpoint, options).data for run, checkpoint in found]
    for data in reports:
        warn_of_collisions(data)
    if as_json:
        _output.print_json(reports)
        return
    console = _output.console()
    better = "lower is better, except for survival, pushes, reward, length and standing on feet"
    console.print(f"{how_measured(reports[0])}; {better}\n")
    first = 1
    for part in parts(reports, console.width):
        console.print(side_by_side(part, console.width, first))
        first += len(part)


def parts(reports: list[dict[str, Any]], width: int) -> list[list[dict[str, Any]]]:
    """The reports in as few tables as fit into the width, of about the same size."""
    room = max(width - _first_column(_cells(reports)), 1)
    fitting = max(1, room // (_SHORTEST + _GAP))
    tables = -(-len(reports) // fitting)
    edges = [round(len(reports) * i / tables) for i in range(tables + 1)]
    return [reports[start:end] for start, end in itertools.pairwise(edges)]


def _first_column(cells: list[tuple[str, ...]]) -> int:
    return max(len(row[0]) for row in cells) + _GAP


def _cells(reports: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Rows of the table: a label, and a value per report."""
    table = [summary_rows(data) for data in reports]
    labels = dict.fromkeys(row[0] for rows in table for row in rows)
    values = [{name: value for name, value, _ in rows} for rows in table]
    cells = [(label, *(found.get(label, "-") for found in values)) for label in labels]
    survivals = [data["survival"] for data in reports]
    cells.insert(1, ("  95 % confidence", *(f"{100 * each['low']:.1f}-{each['high']:.1%}" for each in survivals)))
    errors = [
        {
            row["label"]: f"{row['lin_vel_error']:.2f}, {row['ang_vel_error']:.2f}"
            for row in data.get("commands", [])
            if row["lin_vel_error"] is not None
        }
        for data in reports
    ]
    commands = dict.fromkeys(row["label"] for data in reports for row in data.get("commands", []))
    if commands:
        cells.append(("errors by command [m/s, rad/s]", *("" for _ in reports)))
    return cells + [(f"  {label}", *(found.get(label, "-") for found in errors)) for label in commands]


def side_by_side(reports: list[dict[str, Any]], width: int, first: int = 1) -> Any:
    """The table of reports that fit into the width, numbered from `first` on."""
    cells = _cells(reports)
    room = (width - _first_column(cells)) // len(reports) - _GAP
    headings = [
        (f"{i}: {data['robot']} {data['task']}", Path(data["run"]).name, data["checkpoint"])
        for i, data in enumerate(reports, first)
    ]
    columns = ("", *("\n".join(shortened(line, room) for line in lines) for lines in headings))
    return _output.Table("", columns, cells, right=columns[1:])


def shortened(text: str, room: int) -> str:
    """The text, without its middle where it is longer than `room` characters; both ends tell runs apart."""
    room = max(room, _SHORTEST)
    if len(text) <= room:
        return text
    head = (room - 1) // 2
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"


def _warn_of_differences(runs: list[Run]) -> None:
    for key, what in (("robot", "rewards"), ("task", "rewards and falls")):
        names = list(dict.fromkeys(str(run.config_data.get(key)) for run in runs))
        if len(names) > 1:
            _output.warn(f"the runs have different {key}s ({', '.join(names)}): their {what} cannot be compared")
            return
    sections = [("rewards", "mean_reward")]
    if runs[0].session().task().evaluation is None:  # then each run says by itself what a failure is
        sections.append(("terminations", "survival"))
    for section, what in sections:
        settings = [run.config_data["env"].get(section) for run in runs]
        if any(other != settings[0] for other in settings):
            _output.warn(f"the runs were trained with different {section}: {what} cannot be compared")
