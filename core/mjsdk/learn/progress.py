"""How a training goes, for people: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mjsdk.learn.report import Report

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PARTS = ("physics", "environment", "learning")
_BARS = " ▁▂▃▄▅▆▇█"
_TREND = 40
"""Iterations that a trend shows."""
_SPEED = 10
"""Iterations that the remaining time is judged by."""


class Pace:
    """Knows how long the rest will take."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._recent: deque[float] = deque(maxlen=_SPEED)

    def eta(self, report: Report) -> float:
        """Seconds until the last iteration or the deadline, whichever comes first."""
        self._recent.append(report.times["iteration_s"])
        left = (report.last_iteration - report.iteration) * sum(self._recent) / len(self._recent)
        return max(0.0, min(left, self._deadline - time.monotonic()))


class PlainView:
    """One line per iteration."""

    def __init__(self, emit: Callable[[str], None], deadline: float = float("inf")) -> None:
        self._emit = emit
        self._pace = Pace(deadline)

    def note(self, text: str) -> None:
        """Say something between the iterations."""
        self._emit(text)

    def iteration(self, report: Report) -> None:
        """Print the line of an iteration."""
        self._emit(line(report, self._pace.eta(report)))

    def close(self) -> None:
        """Nothing is left to do."""


class LiveView:
    """A picture of the training that is drawn anew after every iteration."""

    def __init__(self, console: Console, title: str, deadline: float = float("inf")) -> None:
        from rich.live import Live

        self._title = title
        self._pace = Pace(deadline)
        self._trends: dict[str, deque[float]] = {}
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._live.start()

    def note(self, text: str) -> None:
        """Say something above the picture."""
        self._live.console.print(text, style="yellow")

    def iteration(self, report: Report) -> None:
        """Draw an iteration."""
        for name, value in report.values.items():
            self._trends.setdefault(name, deque(maxlen=_TREND)).append(value)
        self._live.update(self._draw(report, self._pace.eta(report)), refresh=True)

    def close(self) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def _draw(self, report: Report, eta: float) -> RenderableType:
        from rich.columns import Columns
        from rich.console import Group
        from rich.panel import Panel

        values = report.values
        blocks = [
            self._block("episodes", _pick(values, "train/")),
            self._block("metrics", _pick(values, "metrics/") | _pick(values, "curriculum/")),
            self._block("rewards per second", _pick(values, "reward/")),
            self._block("ends of episodes", _pick(values, "termination/")),
            self._block("learner", _pick(values, "policy/") | _pick(values, "loss/")),
        ]
        columns = Columns([block for block in blocks if block is not None], padding=(0, 3))
        return Panel(Group(_bar(report, eta), _speed(report), "", columns), title=self._title, title_align="left")

    def _block(self, title: str, values: dict[str, float]) -> RenderableType | None:
        from rich import box
        from rich.table import Table

        if not values:
            return None
        table = Table(
            title=title, title_justify="left", title_style="bold", box=box.SIMPLE, show_header=False, pad_edge=False
        )
        table.add_column(style="cyan")
        table.add_column(justify="right")
        table.add_column(style="dim")
        for name, value in values.items():
            table.add_row(name.partition("/")[2], number(value), sparkline(self._trends[name])[-12:])
        return table


def line(report: Report, eta: float) -> str:
    """An iteration on one line."""
    values = report.values
    split = ", ".join(f"{part} {share:.0%}" for part, share in shares(report))
    parts = [
        f"iteration {report.iteration}/{report.last_iteration}",
        f"eta {duration(eta)}",
        f"{report.times['steps_per_s']:,.0f} steps/s ({split})",
    ]
    parts += [f"{label} {number(values[name])}{unit}" for name, label, unit in _HEADLINES if name in values]
    parts += [f"{name.partition('/')[2]} {number(value)}" for name, value in _pick(values, "metrics/").items()]
    return "  ".join(parts)


_HEADLINES = (("train/mean_reward", "reward", ""), ("train/mean_episode_length_s", "episode", " s"))


def shares(report: Report) -> list[tuple[str, float]]:
    """Share of each part in the time of an iteration."""
    total = max(report.times["iteration_s"], 1e-9)
    return [(part, report.times[f"{part}_s"] / total) for part in _PARTS]


def duration(seconds: float) -> str:
    """`0:04:07`, or nothing sensible for what has no end."""
    if seconds == float("inf"):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def number(value: float) -> str:
    """A number with as many digits as people read."""
    if value == 0 or 0.001 <= abs(value) < 10_000:
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return f"{value:.2e}"


def sparkline(values: Iterable[float]) -> str:
    """A curve in one line of text; what is not finite leaves a gap."""
    values = list(values)
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(_BARS) - 2) / (high - low) if high > low else 0.0
    return "".join(_BARS[1 + round((value - low) * scale)] if math.isfinite(value) else " " for value in values)


def _pick(values: dict[str, float], prefix: str) -> dict[str, float]:
    return {name: value for name, value in values.items() if name.startswith(prefix)}


def _bar(report: Report, eta: float) -> Any:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(report.last_iteration, report.iteration, width=40)
    counted = f"iteration [bold]{report.iteration}[/]/{report.last_iteration}"
    grid.add_row(counted, bar, f"eta {duration(eta)}", f"trained {duration(report.times['total_s'])}")
    return grid


def _speed(report: Report) -> Any:
    from rich.text import Text

    text = Text(f"{report.times['steps_per_s']:,.0f} steps/s  ")
    for (part, share), style in zip(shares(report), ("green", "blue", "magenta"), strict=True):
        text.append("█" * round(30 * share), style)
        text.append(f" {part} {report.times[f'{part}_s'] * 1000:.0f} ms ({share:.0%})  ")
    return text.append(f" {report.timesteps:,} steps so far", "dim")
