from __future__ import annotations

import pytest
import torch

from mjsdk.evaluate.tally import Tally

DT = 0.5


def sample(*, fell=(), over=(), error=(1.0, 1.0, 1.0), reward=(1.0, 1.0, 1.0)) -> tuple:
    def flags(worlds) -> torch.Tensor:
        return torch.tensor([world in worlds for world in range(3)])

    return torch.tensor(reward), flags(fell), flags(over), {"error": torch.tensor(error)}


def test_the_first_second_counts_for_reward_but_not_for_means():
    tally = Tally(3, DT)
    for error in (9.0, 9.0, 1.0, 3.0):  # at 0.5, 1.0, 1.5 and 2.0 s
        tally.add(*sample(error=(error, error, error)))
    assert tally.mean("error").tolist() == [2.0, 2.0, 2.0]
    assert tally.reward.tolist() == [4.0, 4.0, 4.0]
    assert tally.total("error").tolist() == [22.0] * 3


def test_only_the_first_episode_of_a_world_counts():
    tally = Tally(3, DT)
    for step in range(4):
        tally.add(*sample(fell=(1,) if step == 2 else ()))
    assert tally.fell.tolist() == [False, True, False]
    assert tally.alive.tolist() == [True, False, True]
    assert tally.steps.tolist() == [4, 3, 4]
    assert tally.reward.tolist() == [4.0, 3.0, 4.0]


def test_the_state_after_a_reset_is_not_mistaken_for_the_end_of_the_episode():
    tally = Tally(3, DT)
    tally.add(*sample())
    tally.add(*sample())
    tally.add(*sample(error=(2.0, 2.0, 2.0)))
    tally.add(*sample(over=(0,), error=(100.0, 4.0, 4.0)))
    assert tally.mean("error").tolist() == [2.0, 3.0, 3.0]


def test_a_world_that_falls_within_the_first_second_counts_with_its_whole_life():
    tally = Tally(3, DT)
    tally.add(*sample(error=(5.0, 1.0, 1.0)))
    tally.add(*sample(fell=(0,)))
    tally.add(*sample(error=(9.0, 2.0, 2.0)))
    assert tally.mean("error").tolist() == [5.0, 2.0, 2.0]


def test_a_world_that_fell_at_once_has_no_mean():
    tally = Tally(3, DT)
    tally.add(*sample(fell=(0,)))
    assert tally.mean("error")[0].isnan()


def test_running_out_of_time_is_no_fall():
    tally = Tally(3, DT)
    tally.add(*sample(over=(0, 1, 2)))
    assert not tally.fell.any()
    assert not tally.alive.any()


def test_a_fall_in_a_later_episode_is_no_fall():
    tally = Tally(3, DT)
    tally.add(*sample(over=(0,)))
    tally.add(*sample(fell=(0,)))
    assert not tally.fell[0]
    assert tally.reward[0] == pytest.approx(1.0)
