"""`mjsdk plot`: learning curves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.errors import RunError

if TYPE_CHECKING:
    from mjsdk.plot.curves import Curve, Source
    from mjsdk.runs import Run

_NARROWEST = 60
"""Columns that a chart takes at least."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plot", rich_help_panel="Use a run")(plot)


def plot(
    runs: Annotated[list[str], typer.Argument(help="Folders, names of runs, or `latest`.")],
    text: Annotated[bool, typer.Option("--text", help="Draw in the terminal.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to write.", show_default="curves.png")
    ] = None,
    against: Annotated[str, typer.Option(help="time, steps or iteration.")] = "time",
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="reward, length, metrics, or a full name; may be repeated.",
            show_default="these three",
        ),
    ] = None,
    band: Annotated[bool, typer.Option("--band/--no-band", help="One curve for runs that differ by seed.")] = True,
    log_root: Annotated[str, typer.Option(help="Where `latest` and names of runs are looked for.")] = "logs",
) -> None:
    """Draw learning curves of one or more runs.

    Reward, episode length and falls are means over the last 100 episodes. Runs that differ by no more than seed, name
    and length become one curve: their mean, in a band from the lowest to the highest.
    """
    from mjsdk.plot import cut_short, default_metrics, draw_text, find_metrics, left_out, make_sources
    from mjsdk.runs import find_run

    found = [find_run(spec, log_root) for spec in runs]
    sources = make_sources(found, band)
    if not any(any(source.runs) for source in sources):
        raise RunError(_nothing("no finished iteration", found))
    metrics = find_metrics(sources, metric) if metric else default_metrics(sources)
    panels = _panels(sources, metrics, against)
    if not panels:
        raise RunError(_nothing("none of these numbers yet", found))
    for note in (*cut_short(sources, against), *left_out(sources, metrics, against)):
        _output.warn(note)
    if text:
        drawn = draw_text(panels, against, max(_output.console().width - 1, _NARROWEST))
        typer.echo(drawn, file=sys.stdout)  # left to itself, typer writes UTF-8 where only ASCII is understood
    if output is not None or not text:
        _write(panels, against, found, output)


def _panels(sources: list[Source], metrics: Any, against: str) -> list[tuple[str, list[Curve]]]:
    from mjsdk.plot import make_curves

    panels = [(name, make_curves(sources, name, against)) for name in metrics]
    return [(name, curves) for name, curves in panels if curves]


def _nothing(what: str, runs: list[Run]) -> str:
    from mjsdk.runs import METRICS

    where = ", ".join(str(run.path / METRICS) for run in runs)
    return f"there is nothing to draw: {what} in {where}. Wait for the next iteration, or choose another run"


def _write(panels: list[tuple[str, list[Curve]]], against: str, runs: list[Run], output: Path | None) -> None:
    from mjsdk.plot import draw_curves, save_figure

    path = output or (runs[0].path / "curves.png" if len(runs) == 1 else Path("curves.png"))
    title = f"{runs[0].path.resolve().parent.name}/{runs[0].name}" if len(runs) == 1 else ""
    save_figure(draw_curves(panels, against, title), path)
    typer.echo(f"wrote {path}")
