"""A picture of an evaluation: commands followed over time, and errors by command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mjsdk.errors import RunError
from mjsdk.plot.picture import COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mjsdk.evaluate.report import Report

_WINDOW_S = 0.6
"""Time that the drawn velocities are averaged over [s]: about one step, in which the base sways to and fro."""
_ERRORS = (("lin_vel_error", "m/s"), ("ang_vel_error", "rad/s"))
_AXES = ("forward [m/s]", "left [m/s]", "yaw rate [rad/s]")


def draw_tracking(report: Report) -> Figure:
    """One panel per command with the mean velocity of the worlds that are up, and one with the errors."""
    from mjsdk.evaluate.report import how_measured  # here: whoever draws curves need not wait for torch

    episodes = report.episodes
    if not episodes.tracks:
        raise RunError("there is no velocity command to draw the tracking of")
    figure, axes = new_figure(3, len(episodes.commands) + 1)
    velocity = np.stack([track.numpy() for track in episodes.tracks])
    time_s = (1 + np.arange(len(velocity))) * episodes.statistics.step_dt
    for index, command in enumerate(episodes.commands):
        _draw_command(axes[index], time_s, velocity[:, index], command.values)
        row = report.data["commands"][index]
        axes[index].set_title(f"{index + 1}: {command.label}, {row['fall_rate']:.0%} fall", fontsize=10)
    seen = velocity[np.isfinite(velocity)]
    low, high = np.quantile(seen, (0.002, 0.998)) if len(seen) else (0.0, 0.0)
    for axis in axes[: len(episodes.commands)]:  # room for all that is asked for, and for what is done but rarely
        axis.set_ylim(min(-1.3, float(low)), max(1.5, float(high)))
    axes[0].legend(fontsize=8, frameon=False)
    _draw_errors(axes[len(episodes.commands)], report.data["commands"])
    data, metrics = report.data, report.data["metrics"]
    errors = [f"error {metrics[name]:.3f} {unit}" for name, unit in _ERRORS if metrics[name] is not None]
    found = ", ".join([f"survival {data['survival']['rate']:.1%}", *errors])
    what = f"{data['robot']} {data['task']}  {Path(data['run']).name}  {data['checkpoint']}"
    figure.suptitle(f"{what}\n{how_measured(data)}: {found}", fontsize=10)
    return figure


def _draw_command(axis: Any, time_s: np.ndarray, velocity: np.ndarray, asked: tuple[float, float, float]) -> None:
    for column, colour in zip(range(3), COLOURS, strict=False):
        raw = velocity[:, column]
        axis.plot(time_s, raw, color=colour, linewidth=0.7, alpha=0.3)
        axis.plot(time_s, smoothed(raw, time_s[0]), color=colour, linewidth=1.5, label=_AXES[column])
        axis.axhline(asked[column], color=colour, linewidth=1.2, linestyle="--")
    axis.set_xlabel("time [s]; dashed: asked")


def smoothed(values: np.ndarray, dt: float) -> np.ndarray:
    """Mean of `_WINDOW_S` around each value, shape (n,), of what is finite; NaN stays where nothing is."""
    window = np.ones(2 * round(0.5 * _WINDOW_S / dt) + 1)
    there = np.isfinite(values)
    half = len(window) // 2
    sums, counts = (
        np.convolve(np.pad(part, half), window, "valid") for part in (np.where(there, values, 0.0), there.astype(float))
    )
    return np.where(there, sums / np.maximum(counts, 1.0), np.nan)


def _draw_errors(axis: Any, rows: list[dict[str, Any]]) -> None:
    places = np.arange(len(rows))
    for shift, name, label in ((-0.2, "lin_vel_error", "velocity [m/s]"), (0.2, "ang_vel_error", "yaw rate [rad/s]")):
        values = [row[name] if row[name] is not None else np.nan for row in rows]
        axis.barh(places + shift, values, height=0.38, color=COLOURS[0 if shift < 0 else 2], label=label)
    axis.set_yticks(places, [f"{place + 1}" for place in places])  # long names would make this column narrow
    axis.invert_yaxis()
    axis.set_ylabel("command, by its number")
    axis.set_xlabel("mean error")
    axis.legend(fontsize=8, frameon=False)
