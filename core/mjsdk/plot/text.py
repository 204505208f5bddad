"""Charts of characters, for terminals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mjsdk.plot.curves import AXES, Curve, title_of

_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a braille character, by row and column."""


def chart(
    x: np.ndarray, y: np.ndarray, width: int = 60, height: int = 8, limits: tuple[float, float] | None = None
) -> list[str]:
    """A line of points, shape (n,) each, as `height` lines of `width` braille characters."""
    columns, rows = 2 * width, 4 * height
    low, high = limits or (float(np.min(y)), float(np.max(y)))
    at = np.linspace(x[0], x[-1], columns)
    values = np.interp(at, x, y)
    level = (values - low) / (high - low) if high > low else np.full(columns, 0.5)
    row = np.clip(np.round((1.0 - level) * (rows - 1)), 0, rows - 1).astype(int)
    cells = np.zeros((height, width), int)
    for column in range(columns):
        before = row[max(column - 1, 0)]
        for r in _between(before, row[column]):
            cells[r // 4, column // 2] |= _DOTS[r % 4][column % 2]
    return ["".join(chr(_BRAILLE + cell) for cell in line) for line in cells]


def draw_text(panels: Sequence[tuple[str, Sequence[Curve]]], against: str, width: int = 76) -> str:
    """One chart per metric and curve, with its range at the side and its last value in the title."""
    lines: list[str] = []
    for metric, curves in panels:
        values = np.concatenate([curve.y for curve in curves])
        limits = (float(values.min()), float(values.max()))
        for curve in curves:
            lines += _titled(metric, curve, against, limits, width)
    return "\n".join(lines)


def _titled(metric: str, curve: Curve, against: str, limits: tuple[float, float], width: int) -> list[str]:
    seeds = f", mean of {curve.seeds} seeds" if curve.seeds > 1 else ""
    edge = [f"{limits[1]:>10.4g} ", " " * 11, f"{limits[0]:>10.4g} "]
    drawn = chart(curve.x, curve.y, width - 12, 6, limits)
    sides = [edge[0], *[edge[1]] * (len(drawn) - 2), edge[2]]
    label = AXES[against][2]
    scale = f"{' ' * 11}{curve.x[0]:<10.4g}{label:^{max(width - 32, 1)}}{curve.x[-1]:>10.4g}"
    return [
        f"{title_of(metric)}  ({curve.label}{seeds})  last {curve.y[-1]:.4g}",
        *(side + line for side, line in zip(sides, drawn, strict=True)),
        scale,
        "",
    ]


def _between(start: int, end: int) -> range:
    """Rows that join two neighbouring columns, without the one that belongs to the first."""
    if start == end:
        return range(end, end + 1)
    step = 1 if end > start else -1
    return range(start + step, end + step, step)
