"""`mjsdk plot`: learning curves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import LogRoot
from mjsdk.errors import RunError

if TYPE_CHECKING:
    from mjsdk.plot.curves import Curve

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
        typer.Option(help="reward, length, metrics, or a full name; may be repeated.", show_default="these three"),
    ] = None,
    band: Annotated[bool, typer.Option("--band/--no-band", help="One curve for runs that differ by seed.")] = True,
    log_root: LogRoot = "logs",
) -> None:
    """Draw learning curves of one or more runs.

    Reward, episode length and falls are means over the last 100 episodes. Runs that differ by no more than seed, name
    and length become one curve: their mean, in a band from the lowest to the highest.
    """
    from mjsdk import plot as plots
    from mjsdk.runs import METRICS, find_run

    found = [find_run(spec, log_root) for spec in runs]
    sources = plots.make_sources(found, band)
    curves: list[tuple[str, list[Curve]]] = []
    what = "no finished iteration"
    if any(any(source.runs) for source in sources):
        metrics = plots.find_metrics(sources, metric) if metric else plots.default_metrics(sources)
        curves = [(name, drawn) for name in metrics if (drawn := plots.make_curves(sources, name, against))]
        what = "none of these numbers yet"
    if not curves:
        where = ", ".join(str(run.path / METRICS) for run in found)
        raise RunError(
            f"there is nothing to draw: {what} in {where}. Wait for the next iteration, or choose another run"
        )
    for note in (*plots.cut_short(sources, against), *plots.left_out(sources, metrics, against)):
        _output.warn(note)
    if text:
        chart = plots.draw_text(curves, against, max(_output.console().width - 1, _NARROWEST))
        typer.echo(chart, file=sys.stdout)  # left to itself, typer writes UTF-8 where only ASCII is understood
    if output is not None or not text:
        only = found[0] if len(found) == 1 else None
        path = output or (only.path / "curves.png" if only else Path("curves.png"))
        title = f"{only.path.resolve().parent.name}/{only.name}" if only else ""
        plots.save_figure(plots.draw_curves(curves, against, title), path)
        typer.echo(f"wrote {path}")
