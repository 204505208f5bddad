"""Exact intervals for shares, and means that ignore what was not measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

_BISECTIONS = 60  # halves the interval [0, 1] to below the precision of a float


def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """Probability of at most `successes` in `trials` that each succeed with `probability`."""
    if probability <= 0.0 or successes >= trials:
        return 1.0
    if probability >= 1.0 or successes < 0:
        return 0.0
    log_p, log_q = math.log(probability), math.log1p(-probability)
    whole = math.lgamma(trials + 1)
    terms = (
        whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q
        for k in range(successes + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact confidence interval of a share: whatever the true share, it is in the interval at least that often.

    Clopper and Pearson (1934): the bounds are the shares at which as many successes or more (the lower one), as many or
    fewer (the upper one), have a probability of (1 - confidence) / 2. Without trials it is (0, 1).
    """
    if not 0 <= successes <= trials or not 0.0 < confidence < 1.0:
        raise ValueError(f"{successes} of {trials} at confidence {confidence}: that is no share")
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if successes == 0 else _bisect(lambda p: 1.0 - binomial_cdf(successes - 1, trials, p) < tail)
    high = 1.0 if successes == trials else _bisect(lambda p: binomial_cdf(successes, trials, p) > tail)
    return low, high


def _bisect(below: Callable[[float], bool]) -> float:
    """Where `below` turns from true to false between 0 and 1."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if below(middle) else (low, middle)
    return 0.5 * (low + high)


def mean(values: Iterable[float]) -> float | None:
    """Mean of the finite values; none if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None
