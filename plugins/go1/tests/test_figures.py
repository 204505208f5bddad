"""Our Go1 is the public one: the same bodies, masses, frames, limits and dynamics."""

from __future__ import annotations

import pytest

from mjsdk.testing import parity


@pytest.mark.parametrize("check", parity.CHECKS)
def test_it_is_the_public_one(check, model, reference):
    check(model, reference)


def test_all_that_collides_is_held_to_the_public_model(reference):
    assert sum(bool(reference.geom(i).name) for i in range(reference.ngeom)) >= 30


def test_what_is_drawn_weighs_nothing(spec):
    parity.weightless_drawings(spec)
