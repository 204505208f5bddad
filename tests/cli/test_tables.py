"""Tables in terminals that are too narrow for them."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mjsdk.cli._output import Table

COLUMNS = ("joint", "kp\n[N m]", "effort", "notes")
ROWS = [("left_hip_joint", "40.18", "139", "some words that may wrap"), ("knee", "2.5", "8.25", "-")]


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(Table("motors", COLUMNS, ROWS, right=COLUMNS[1:3]))
    return console.file.getvalue()


def test_all_columns_are_there_where_they_fit():
    out = printed(80)
    assert "no room" not in out
    for cell in ("left_hip_joint", "40.18", "139", "some words that may wrap"):
        assert cell in out


@given(st.integers(28, 80))
def test_a_number_is_whole_or_its_column_is_named_as_left_out(width):
    shown, _, left_out = printed(width).partition("no room")
    words, named = shown.split(), " ".join(left_out.split())
    for column, numbers in (("kp [N m]", {"40.18", "2.5"}), ("effort", {"139", "8.25"})):
        assert numbers <= set(words) or column in named
        assert not (numbers & set(words) and column in named)
    assert "left_hip_joint" in words


def test_the_last_columns_go_first():
    shown, _, left_out = printed(36).partition("no room in 36 columns for:")
    assert left_out.split() == ["effort"]
    assert "40.18" in shown
