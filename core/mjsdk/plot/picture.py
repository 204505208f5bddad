"""Pictures of curves, by matplotlib."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mjsdk.errors import MissingDependency, StorageError, closest, listing
from mjsdk.files import output, storing
from mjsdk.plot.curves import AXES, Curve, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES = (".png", ".pdf", ".svg", ".jpg")
"""Endings of picture files."""
COLOURS = ("#2f6db3", "#e07b39", "#3a9a5f", "#c0455e", "#7b5fb0", "#8a6d3b", "#3fa7b5", "#6b6b6b")
"""Colours of curves, in order."""
_DASHES = ("-", "--", ":", "-.")
"""Styles of the lines, where there are more curves than colours."""
_SHORT = 60
"""Characters of labels of which two fit side by side."""


def new_figure(columns: int, panels: int, panel: tuple[float, float] = (4.6, 3.0)) -> tuple[Figure, list[Axes]]:
    """An empty figure of panels [inches each]; fewer in the last row are wider.

    Raises `MissingDependency` without matplotlib.
    """
    need_matplotlib()
    from matplotlib.figure import Figure

    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(panel[0] * columns, panel[1] * rows), layout="constrained")
    widths = [min(columns, panels - row * columns) for row in range(rows)]
    cells = math.lcm(*widths)
    grid = figure.add_gridspec(rows, cells)
    axes = [
        figure.add_subplot(grid[row, place * cells // width : (place + 1) * cells // width])
        for row, width in enumerate(widths)
        for place in range(width)
    ]
    for axis in axes:
        axis.grid(True, color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def need_matplotlib() -> None:
    """Raise `MissingDependency` without matplotlib."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingDependency("drawing pictures needs matplotlib. Run: pip install 'mjsdk[video]'") from error


def draw_curves(panels: Sequence[tuple[str, Sequence[Curve]]], against: str, title: str = "") -> Figure:
    """One panel per metric, one line per run, a band around the mean of several seeds."""
    count = len(panels)  # in columns that leave the fewest places empty; three where that is as good as another number
    columns = min((3, 2, 4), key=lambda columns: -count % columns) if count > 3 else count
    figure, axes = new_figure(columns, count)
    for axis, (metric, curves) in zip(axes, panels, strict=False):
        for index, curve in enumerate(curves):
            _draw(axis, curve, COLOURS[index % len(COLOURS)], _DASHES[index // len(COLOURS) % len(_DASHES)])
        axis.set_title(title_of(metric), fontsize=10)
        axis.set_xlabel(AXES[against][2])
    if any(len(curves) > 1 or curves[0].seeds > 1 for _, curves in panels):
        # One legend below all panels, where it covers no curve.
        handles, labels = max((axis.get_legend_handles_labels() for axis in axes), key=lambda found: len(found[1]))
        side_by_side = 2 if max(map(len, labels)) < _SHORT else 1
        figure.legend(handles, labels, loc="outside lower center", ncols=side_by_side, fontsize=8, frameon=False)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write the picture, whole or not at all."""
    from matplotlib.text import Text

    check_picture_path(path)
    for text in figure.findobj(Text):  # names of runs are no formulas, and may have bytes that fonts refuse
        text.set_parse_math(False)
        text.set_text(text.get_text().encode(errors="replace").decode())
    drawn = BytesIO()  # where a disk is full, matplotlib would say something else of a .pdf than the disk does
    with storing(f"the picture '{path}'"):
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(drawn, dpi=130, format=path.suffix[1:].lower())
    with output(path, f"the picture '{path}'") as file:
        file.write_bytes(drawn.getvalue())


def check_picture_path(path: Path) -> None:
    """Raise `StorageError` for a name that is not that of a picture, or a place that nothing can be written to."""
    if path.suffix.lower() not in PICTURES:
        hint = closest(path.suffix, PICTURES) or "."
        raise StorageError(f"'{path}' is not the name of a picture{hint} It must end in one of {listing(PICTURES)}")
    try:
        there = next(parent for parent in path.absolute().parents if parent.exists())
        wrong = f"{path} is a folder" if path.is_dir() else ""
        if not wrong and not (there.is_dir() and os.access(there, os.W_OK)):
            wrong = f"{there} is no folder that you may write to"
    except OSError as error:
        wrong = str(error.strerror)
    if wrong:
        raise StorageError(f"cannot write the picture '{path}': {wrong}. Choose another place")


def _draw(axis: Any, curve: Curve, colour: str, dashes: str) -> None:
    label = f"{curve.title}, band from the lowest to the highest" if curve.seeds > 1 else curve.label
    label = " " * label.startswith("_") + label  # else it is not in the legend
    marker = "o" if curve.x[0] == curve.x[-1] else ""
    axis.plot(curve.x, curve.y, color=colour, linewidth=1.6, linestyle=dashes, label=label, marker=marker)
    if curve.low is not None:
        axis.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
