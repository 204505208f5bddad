from __future__ import annotations

import time

import pytest
import torch

from mjsdk import device
from mjsdk.device import Memory, Stopwatch


def machine(root, **files):
    for path, text in files.items():
        file = root / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return device._memory_of_cpu(root)


LINUX = {
    "proc__self__status": "Name:\tpython\nVmRSS:\t  2048 kB\n",
    "proc__meminfo": "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:   12288 kB\n",
}


def test_on_a_cpu_memory_is_that_of_this_process_and_of_the_machine(tmp_path):
    kb = 1024
    assert machine(tmp_path, **LINUX) == Memory(own=2048 * kb, used=4096 * kb, total=16384 * kb)
    assert machine(tmp_path, **LINUX).share == 0.25


@pytest.mark.parametrize("file", ["memory.max", "memory__memory.limit_in_bytes"])
def test_a_container_may_have_less(tmp_path, file):
    found = machine(tmp_path, **LINUX, **{f"sys__fs__cgroup__{file}": f"{4096 * 1024}\n"})
    assert (found.own, found.used, found.total) == (2048 * 1024, 2048 * 1024, 4096 * 1024)


def test_a_container_without_a_limit_has_all(tmp_path):
    assert machine(tmp_path, **LINUX, **{"sys__fs__cgroup__memory.max": "max\n"}).total == 16384 * 1024


def test_where_linux_tells_nothing_the_process_alone_counts(tmp_path):
    found = machine(tmp_path)
    assert 0 < found.own == found.used < found.total
    assert Memory(own=1, used=1, total=0).share == 0.0


def test_memory_that_is_taken_is_seen():
    before = device.memory("cpu").own
    block = torch.ones(50_000_000)
    assert device.memory("cpu").own - before > 0.9 * 4 * block.numel()


def test_moments_on_a_cpu_are_those_of_its_clock():
    moments = device.Moments("cpu")
    begin = moments.now()
    time.sleep(0.01)
    assert 0.01 <= moments.seconds(begin, moments.now()) < 1.0
    device.wait("cpu")


def test_a_stopwatch_adds_up_and_keeps_no_more_than_it_must():
    stopwatch = Stopwatch("cpu")
    for _ in range(2500):
        with stopwatch:
            pass
    assert len(stopwatch._spans) < 1001
    before = stopwatch.seconds
    with stopwatch:
        time.sleep(0.01)
    assert stopwatch.seconds - before >= 0.01
    assert stopwatch.seconds == stopwatch.seconds
