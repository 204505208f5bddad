from __future__ import annotations

import numpy as np

from mjsdk.plot.curves import Curve
from mjsdk.plot.text import chart, draw_text


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right():
    lines = chart(np.arange(10.0), np.arange(10.0), width=10, height=4)
    blank = chr(0x2800)
    assert len(lines) == 4
    assert lines[-1][0] != blank
    assert lines[0][-1] != blank
    assert lines[0][0] == blank
    assert lines[-1][-1] == blank


def test_a_constant_line_is_drawn_in_the_middle():
    lines = chart(np.arange(3.0), np.ones(3), width=4, height=3)
    assert all(mark != chr(0x2800) for mark in lines[1])
    assert set(lines[0] + lines[2]) == {chr(0x2800)}


def test_a_single_point_can_be_drawn():
    assert len(chart(np.array([1.0]), np.array([2.0]), width=4, height=2)) == 2


def test_curves_of_different_length_share_their_axis_and_seeds_tell_their_spread():
    short = Curve("short", np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.zeros(2), np.full(2, 3.0), 2)
    text = draw_text([("m", [short, Curve("long", np.array([0.0, 10.0]), np.array([1.0, 2.0]))])], "time")
    assert "m  short (mean of 2 seeds)  last 2 (0 to 3)" in text
    first = text.splitlines()[1:7]
    assert all(set(line[30:].strip()) <= {chr(0x2800)} for line in first)
    assert text.count("        10") == 2


def test_the_text_names_metric_run_range_and_last_value():
    curve = Curve("run a", np.array([0.0, 1.0]), np.array([1.0, 7.5]))
    text = draw_text([("train/mean_reward", [curve])], "time")
    assert "mean reward  run a  last 7.5" in text
    assert "wall time [min]" in text
    assert max(len(line) for line in text.splitlines()) <= 76
