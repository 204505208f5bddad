"""From the lines of metrics.jsonl to curves: one per run, or mean and band of several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from mjsdk.errors import RunError, closest, listing

Rows = Sequence[Mapping[str, Any]]
"""One mapping per iteration, as `Run.metrics()` gives them."""

AXES = {
    "time": ("time/total_s", 1.0 / 60.0, "wall time [min]"),
    "steps": ("timesteps", 1e-6, "steps [millions]"),
    "iteration": ("iteration", 1.0, "iteration"),
}
"""What curves are drawn against: key, factor, label."""
_USUAL = ("train/mean_reward", "train/mean_episode_length_s")
_PREFIX = "metrics/"
SHORT = {"reward": _USUAL[0], "length": _USUAL[1], "metrics": _PREFIX}
"""Short names of metrics, or of a group of them."""
_TITLES = {_USUAL[0]: "mean reward", _USUAL[1]: "episode length [s]"}
_UNITS = {"lin_vel_error": "m/s", "ang_vel_error": "rad/s"}
_POINTS = 200
"""Points of the common axis that several seeds are put on."""


@attrs.frozen
class Source:
    """One run, or several that differ only by their seed."""

    label: str
    runs: tuple[Rows, ...]


@attrs.frozen(eq=False)
class Curve:
    """One line of a plot. Arrays have shape (n,)."""

    label: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    """Lower edge of the band of several seeds: mean minus standard deviation."""
    high: np.ndarray | None = None
    seeds: int = 1


def default_metrics(sources: Sequence[Source]) -> tuple[str, ...]:
    """Reward, episode length, and the task's own metrics, as far as a run has them."""
    present = _present(sources)
    return tuple(name for name in _USUAL if name in present) + tuple(
        name for name in present if name.startswith(_PREFIX)
    )


def find_metrics(sources: Sequence[Source], wanted: Sequence[str]) -> tuple[str, ...]:
    """The metrics that people mean: full names, or one of `SHORT`. Raises `RunError` with all that no run has."""
    present = _present(sources)
    found = {name: _meant(name, present) for name in wanted}
    unknown = [f"'{name}'{closest(name, present).removesuffix('.')}" for name, meant in found.items() if not meant]
    if unknown:
        legal = listing([*SHORT, *present])
        raise RunError(f"no metric {'; no metric '.join(unknown)}. In these runs: {legal}".replace("?.", "?"))
    return tuple(dict.fromkeys(name for meant in found.values() for name in meant))


def _meant(name: str, present: Sequence[str]) -> list[str]:
    wanted = SHORT.get(name, name)
    return [other for other in present if other == wanted or (wanted == _PREFIX and other.startswith(_PREFIX))]


def title_of(metric: str) -> str:
    """What a metric is, in words, with its unit if that is known."""
    if metric in _TITLES:
        return _TITLES[metric]
    name = metric.removeprefix(_PREFIX)
    return f"{name} [{_UNITS[name]}]" if name in _UNITS else name


def make_curves(sources: Sequence[Source], metric: str, against: str) -> list[Curve]:
    """A curve per source that has the metric."""
    if against not in AXES:
        raise RunError(f"cannot plot against '{against}'{closest(against, AXES) or '.'} Legal: {listing(AXES)}")
    curves = [_curve(source, metric, against) for source in sources]
    return [curve for curve in curves if len(curve.x)]


def _present(sources: Sequence[Source]) -> list[str]:
    """Names of numbers in any of the runs, in order of appearance."""
    names: dict[str, None] = {}
    for source in sources:
        for rows in source.runs:
            for row in rows:
                names.update(dict.fromkeys(name for name, value in row.items() if _is_number(value)))
    return list(names)


def _curve(source: Source, metric: str, against: str) -> Curve:
    lines = [line for line in (_line(rows, metric, against) for rows in source.runs) if len(line[0])]
    if not lines:
        return Curve(source.label, np.empty(0), np.empty(0))
    if len(lines) == 1:
        return Curve(source.label, *lines[0])
    return _band(source.label, lines)


def _line(rows: Rows, metric: str, against: str) -> tuple[np.ndarray, np.ndarray]:
    key, factor, _ = AXES[against]
    points = [
        (row[key] * factor, row[metric]) for row in rows if _is_number(row.get(key)) and _is_number(row.get(metric))
    ]
    array = np.array(points, dtype=float).reshape(-1, 2)
    array = array[np.isfinite(array).all(axis=1)]
    array = array[np.argsort(array[:, 0], kind="stable")]
    return array[:, 0], array[:, 1]


def _band(label: str, lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> Curve:
    """Mean and standard deviation where all runs have points."""
    start, end = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    if end < start:
        raise RunError(f"the runs of '{label}' have no stretch in common; plot them without --band")
    x = np.linspace(start, end, _POINTS)
    values = np.stack([np.interp(x, *line) for line in lines])
    middle, spread = values.mean(axis=0), values.std(axis=0)
    return Curve(label, x, middle, middle - spread, middle + spread, len(lines))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
