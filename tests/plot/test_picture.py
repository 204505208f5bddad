from __future__ import annotations

import errno
import sys
from pathlib import Path

import numpy as np
import pytest

from mjsdk.errors import MissingDependency, StorageError
from mjsdk.plot.curves import Curve
from mjsdk.plot.picture import draw_curves, save_figure

X = np.arange(5.0)
BAND = Curve("seeds", X, X, X - 1, X + 1, 3)


def test_each_metric_has_a_panel_with_its_curves(tmp_path):
    figure = draw_curves([("reward", [Curve("a", X, X), BAND]), ("length", [BAND])], "time", "title")
    assert [axis.get_title() for axis in figure.axes] == ["reward", "length"]
    assert len(figure.axes[0].lines) == 2
    assert len(figure.axes[0].collections) == 1
    save_figure(figure, tmp_path / "new" / "curves.png")
    assert (tmp_path / "new" / "curves.png").stat().st_size > 1000
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["curves.png"]


def test_every_curve_is_in_the_legend_though_two_have_the_same_name(tmp_path):
    figure = draw_curves([("reward", [Curve("a", X, X), Curve("a", X, X + 1)])], "time")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "a"]


def test_a_band_of_one_moment_is_a_mark():
    point = np.full(5, 2.0)
    figure = draw_curves([("reward", [Curve("a", point, X, X, X, 2)])], "time")
    assert figure.axes[0].lines[0].get_marker() == "o"


def test_a_name_that_is_too_long_is_one_message(tmp_path):
    with pytest.raises(StorageError, match="cannot write the picture"):
        save_figure(draw_curves([("reward", [BAND])], "time"), tmp_path / f"{'x' * 300}.png")
    save_figure(draw_curves([("reward", [BAND])], "time"), tmp_path / f"{'x' * 250}.png")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(StorageError, match=r"did you mean '.png'.*one of .png, .pdf"):
        save_figure(draw_curves([("reward", [BAND])], "time"), tmp_path / "curves.pngg")


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write the picture"):
        save_figure(draw_curves([("reward", [BAND])], "time"), tmp_path / "file" / "curves.png")


def test_without_matplotlib_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mjsdk\[video\]'"):
        draw_curves([("reward", [BAND])], "time")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8])
def test_there_is_no_empty_panel(count):
    figure = draw_curves([("reward", [BAND])] * count, "time")
    assert len(figure.axes) == count


def test_smoothing_leaves_out_gaps_and_keeps_constants():
    from mjsdk.plot.tracking import smoothed

    values = np.array([2.0] * 20 + [np.nan] * 5)
    np.testing.assert_allclose(smoothed(values, 0.1), values)


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg", ".jpg"])
def test_a_full_disk_is_named_whatever_the_picture_is(tmp_path, ending, monkeypatch):
    def full(path, data):
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    path = tmp_path / f"curves{ending}"
    path.write_text("old")
    with pytest.raises(StorageError, match="No space left"):
        save_figure(draw_curves([("reward", [BAND])], "time"), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
@pytest.mark.parametrize("name", ["$x^", "l\udcc3uf", "_hidden"])
def test_any_name_of_a_run_can_be_drawn(tmp_path, name, ending):
    curves = [Curve(name, X, X), Curve(name, X, X + 1)]
    save_figure(draw_curves([(name, curves)], "time", name), tmp_path / f"curves{ending}")
    assert (tmp_path / f"curves{ending}").stat().st_size > 1000
