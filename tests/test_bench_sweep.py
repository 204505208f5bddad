"""How a sweep goes up, when it ends, and what it recommends."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.bench import Learning, Result
from mjsdk.bench.children import Failure, bench_apart, failure_of
from mjsdk.bench.sweep import FULL, GAIN, Found, Point, choose, choose_steps, sizes_for, sweep, why_stop
from mjsdk.device import Memory

GB = 10**9
LONG = 1e9
"""More time than any sweep takes [s]."""
speeds = st.floats(1.0, 1e7)


@st.composite
def tried(draw):
    """Numbers of worlds that were tried, with any speeds and memory."""
    count, total = draw(st.integers(1, 6)), draw(st.sampled_from([0, 8 * GB]))
    used = sorted(draw(st.lists(st.integers(0, 8 * GB), min_size=count, max_size=count)))
    return [
        Point(num_envs=64 << i, throughput=draw(speeds), used=used[i], total=total, seconds=1.0) for i in range(count)
    ]


def point(num_envs, throughput, used=GB, total=10 * GB, seconds=1.0):
    return Point(num_envs=num_envs, throughput=throughput, used=used, total=total, seconds=seconds)


@given(tried())
def test_what_is_recommended_fits_is_about_as_fast_as_any_and_has_the_fewest_worlds(points):
    fitting = [each for each in points if each.fits]
    chosen = choose(points)
    assert (chosen is None) == (not fitting)
    if chosen is not None:
        assert chosen in fitting
        assert all(chosen.throughput * GAIN >= each.throughput for each in fitting)
        fewer = [each for each in fitting if each.num_envs < chosen.num_envs]
        best = max(each.throughput for each in fitting)
        assert all(each.throughput * GAIN < best for each in fewer)


@given(st.dictionaries(st.integers(1, 96), speeds, min_size=1), st.data())
def test_the_tasks_own_steps_stay_unless_others_are_much_faster(throughputs, data):
    own = data.draw(st.sampled_from(sorted(throughputs)))
    chosen = choose_steps(throughputs, own)
    assert throughputs[chosen] * GAIN >= max(throughputs.values())
    assert chosen == own or throughputs[chosen] > throughputs[own]


def test_more_worlds_are_tried_as_long_as_they_pay():
    points = [point(64, 1000.0), point(128, 1051.0)]
    assert why_stop(points, 256, LONG) == ""
    points = [point(64, 1000.0), point(128, 1049.0)]
    assert why_stop(points, 256, LONG) == "128 worlds change the throughput of 64 by +5%"
    points = [point(64, 1000.0), point(128, 800.0)]
    assert why_stop(points, 256, LONG) == "128 worlds change the throughput of 64 by -20%"


def test_a_sweep_ends_where_memory_is_scarce_or_would_be():
    full = [point(64, 1.0, used=85 * GB // 10)]
    assert why_stop(full, 128, LONG) == "with 64 worlds 85% of the memory are in use"
    growing = [point(64, 1.0, used=2 * GB), point(128, 2.0, used=4 * GB)]
    assert why_stop(growing, 256, LONG) == ""
    assert why_stop(growing, 512, LONG) == "512 worlds would have about 160% of the memory in use"
    unknown = [attrs.evolve(each, total=0) for each in growing]
    assert why_stop(unknown, 512, LONG) == ""


def test_a_sweep_ends_when_the_next_would_take_longer_than_is_left():
    points = [point(64, 1.0, seconds=10.0)]
    assert why_stop(points, 128, 20.0) == ""
    assert why_stop(points, 128, 19.0) == "there is no time left to try 128 worlds (--minutes gives more)"


def result(num_envs, steps, speed, share=0.1, physics=3000.0):
    learning = Learning(
        env_steps_per_s=speed, iteration_s=1.0, physics_s=0.5, environment_s=0.2, learning_s=0.3, iterations=1,
        num_steps_per_env=steps,
    )  # fmt: skip
    return Result(
        env_steps_per_s=2 * speed, physics_env_steps_per_s=physics, overhead=1.5, num_envs=num_envs, threads=1,
        physics="cpu", blocks=[1.5], device="cpu", device_name="a", settings={}, learning=learning,
        memory=Memory(own=0, used=int(share * GB), total=GB),
    )  # fmt: skip


def machine(fastest, largest=10**9, of_steps=None):
    """Stands for a machine whose speed grows up to a number of worlds, and whose memory ends at another."""

    def measure(num_envs, steps):
        if num_envs > largest:
            return Failure("there is not enough memory", of_memory=True)
        return result(num_envs, steps, min(num_envs, fastest) * (of_steps or {}).get(steps, 1.0))

    return measure


def tried_by(measure, sizes=(64, 128, 256, 512)):
    seen = []
    found = sweep(measure, sizes, 24, LONG, seen.append)
    return found, [(each.num_envs, each.learning.num_steps_per_env) for each in seen]


def test_a_sweep_recommends_the_fewest_worlds_that_are_about_as_fast_as_any():
    found, tried = tried_by(machine(fastest=128))
    assert tried == [(64, 24), (128, 24), (256, 24), (128, 12), (128, 48)]
    assert (found.recommended.num_envs, found.recommended.learning.num_steps_per_env) == (128, 24)
    assert found.stopped == "256 worlds change the throughput of 128 by +0%"
    assert found.reason == (
        "the fewest worlds within 5% of the best throughput, with the task's own number of steps "
        "(12 steps per iteration +0%, 48 steps per iteration +0%)"
    )


def test_a_sweep_recommends_other_numbers_of_steps_where_they_are_faster():
    found, _ = tried_by(machine(fastest=10**9, of_steps={48: 1.5}), sizes=(64,))
    assert found.recommended.learning.num_steps_per_env == 48
    assert "another number of steps, which is faster (12 steps per iteration +0%, 48" in found.reason
    assert found.stopped == "these were all"


def test_on_a_busy_machine_the_tasks_own_steps_stay_and_the_reader_is_warned():
    def measure(num_envs, steps):
        slow = result(num_envs, steps, 100.0 * steps)
        return attrs.evolve(slow, physics_env_steps_per_s=1000.0 + 20.0 * steps)

    found, _ = tried_by(measure, sizes=(64,))
    assert found.recommended.learning.num_steps_per_env == 24
    assert found.reason.endswith(
        "These numbers are rough: the same physics took 1,240 to 1,960 steps/s, so other programs were busy, too. "
        "Repeat it when they are not"
    )


def test_where_memory_ends_a_sweep_ends_and_recommends_what_went_before():
    found, tried = tried_by(machine(fastest=10**9, largest=128))
    assert found.stopped == "there is not enough memory for 256 worlds"
    assert found.recommended.num_envs == 128
    assert (256, 24) not in tried


def test_what_fails_at_once_or_for_another_reason_is_a_failure():
    assert tried_by(machine(1, largest=1))[0] == Failure("there is not enough memory", of_memory=True)
    broken = Failure("the solver is unknown", of_memory=False)
    found, _ = tried_by(lambda num_envs, steps: broken if num_envs > 64 else result(num_envs, steps, 1.0))
    assert found is broken


def test_nothing_is_recommended_where_the_fewest_worlds_fill_the_memory():
    found, tried = tried_by(lambda num_envs, steps: result(num_envs, steps, 1.0, share=FULL + 0.1))
    assert tried == [(64, 24)]
    assert found.recommended is None
    assert found.reason == "not even 64 worlds leave enough memory: try fewer with --sizes"
    assert isinstance(found, Found)
    assert found.to_json()["recommended"] is None


@pytest.mark.parametrize(("device", "first", "last"), [("cpu", 64, 2048), ("cuda:1", 1024, 16384)])
def test_sizes_are_powers_of_two_that_suit_the_device(device, first, last):
    sizes = sizes_for(device)
    assert (sizes[0], sizes[-1]) == (first, last)
    assert all(after == 2 * before for before, after in itertools.pairwise(sizes))


def test_results_come_back_from_json_as_they_were():
    one = result(64, 24, 10.0)
    assert Result.from_json(one.to_json()) == one
    without = attrs.evolve(one, learning=None)
    assert Result.from_json(without.to_json()) == without
    assert (one.throughput, without.throughput) == (10.0, 20.0)


def test_what_goes_wrong_in_another_process_comes_back_as_one_line():
    lines = []
    failure = bench_apart(["--robot", "nobody", "--task", "velocity"], lines.append)
    assert isinstance(failure, Failure)
    assert failure.message.startswith("no robot 'nobody'")
    assert not failure.of_memory
    assert not any("error" in line for line in lines)


@pytest.mark.parametrize(
    ("code", "said", "message"),
    [
        (2, ["note: a", "error: there is not enough memory (CUDA). Where", "worlds"], "there is not enough memory (CU"),
        (-9, [], "the process was killed, as happens where memory is full"),
        (1, ["Traceback", "RuntimeError: Failed to allocate 8 bytes on device 'cuda:0'", ""], "RuntimeError: Failed"),
    ],
)
def test_a_process_that_ran_out_of_memory_is_recognised(code, said, message):
    failure = failure_of(code, said)
    assert failure.message.startswith(message)
    assert failure.of_memory


def test_other_failures_are_not_for_want_of_memory():
    assert failure_of(1, ["ValueError: no"]) == Failure("ValueError: no", of_memory=False)
    assert failure_of(-11, []) == Failure("the process ended with code -11", of_memory=False)
