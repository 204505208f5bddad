"""How a training goes, for people: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.learn.report import Report, Watcher

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PARTS = ("physics", "environment", "learning")
_BARS = " ▁▂▃▄▅▆▇█"
_TREND = 40
"""Iterations that a trend shows."""
_FALLS = "metrics/fall_rate"
_HEADLINES = (("train/mean_reward", "reward", ""), ("train/mean_episode_length_s", "episode", " s"))
_LABELS = {_FALLS: "falls, share of ended episodes"}
_BLOCKS = {
    "episodes": ("train/",),
    "metrics": ("metrics/", "curriculum/"),
    "rewards per second": ("reward/",),
    "ends of episodes": ("termination/",),
    "learner": ("policy/", "loss/"),
}
"""Blocks of the live view, with the beginnings of the names in them."""
_ROWS = (100, 16, 12, 8, 6, 4, 3, 2, 1, 0)
"""Rows that a block of the live view may have, down to none on the smallest terminals."""
_SPEED = 10
"""Iterations that the remaining time is judged by."""


@attrs.frozen
class Left:
    """What is left of a training."""

    seconds: float
    by_time: bool
    """Whether the time will be up before all iterations are done."""
    share: float
    """Share of the whole that is done."""

    @property
    def text(self) -> str:
        """The remaining time with its label."""
        return f"{'left' if self.by_time else 'eta'} {duration(self.seconds)}"


class Pace:
    """Knows how long the rest will take."""

    def __init__(self, deadline: float) -> None:
        self._start = time.monotonic()
        self._deadline = deadline
        self._recent: deque[float] = deque(maxlen=_SPEED)

    def left(self, report: Report) -> Left:
        """What is left until the last iteration or the deadline, whichever comes first."""
        self._recent.append(report.times["iteration_s"])
        seconds = (report.last_iteration - report.iteration) * sum(self._recent) / len(self._recent)
        now = time.monotonic()
        if self._deadline - now >= seconds:
            return Left(seconds, False, report.iteration / report.last_iteration)
        rest = max(0.0, self._deadline - now)
        return Left(rest, True, (now - self._start) / max(now - self._start + rest, 1e-9))


class PlainView(Watcher):
    """One line per iteration."""

    def __init__(self, emit: Callable[[str], None], deadline: float = float("inf")) -> None:
        self._emit = emit
        self._pace = Pace(deadline)

    def note(self, text: str) -> None:
        """Say something between the iterations."""
        self._emit(text)

    def iteration(self, report: Report) -> None:
        """Print the line of an iteration."""
        self._emit(line(report, self._pace.left(report)))


class LiveView:
    """A picture of the training that is redrawn after every iteration."""

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
        console, left = self._live.console, self._pace.left(report)
        for rows in _ROWS:  # as many as the terminal has room for
            picture = self._draw(report, left, rows)
            if len(console.render_lines(picture)) < console.height:
                break
        self._live.update(picture, refresh=True)

    def close(self) -> None:
        """Leave the last picture on the screen."""
        self._live.stop()

    def _draw(self, report: Report, left: Left, rows: int) -> RenderableType:
        from rich.columns import Columns
        from rich.console import Group
        from rich.panel import Panel
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        values = {name: report.values.get(name) for name in self._trends}
        blocks = [self._block(title, _pick(values, *kinds), rows) for title, kinds in _BLOCKS.items()]
        columns = Columns([block for block in blocks if block is not None], padding=(0, 3))
        bar, last = Table.grid(padding=(0, 2)), "" if left.by_time else f"/{report.last_iteration}"
        iteration, trained = f"iteration [bold]{report.iteration}[/]{last}", duration(report.times["total_s"])
        bar.add_row(iteration, ProgressBar(1.0, left.share, width=40), left.text, f"trained {trained}")
        return Panel(Group(bar, _speed(report), "", columns), title=self._title, title_align="left")

    def _block(self, title: str, values: dict[str, float | None], rows: int) -> RenderableType | None:
        from rich import box
        from rich.table import Table

        if not values or not rows:
            return None
        table = Table(
            title=title, title_justify="left", title_style="bold", box=box.SIMPLE, show_header=False, pad_edge=False
        )
        table.add_column(style="cyan")
        table.add_column(justify="right")
        table.add_column(style="dim")
        for name, value in list(values.items())[:rows]:
            label = _LABELS.get(name, name.partition("/")[2])
            table.add_row(label, "-" if value is None else number(value), sparkline(self._trends[name])[-12:])
        if len(values) > rows:
            table.add_row(f"and {len(values) - rows} more")
        return table


def line(report: Report, left: Left) -> str:
    """An iteration on one line."""
    values = report.values
    split = ", ".join(f"{part} {share:.0%}" for part, share in shares(report))
    parts = [
        f"iteration {report.iteration}" + ("" if left.by_time else f"/{report.last_iteration}"),
        left.text,
        f"{report.times['steps_per_s']:,.0f} steps/s ({split})",
    ]
    parts += [f"{label} {number(values[name])}{unit}" for name, label, unit in _HEADLINES if name in values]
    metrics = {name: value for name, value in _pick(values, "metrics/").items() if name != _FALLS}
    parts += [f"{name.partition('/')[2]} {number(value)}" for name, value in metrics.items()]
    falls = "-"
    if _FALLS in values:
        count = round(values.get("train/episodes", 0))
        falls = f"{values[_FALLS]:.0%} of {count} ended episode{'' if count == 1 else 's'}"
    return "  ".join([*parts, f"falls {falls}"])


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


def _pick(values: dict[str, Any], *prefixes: str) -> dict[str, Any]:
    return {name: value for prefix in prefixes for name, value in values.items() if name.startswith(prefix)}


def _speed(report: Report) -> Any:
    from rich.text import Text

    text = Text(f"{report.times['steps_per_s']:,.0f} steps/s  ")
    for (part, share), style in zip(shares(report), ("green", "blue", "magenta"), strict=True):
        text.append("█" * round(30 * share), style)
        text.append(f" {part} {report.times[f'{part}_s'] * 1000:.0f} ms ({share:.0%})  ")
    return text.append(f" {report.timesteps:,} steps so far", "dim")
