"""Messages fit on a screen, whatever the value that they are about."""

import pytest

from mjsdk.errors import ConfigError, Mistake, shortened


@pytest.mark.parametrize("length", [0, 1, 60])
def test_text_that_fits_stays_as_it_is(length):
    assert shortened("x" * length, 60) == "x" * length


def test_long_text_keeps_both_ends_and_says_how_long_it_was():
    text = shortened("begin" + "x" * 5000 + "end", 60)
    assert len(text) == 60
    assert text.startswith("begin")
    assert text.endswith("end")
    assert "5008 characters" in text


def test_of_many_mistakes_the_first_are_listed_and_the_others_counted():
    error = ConfigError([Mistake(f"setting_{i}", "is wrong") for i in range(500)])
    assert str(error).startswith("500 mistakes in the settings:\n  setting_0: is wrong\n")
    assert str(error).endswith("setting_19: is wrong\n  and 480 more")
    assert len(error.mistakes) == 500


def test_a_mistake_is_short_however_long_its_path_and_message():
    assert len(str(Mistake("a" * 5000, "b" * 10**6))) < 1300
