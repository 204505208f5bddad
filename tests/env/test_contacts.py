from __future__ import annotations

import pytest
import torch

from mjsdk.env.buffers import Buffers
from mjsdk.env.contacts import ContactState
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError
from mjsdk.ops.compiled import LoopOps
from mjsdk.ops.tensors import TensorOps


@pytest.fixture
def force():
    return torch.zeros(1, 2, 3)


@pytest.fixture(params=[LoopOps, TensorOps])
def contact(request, force):
    return ContactState("feet", force, Buffers("cpu"), request.param())


def go(contact, force, loads, dt=0.1):
    """Let the two feet carry each of the `loads` [N] for one step."""
    for left, right in loads:
        force[0, :, 2] = torch.tensor([left, right])
        contact.update(dt)


def test_time_in_the_air_counts_from_the_last_touch(contact, force):
    go(contact, force, [(10.0, 10.0), (0.0, 10.0), (0.0, 10.0), (0.0, 10.0)])
    assert contact.flights.air_time.tolist() == [pytest.approx([0.3, 0.0])]
    assert contact.flights.contact_time.tolist() == [pytest.approx([0.0, 0.4])]


def test_a_touch_down_is_reported_once_with_the_length_of_the_flight(contact, force):
    go(contact, force, [(0.0, 10.0), (0.0, 10.0), (10.0, 10.0)])
    assert contact.flights.first_contact.tolist() == [[True, False]]
    assert contact.flights.last_air_time[0, 0] == pytest.approx(0.3)
    go(contact, force, [(10.0, 10.0)])
    assert not contact.flights.first_contact.any()
    assert contact.flights.last_air_time[0, 0] == pytest.approx(0.3)


def test_times_that_nobody_asked_for_are_an_error(force):
    with pytest.raises(ConfigError, match="env.scene.sensors.feet.track_air_time"):
        _ = ContactState("feet", force, Buffers("cpu"), TensorOps(), track_air_time=False).flights


def test_a_force_too_small_to_matter_is_no_contact(contact, force):
    go(contact, force, [(0.5, -2.0)])
    assert contact.in_contact.tolist() == [[False, True]]


def test_a_foot_that_stands_as_the_episode_begins_does_not_touch_down(contact, force):
    go(contact, force, [(0.0, 0.0), (0.0, 0.0)])
    force[0, :, 2] = torch.tensor([10.0, 0.0])
    contact.reset(Worlds(1, torch.Generator(), ids=torch.tensor([0])))
    assert contact.in_contact.tolist() == [[True, False]]
    go(contact, force, [(10.0, 0.0)])
    assert not contact.flights.first_contact.any()
