from __future__ import annotations

import pytest
import torch

from mjsdk.evaluate.episode_statistics import EpisodeStatistics

DT = 0.5


def sample(*, fell=(), over=(), error=(1.0, 1.0, 1.0), reward=(1.0, 1.0, 1.0)) -> tuple:
    def flags(worlds) -> torch.Tensor:
        return torch.tensor([world in worlds for world in range(3)])

    return torch.tensor(reward), flags(fell), flags(over), {"error": torch.tensor(error)}


def test_the_first_second_counts_for_reward_but_not_for_means():
    statistics = EpisodeStatistics(3, DT)
    for error in (9.0, 9.0, 1.0, 3.0):  # at 0.5, 1.0, 1.5 and 2.0 s
        statistics.add(*sample(error=(error, error, error)))
    assert statistics.mean("error").tolist() == [2.0, 2.0, 2.0]
    assert statistics.reward.tolist() == [4.0, 4.0, 4.0]
    assert statistics.total("error").tolist() == [22.0] * 3


def test_only_the_first_episode_of_a_world_counts():
    statistics = EpisodeStatistics(3, DT)
    for step in range(4):
        statistics.add(*sample(fell=(1,) if step == 2 else ()))
    assert statistics.fell.tolist() == [False, True, False]
    assert statistics.alive.tolist() == [True, False, True]
    assert statistics.steps.tolist() == [4, 3, 4]
    assert statistics.reward.tolist() == [4.0, 3.0, 4.0]


def test_the_state_after_a_reset_is_not_mistaken_for_the_end_of_the_episode():
    statistics = EpisodeStatistics(3, DT)
    statistics.add(*sample())
    statistics.add(*sample())
    statistics.add(*sample(error=(2.0, 2.0, 2.0)))
    statistics.add(*sample(over=(0,), error=(100.0, 4.0, 4.0)))
    assert statistics.mean("error").tolist() == [2.0, 3.0, 3.0]


def test_a_world_that_falls_within_the_first_second_counts_with_its_whole_life():
    statistics = EpisodeStatistics(3, DT)
    statistics.add(*sample(error=(5.0, 1.0, 1.0)))
    statistics.add(*sample(fell=(0,)))
    statistics.add(*sample(error=(9.0, 2.0, 2.0)))
    assert statistics.mean("error").tolist() == [5.0, 2.0, 2.0]


def test_a_world_that_fell_at_once_has_no_mean():
    statistics = EpisodeStatistics(3, DT)
    statistics.add(*sample(fell=(0,)))
    assert statistics.mean("error")[0].isnan()


def test_running_out_of_time_is_no_fall():
    statistics = EpisodeStatistics(3, DT)
    statistics.add(*sample(over=(0, 1, 2)))
    assert not statistics.fell.any()
    assert not statistics.alive.any()


def test_a_fall_in_a_later_episode_is_no_fall():
    statistics = EpisodeStatistics(3, DT)
    statistics.add(*sample(over=(0,)))
    statistics.add(*sample(fell=(0,)))
    assert not statistics.fell[0]
    assert statistics.reward[0] == pytest.approx(1.0)
