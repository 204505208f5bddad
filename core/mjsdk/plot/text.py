"""Charts of characters, for terminals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mjsdk.plot.curves import AXES, Curve, title_of

Limits = tuple[float, float]
_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a braille character, by row and column."""


def chart(
    x: np.ndarray,
    y: np.ndarray,
    width: int = 60,
    height: int = 8,
    limits: Limits | None = None,
    across: Limits | None = None,
) -> list[str]:
    """A line of points, shape (n,) each, as `height` lines of `width` braille characters.

    `limits` are the values at the lower and upper edge, `across` those of `x` at the left and right one.
    """
    columns, rows = 2 * width, 4 * height
    low, high = limits or (float(np.min(y)), float(np.max(y)))
    left, right = across or (float(x[0]), float(x[-1]))
    at = np.linspace(left, right, columns)
    here = np.flatnonzero((at >= x[0]) & (at <= x[-1]))
    if not len(here):
        here = np.abs(at - x[0]).argmin(keepdims=True)
    values = np.interp(at, x, y)
    level = (values - low) / (high - low) if high > low else np.full(columns, 0.5)
    row = np.clip(np.round((1.0 - level) * (rows - 1)), 0, rows - 1).astype(int)
    cells = np.zeros((height, width), int)
    for column in here:
        before = row[max(column - 1, here[0])]
        step = 1 if row[column] >= before else -1
        for r in range(row[column], before, -step) or (before,):  # joined to the column before, without its own row
            cells[r // 4, column // 2] |= _DOTS[r % 4][column % 2]
    return ["".join(chr(_BRAILLE + cell) for cell in line) for line in cells]


def draw_text(panels: Sequence[tuple[str, Sequence[Curve]]], against: str, width: int = 76) -> str:
    """One chart per metric and curve, with its range at the side and its last value in the title."""
    lines: list[str] = []
    for metric, curves in panels:
        values = np.concatenate([curve.y for curve in curves])
        limits = (float(values.min()), float(values.max()))
        across = (min(float(curve.x[0]) for curve in curves), max(float(curve.x[-1]) for curve in curves))
        axis = f"{' ' * 11}{across[0]:<10.4g}{AXES[against][2]:^{max(width - 32, 1)}}{across[1]:>10.4g}"
        for curve in curves:
            drawn = chart(curve.x, curve.y, width - 12, 6, limits, across)
            sides = [f"{limits[1]:>10.4g} ", *[" " * 11] * (len(drawn) - 2), f"{limits[0]:>10.4g} "]
            seeds = "" if curve.low is None or curve.high is None else f" ({curve.low[-1]:.4g} to {curve.high[-1]:.4g})"
            lines.append(f"{title_of(metric)}  {curve.title}  last {curve.y[-1]:.4g}{seeds}")
            lines += [*(side + line for side, line in zip(sides, drawn, strict=True)), axis, ""]
    return "\n".join(lines)
