from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists, tuples

from mjsdk.errors import RunError
from mjsdk.plot.curves import (
    Source,
    cut_short,
    default_metrics,
    find_metrics,
    left_out,
    make_curves,
    over_episodes,
    title_of,
)


def rows(offset: float, count: int = 5, **more: object) -> list[dict[str, object]]:
    return [
        {"iteration": i, "time/total_s": 60.0 * i, "timesteps": 1_000_000 * i, "train/mean_reward": offset + i, **more}
        for i in range(count)
    ]


def test_a_single_run_gives_its_own_points_in_the_unit_of_the_axis():
    (curve,) = make_curves([Source("a", (rows(10.0),))], "train/mean_reward", "time")
    assert curve.x.tolist() == [0, 1, 2, 3, 4]
    assert curve.y.tolist() == [10, 11, 12, 13, 14]
    assert curve.low is None


def test_several_seeds_become_their_mean_in_a_band_from_the_lowest_to_the_highest():
    (curve,) = make_curves([Source("a", (rows(0.0), rows(2.0), rows(7.0)))], "train/mean_reward", "steps")
    np.testing.assert_allclose(curve.y, curve.x + 3.0)
    np.testing.assert_allclose(curve.low, curve.x)
    np.testing.assert_allclose(curve.high, curve.x + 7.0)
    assert curve.title == "a (mean of 3 seeds)"


def test_a_run_that_cuts_its_band_short_is_reported():
    source = Source("a", (rows(0.0, 11), rows(0.0, 4), []), ("long", "short", "empty"))
    assert cut_short([source], "iteration") == [
        "the band of a ends where short does (3 of 10, iteration); --no-band draws each run"
    ]
    assert not cut_short([Source("a", (rows(0.0, 11), rows(0.0, 11)), ("one", "two"))], "iteration")


def test_runs_that_lack_numbers_are_reported():
    sources = [
        Source("a", (rows(0.0, 3, **{"metrics/x": 1.0}), []), ("full", "empty")),
        Source("b", (rows(0.0, 1),), ("poor",)),
    ]
    assert left_out(sources, ("train/mean_reward", "metrics/x"), "steps") == [
        "empty has none of these numbers and is left out",
        "poor has no x and is left out there",
    ]
    assert not left_out(sources[1:], ("train/mean_reward",), "time")  # its only time is 0


def test_the_one_run_of_a_band_that_has_points_is_called_by_its_name():
    (curve,) = make_curves([Source("a", ([], rows(0.0)), ("empty", "full"))], "train/mean_reward", "time")
    assert curve.title == "full"


@given(lists(tuples(floats(-5, 5), integers(1, 300)), min_size=1, max_size=40))
def test_means_over_episodes_weigh_each_of_the_last_hundred_alike(iterations):
    values, counts = (np.array(column, dtype=float) for column in zip(*iterations, strict=True))
    for i, mean in enumerate(over_episodes(values, counts)):
        first = i
        while first > 0 and counts[first : i + 1].sum() < 100:
            first -= 1
        expected = np.average(values[first : i + 1], weights=counts[first : i + 1])
        assert mean == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("huge", [10**400, 1e300, float("inf"), float("nan"), True])
def test_what_is_no_measurement_is_left_out(huge):
    lines = rows(0.0)
    lines[2]["train/mean_reward"] = huge
    lines[3]["timesteps"] = huge
    lines[4]["train/episodes"] = huge
    (curve,) = make_curves([Source("a", (lines,))], "train/mean_reward", "steps")
    assert curve.x.tolist() == [0, 1, 4]


def test_one_number_that_is_far_too_large_spoils_only_its_own_window():
    values, counts = np.array([1.0, 1e30, 2.0, 3.0]), np.full(4, 100.0)
    np.testing.assert_allclose(over_episodes(values, counts), values)


def test_falls_of_two_episodes_are_no_peak_in_a_curve():
    falls = [(0.0, 90.0), (1.0, 2.0), (0.0, 98.0)]
    data = [
        {"iteration": i, "metrics/fall_rate": rate, "train/episodes": count} for i, (rate, count) in enumerate(falls)
    ]
    (curve,) = make_curves([Source("a", (data,))], "metrics/fall_rate", "iteration")
    np.testing.assert_allclose(curve.y, [0.0, 2 / 92, 0.02])


def test_a_band_covers_only_what_all_runs_have():
    (curve,) = make_curves([Source("a", (rows(0.0, 5), rows(0.0, 3)))], "train/mean_reward", "iteration")
    assert curve.x[-1] == 2


def test_rows_without_the_metric_and_infinite_values_are_left_out():
    data = [
        {"iteration": 0},
        {"iteration": 1, "m": float("nan")},
        {"iteration": 2, "m": 3.0},
        {"iteration": 3, "m": None},
        {"iteration": 4, "m": 1e308},
    ]
    (curve,) = make_curves([Source("a", (data,))], "m", "iteration")
    assert curve.x.tolist() == [2]


def test_reward_episode_length_and_the_tasks_metrics_are_drawn_by_default():
    data = rows(0.0, **{"train/mean_episode_length_s": 1.0, "metrics/lin_vel_error": 0.5, "loss/value": 2.0})
    wanted = ("train/mean_reward", "train/mean_episode_length_s", "metrics/lin_vel_error")
    assert default_metrics([Source("a", (data,))]) == wanted


def test_an_unknown_metric_names_the_nearest_and_all_there_are():
    with pytest.raises(RunError, match=r"'train/mean_rewrad', did you mean 'train/mean_reward'\?.*time/total_s"):
        find_metrics([Source("a", (rows(0.0),))], ["train/mean_rewrad"])


def test_a_short_or_bare_name_is_enough():
    source = Source("a", (rows(0.0, **{"metrics/lin_vel_error": 0.5}),))
    assert find_metrics([source], ["lin_vel_error", "reward"]) == ("metrics/lin_vel_error", "train/mean_reward")
    with pytest.raises(RunError, match="no metric 'rewrd', did you mean 'reward'"):
        find_metrics([source], ["rewrd"])


def test_all_unknown_metrics_are_reported_at_once():
    with pytest.raises(RunError, match=r"no metric 'moon'; no metric 'sun'\. In these runs: reward"):
        find_metrics([Source("a", (rows(0.0),))], ["moon", "train/mean_reward", "sun"])


def test_short_names_stand_for_one_metric_or_for_all_of_the_task():
    data = rows(0.0, **{"metrics/a": 1.0, "metrics/b": 1.0})
    assert find_metrics([Source("a", (data,))], ["metrics", "reward"]) == (
        "metrics/a",
        "metrics/b",
        "train/mean_reward",
    )


def test_titles_are_words_with_units():
    names = ("train/mean_reward", "train/mean_episode_length_s", "metrics/lin_vel_error", "loss/value")
    wanted = ["mean reward", "episode length [s]", "lin_vel_error [m/s]", "loss/value"]
    assert [title_of(name) for name in names] == wanted


def test_an_unknown_axis_lists_the_legal_ones():
    with pytest.raises(RunError, match=r"'tme', did you mean 'time'.*Legal: time, steps, iteration"):
        make_curves([], "x", "tme")


def test_runs_without_the_metric_have_no_curve():
    assert make_curves([Source("a", (rows(0.0),)), Source("b", ([],))], "absent", "time") == []
