from __future__ import annotations

import pytest

from mjsdk.config.fields import Setting
from mjsdk.terms.docs import outdated, parameter_settings, parse, summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Width of the kernel.", Setting("Width of the kernel.")),
        ("Width [rad].", Setting("Width.", unit="rad")),
        ("Width [rad]. Recommended: 0.1..0.5.", Setting("Width.", unit="rad", recommended=(0.1, 0.5))),
        ("Width. Recommended: -1..1e-3. Wider.", Setting("Width.", recommended=(-1.0, 1e-3), advice="Wider.")),
        ("Width [m/s]. Wider is kinder. Or not.", Setting("Width.", unit="m/s", advice="Wider is kinder. Or not.")),
        (
            "Width [m]. Recommended: 1..2. Bounds: 1e-3..9. Wide.",
            Setting("Width.", "m", (1.0, 2.0), "Wide.", bounds=(1e-3, 9.0)),
        ),
        ("Share [-]. Recommended: 0..1.", Setting("Share.", recommended=(0.0, 1.0))),
        ("", Setting("")),
    ],
)
def test_an_entry_tells_meaning_unit_range_and_advice(text, expected):
    assert parse(text) == expected


def term(env, std, feet):
    """How well it goes.

    More about that: nothing.

    Args:
        std: Width [m].
            Recommended: 1..2.
            Do not ask.
        feet: The feet.

    Returns:
        std: not this.
    """


class Keeper:
    """A term that keeps state."""

    def __init__(self, env, gain):
        """Keep.

        Args:
            gain: How much [N].
        """


def test_entries_go_on_over_lines_and_end_with_the_section():
    known = parameter_settings(term)
    assert known == {
        "std": Setting("Width.", unit="m", recommended=(1.0, 2.0), advice="Do not ask."),
        "feet": Setting("The feet."),
    }


def test_the_summary_is_the_first_line():
    assert summary(term) == "How well it goes."


def test_a_class_may_tell_in_its_constructor():
    assert parameter_settings(Keeper) == {"gain": Setting("How much.", unit="N")}


def test_a_term_without_a_docstring_tells_nothing():
    assert parameter_settings(lambda env, std: None) == {}
    assert summary(lambda env, std: None) == ""


def earlier(env, std):
    """How well it goes.

    Args:
        std: Width [m]. Sane: 1..2. Legal:
            0.1..9.
    """


def test_ranges_under_their_earlier_names_are_not_read_and_named():
    assert parameter_settings(earlier)["std"].recommended is None
    assert outdated(earlier) == "write 'Recommended:' for 'Sane:', write 'Bounds:' for 'Legal:'"
    assert outdated(term) == outdated(Keeper) == outdated(lambda env: None) == ""
