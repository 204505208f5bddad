"""Learning curves of runs, as pictures and in the terminal."""

from mjsdk.plot.curves import cut_short, default_metrics, find_metrics, left_out, make_curves
from mjsdk.plot.picture import check_picture_path, draw_curves, need_matplotlib, save_figure
from mjsdk.plot.sources import make_sources
from mjsdk.plot.text import draw_text
from mjsdk.plot.tracking import draw_tracking

__all__ = [
    "check_picture_path",
    "cut_short",
    "default_metrics",
    "draw_curves",
    "draw_text",
    "draw_tracking",
    "find_metrics",
    "left_out",
    "make_curves",
    "make_sources",
    "need_matplotlib",
    "save_figure",
]
