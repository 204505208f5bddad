from __future__ import annotations

import pytest

from mjsdk.errors import ConfigError
from mjsdk.evaluate.commands import STANDARD, Command, parse_command


def test_the_standard_set_stands_walks_in_four_directions_curves_and_turns():
    assert [command.values for command in STANDARD] == [
        (0, 0, 0), (0.5, 0, 0), (1, 0, 0), (-0.5, 0, 0), (0, 0.4, 0), (0, -0.4, 0), (0.5, 0, 0.5), (0, 0, 0.8),
    ]  # fmt: skip


def test_labels_say_what_is_asked():
    assert Command().label == "stand"
    assert Command(-0.5).label == "backward 0.5"
    assert Command(0.5, 0, -0.5).label == "forward 0.5, turn right 0.5"


def test_a_command_is_three_numbers():
    assert parse_command("0.8, 0,-0.2").values == (0.8, 0.0, -0.2)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "fast,0,0"])
def test_anything_else_is_one_message_with_an_example(text):
    with pytest.raises(ConfigError, match=r"--command: '.*' is not a command.*0.8,0,0"):
        parse_command(text)


@pytest.mark.parametrize("text", ["nan,0,0", "0,inf,0", "0,0,-1e308", "101,0,0", "1e400,0,0"])
def test_a_command_is_finite_and_within_reason(text):
    with pytest.raises(ConfigError, match="each number must be from -100 to 100"):
        parse_command(text)


def test_a_long_command_is_cut_in_its_message():
    with pytest.raises(ConfigError) as caught:
        parse_command("1," * 5000)
    assert len(str(caught.value)) < 400
