from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.evaluate.statistics import binomial_cdf, clopper_pearson, mean

PROBABILITIES = st.floats(0.001, 0.999)


def brute_force_cdf(successes: int, trials: int, p: float) -> float:
    return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes + 1))


@given(st.integers(0, 40), st.integers(1, 40), PROBABILITIES)
def test_the_distribution_agrees_with_counting_every_outcome(successes, trials, p):
    expected = brute_force_cdf(min(successes, trials), trials, p)
    assert binomial_cdf(successes, trials, p) == pytest.approx(expected, abs=1e-9)


@given(st.integers(1, 30), st.data())
def test_at_the_bounds_the_tails_have_half_of_what_is_left(trials, data):
    successes = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(successes, trials, 0.9)
    assert low <= successes / trials <= high
    if successes > 0:
        assert 1 - brute_force_cdf(successes - 1, trials, low) == pytest.approx(0.05, abs=1e-6)
    if successes < trials:
        assert brute_force_cdf(successes, trials, high) == pytest.approx(0.05, abs=1e-6)


@given(st.integers(1, 12), PROBABILITIES)
def test_whatever_the_true_share_the_interval_holds_it_often_enough(trials, p):
    covered = 0.0
    for successes in range(trials + 1):
        low, high = clopper_pearson(successes, trials, 0.95)
        if low <= p <= high:
            covered += math.comb(trials, successes) * p**successes * (1 - p) ** (trials - successes)
    assert covered >= 0.95 - 1e-9


@given(st.integers(0, 50), st.integers(0, 50))
def test_failures_mirror_successes(successes, failures):
    low, high = clopper_pearson(successes, successes + failures)
    mirrored = clopper_pearson(failures, successes + failures)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)


def test_known_intervals_come_out():
    assert clopper_pearson(0, 64)[1] == pytest.approx(0.0560, abs=1e-4)  # 1 - 0.025 ** (1 / 64)
    assert clopper_pearson(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_thousands_of_trials_are_exact_too():
    low, high = clopper_pearson(4050, 4096)
    assert low < 4050 / 4096 < high
    assert high - low < 0.01


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="5 of 4"):
        clopper_pearson(5, 4)


def test_the_mean_leaves_out_what_was_not_measured():
    assert mean([1.0, float("nan"), 3.0]) == 2.0
    assert mean([float("nan")]) is None
