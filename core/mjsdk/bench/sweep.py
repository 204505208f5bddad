"""How many worlds, and how many steps of each per iteration, suit a machine.

The number of worlds goes up until more of them bring little or memory gets scarce. Numbers of steps are tried at the
number of worlds that is recommended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from mjsdk.bench.children import Failure
from mjsdk.bench.results import Result
from mjsdk.device import is_cuda

GAIN = 1.05
"""Factor of throughput that is worth twice as many worlds, or another number of steps."""
DISTURBED = 1.2
"""Factor between speeds of the same physics from which on the machine must have been busy with something else."""
FULL = 0.8
"""Part of the memory that may be in use: other programs, videos and evaluations need some as well."""


def sizes_for(device: str) -> list[int]:
    """Numbers of worlds to try on a device."""
    return [1024 << i for i in range(5)] if is_cuda(device) else [64 << i for i in range(6)]


@attrs.frozen(kw_only=True)
class Point:
    """A number of worlds that was tried."""

    num_envs: int
    throughput: float
    """Steps per second with learning."""
    used: int
    """Memory in use [bytes]."""
    total: int
    """All the memory there is [bytes]; 0 if nobody knows."""
    seconds: float
    """How long it took to find out [s]."""

    @property
    def fits(self) -> bool:
        """Whether it leaves enough memory."""
        return not self.total or self.used <= FULL * self.total


def why_stop(points: Sequence[Point], num_envs: int, seconds_left: float) -> str:
    """Why `num_envs` worlds are not tried after those that were, in one line; nothing if they should be."""
    last = points[-1]
    if not last.fits:
        return f"with {last.num_envs:,} worlds {last.used / last.total:.0%} of the memory are in use"
    if len(points) > 1 and last.throughput < GAIN * points[-2].throughput:
        gain = last.throughput / points[-2].throughput - 1
        return f"{last.num_envs:,} worlds change the throughput of {points[-2].num_envs:,} by {gain:+.0%}"
    needed = _predicted(points, num_envs)
    if last.total and needed > FULL * last.total:
        return f"{num_envs:,} worlds would have about {needed / last.total:.0%} of the memory in use"
    if last.seconds * num_envs / last.num_envs > seconds_left:
        return f"there is no time left to try {num_envs:,} worlds (--minutes gives more)"
    return ""


def _predicted(points: Sequence[Point], num_envs: int) -> float:
    """Memory in use with more worlds [bytes]: what it takes per world has been the same between the last two."""
    if len(points) < 2:
        return 0.0
    before, last = points[-2:]
    per_world = (last.used - before.used) / (last.num_envs - before.num_envs)
    return last.used + per_world * (num_envs - last.num_envs)


def choose(points: Sequence[Point]) -> Point | None:
    """The smallest number of worlds that is about as fast as any, of those that leave enough memory."""
    fitting = [point for point in points if point.fits]
    best = max((point.throughput for point in fitting), default=0.0)
    return next((point for point in fitting if point.throughput * GAIN >= best), None)


def choose_steps(throughputs: Mapping[int, float], own: int) -> int:
    """The number of steps per iteration: the task's `own`, unless another is much faster; then the smallest such."""
    best = max(throughputs.values())
    if throughputs[own] * GAIN >= best:
        return own
    return min(steps for steps, throughput in throughputs.items() if throughput * GAIN >= best)


@attrs.frozen(kw_only=True)
class Found:
    """What a sweep found."""

    results: list[Result]
    """In the order of trying."""
    stopped: str
    """Why no more worlds were tried."""
    recommended: Result | None
    """None if not even the fewest worlds leave enough memory."""
    reason: str

    def to_json(self) -> dict[str, object]:
        """Plain data."""
        return attrs.asdict(self)


Measure = Callable[[int, int], Result | Failure]
"""Gives what a training with so many worlds and so many steps per iteration reaches."""


def sweep(
    measure: Measure, sizes: Sequence[int], own_steps: int, seconds: float, on_result: Callable[[Result], None]
) -> Found | Failure:
    """Try numbers of worlds from the smallest on, for about so many seconds. A failure if the first of them fails."""
    end, points, results, stopped = time.monotonic() + seconds, list[Point](), list[Result](), "these were all"
    for num_envs in sizes:
        if points and (why := why_stop(points, num_envs, end - time.monotonic())):
            stopped = why
            break
        begun = time.monotonic()
        found = measure(num_envs, own_steps)
        if isinstance(found, Failure):
            if not (points and found.of_memory):
                return found
            stopped = f"there is not enough memory for {num_envs:,} worlds"
            break
        results.append(found)
        points.append(_point(found, time.monotonic() - begun))
        on_result(found)
    chosen = choose(points)
    if chosen is None:
        reason = f"not even {points[0].num_envs:,} worlds leave enough memory: try fewer with --sizes"
        return Found(results=results, stopped=stopped, recommended=None, reason=reason)
    own = next(result for result in results if result.num_envs == chosen.num_envs)
    others = list(_with_other_steps(measure, own, own_steps, end, chosen.seconds, on_result))
    return _recommend(results, own, others, stopped)


def _point(result: Result, seconds: float) -> Point:
    used, total = result.memory.used, result.memory.total
    return Point(num_envs=result.num_envs, throughput=result.throughput, used=used, total=total, seconds=seconds)


def _with_other_steps(
    measure: Measure, own: Result, own_steps: int, end: float, took: float, on_result: Callable[[Result], None]
) -> list[Result]:
    """Half and twice the number of steps per iteration, as far as time and memory allow."""
    found = []
    for steps in filter(None, (own_steps // 2, 2 * own_steps)):
        if time.monotonic() + took * max(1.0, steps / own_steps) > end:
            break
        result = measure(own.num_envs, steps)
        if isinstance(result, Result) and _point(result, 0.0).fits:
            found.append(result)
            on_result(result)
    return found


def _recommend(results: list[Result], own: Result, others: list[Result], stopped: str) -> Found:
    by_steps = {_steps(result): result for result in (own, *others)}
    throughputs = {steps: result.throughput for steps, result in by_steps.items()}
    physics = [result.physics_env_steps_per_s for result in (own, *others)]
    disturbed = max(physics) > DISTURBED * min(physics)
    recommended = own if disturbed else by_steps[choose_steps(throughputs, _steps(own))]
    reason = f"the fewest worlds within {GAIN - 1:.0%} of the best throughput"
    if others:
        compared = (
            f"{_steps(each)} steps per iteration {each.throughput / own.throughput - 1:+.0%}" for each in others
        )
        steps = "the task's own number of steps" if recommended is own else "another number of steps, which is faster"
        reason += f", with {steps} ({', '.join(compared)})"
    if disturbed:
        reason += (
            f". These numbers are rough: the same physics took {min(physics):,.0f} to {max(physics):,.0f} steps/s, so "
            "other programs were busy, too. Repeat it when they are not"
        )
    return Found(results=[*results, *others], stopped=stopped, recommended=recommended, reason=reason)


def _steps(result: Result) -> int:
    return result.learning.num_steps_per_env if result.learning else 0
