"""From the lines of metrics.jsonl to curves: one per run, or mean and band of several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

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
_EPISODES = "train/episodes"
_OF_EPISODES = (*_USUAL, f"{_PREFIX}fall_rate", "termination/")
"""Metrics that are means over the episodes that happened to end in an iteration: few once they are long."""
_SHARE = 0.9
"""A run that ends before this share of the longest one of its band is worth a word."""
_WINDOW = 100
"""Episodes that such a mean is taken over in a curve, as many as rsl_rl shows it of."""
_HUGE = 1e100
"""Numbers beyond are no measurements, and nothing can be drawn of them."""


@attrs.frozen
class Source:
    """One run, or several that differ only by their seed."""

    label: str
    runs: tuple[Rows, ...]
    names: tuple[str, ...] = ()
    """Names of the runs."""
    kind: str = "seeds"
    """What several of them are: `seeds`, or `runs` where two have the same seed."""


@attrs.frozen(eq=False)
class Curve:
    """One line of a plot. Arrays have shape (n,)."""

    label: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    """Lower edge of the band of several seeds: the lowest of them."""
    high: np.ndarray | None = None
    """Upper edge of that band: the highest of them."""
    seeds: int = 1
    kind: str = "seeds"

    @property
    def title(self) -> str:
        """The label, and how many seeds it is the mean of."""
        return f"{self.label} (mean of {self.seeds} {self.kind})" if self.seeds > 1 else self.label


def default_metrics(sources: Sequence[Source]) -> tuple[str, ...]:
    """Reward, episode length, and the task's own metrics, as far as a run has them."""
    present = _present(sources)
    own = (name for name in present if name.startswith(_PREFIX))
    return (*(name for name in _USUAL if name in present), *own)


def find_metrics(sources: Sequence[Source], wanted: Sequence[str]) -> tuple[str, ...]:
    """The metrics that people mean: full names, or one of `SHORT`. Raises `RunError` with all that no run has."""
    present = _present(sources)
    found: dict[str, list[str]] = {}
    for name in wanted:
        full = SHORT.get(name, name)
        whole = [other for other in present if other == full or (full == _PREFIX and other.startswith(_PREFIX))]
        found[name] = whole or [other for other in present if other == _PREFIX + full]
    names = [*SHORT, *present]
    unknown = [f"'{name}'{closest(name, names).removesuffix('.')}" for name, meant in found.items() if not meant]
    if unknown:
        raise RunError(f"no metric {'; no metric '.join(unknown)}. In these runs: {listing(names)}".replace("?.", "?"))
    return tuple(dict.fromkeys(name for meant in found.values() for name in meant))


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


def cut_short(sources: Sequence[Source], against: str) -> list[str]:
    """What a reader must know of bands: which run ends so early that it cuts the others."""
    notes, (key, factor, unit) = [], AXES[against]
    for source in sources:
        places = {
            name: [float(row[key]) * factor for row in rows if _is_number(row.get(key))]
            for name, rows in zip(source.names, source.runs, strict=False)
        }
        there = {name: end for name, values in places.items() if (end := max(values, default=0.0))}
        first = min(there, key=there.__getitem__, default="")
        if len(there) > 1 and there[first] < _SHARE * max(there.values()):
            ends_at = f"{there[first]:.3g} of {max(there.values()):.3g}, {unit}"
            notes.append(f"the band of {source.label} ends where {first} does ({ends_at}); --no-band draws each run")
    return notes


def left_out(sources: Sequence[Source], metrics: Sequence[str], against: str) -> list[str]:
    """Which runs have no points of some of the metrics, and so no part in their curves."""
    notes = []
    for source in sources:
        for name, rows in zip(source.names, source.runs, strict=False):
            lacking = [title_of(metric) for metric in metrics if not len(_line(rows, metric, against)[0])]
            if len(lacking) == len(metrics):
                notes.append(f"{name} has none of these numbers and is left out")
            elif lacking:
                notes.append(f"{name} has no {', '.join(lacking)} and is left out there")
    return notes


def _present(sources: Sequence[Source]) -> list[str]:
    """Names of numbers in any of the runs, in order of appearance."""
    rows = (row for source in sources for rows in source.runs for row in rows)
    return list(dict.fromkeys(name for row in rows for name, value in row.items() if _is_number(value)))


def _curve(source: Source, metric: str, against: str) -> Curve:
    """The one run of a source that has points, or mean, lowest and highest where all runs have some."""
    every = [_line(rows, metric, against) for rows in source.runs]
    lines = {i: line for i, line in enumerate(every) if len(line[0])}
    if not lines:
        return Curve(source.label, np.empty(0), np.empty(0))
    if len(lines) == 1:
        ((i, line),) = lines.items()
        return Curve(source.names[i] if len(every) > 1 and source.names else source.label, *line)
    start, end = max(x[0] for x, _ in lines.values()), min(x[-1] for x, _ in lines.values())
    if end < start:
        raise RunError(
            f"the runs of '{source.label}' have no stretch in common: one ends before another begins. Try --no-band"
        )
    x = np.linspace(start, end, _POINTS)
    values = np.stack([np.interp(x, *line) for line in lines.values()])
    mean, low, high = values.mean(axis=0), values.min(axis=0), values.max(axis=0)
    return Curve(source.label, x, mean, low, high, len(lines), source.kind)


def _line(rows: Rows, metric: str, against: str) -> tuple[np.ndarray, np.ndarray]:
    """Points of one run, shape (n,) each; where it was not recorded how many episodes ended, it is a window of them."""
    key, factor, _ = AXES[against]
    points = [
        (row[key] * factor, row[metric], count if _is_number(count := row.get(_EPISODES)) and count > 0 else _WINDOW)
        for row in rows
        if _is_number(row.get(key)) and _is_number(row.get(metric))
    ]
    array = np.array(points, dtype=float).reshape(-1, 3)
    x, y, episodes = array[np.argsort(array[:, 0], kind="stable")].T
    return x, (over_episodes(y, episodes) if metric.startswith(_OF_EPISODES) else y)


def over_episodes(values: np.ndarray, episodes: np.ndarray) -> np.ndarray:
    """Mean over the last `_WINDOW` episodes or the last iteration, what is longer; shapes (n,), as is the result."""
    ended = np.concatenate(([0.0], np.cumsum(episodes)))
    first = np.searchsorted(ended, ended[1:] - _WINDOW, side="right") - 1
    parts = [slice(start, i + 1) for i, start in enumerate(np.clip(first, 0, np.arange(len(values))))]
    return np.array([np.average(values[part], weights=episodes[part]) for part in parts])


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE
