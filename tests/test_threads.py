"""A process uses the CPUs that it is given, not those that the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mjsdk.runtime import available_threads


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes files below a root, on a machine with 64 CPUs."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)

    def make(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/cpu,cpuacct"


def test_without_control_groups_the_affinity_counts(machine, monkeypatch):
    assert available_threads(machine()) == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5}, raising=False)
    assert available_threads(machine()) == 2


@pytest.mark.parametrize(
    ("quota", "threads"),
    [("400000 100000", 4), ("250000 100000", 2), ("50000 100000", 1), ("max 100000", 64), ("9900000 100000", 64)],
)
def test_a_quota_limits_the_threads_to_whole_cpus_and_leaves_one(machine, quota, threads):
    root = machine(**{"proc/self/cgroup": "0::/\n", f"{V2}/cpu.max": f"{quota}\n"})
    assert available_threads(root) == threads


def test_the_smallest_quota_of_all_groups_around_the_process_counts(machine):
    root = machine(
        **{
            "proc/self/cgroup": "0::/user.slice/job:7.scope/step\n",
            f"{V2}/user.slice/cpu.max": "300000 100000",
            f"{V2}/user.slice/job:7.scope/cpu.max": "max 100000",
            f"{V2}/user.slice/job:7.scope/step/cpu.max": "800000 100000",
            f"{V2}/other/cpu.max": "100000 100000",
        }
    )
    assert available_threads(root) == 3


def test_the_older_files_of_a_container_are_read_under_its_own_top(machine):
    """The group's name is that on the host, the files are those of the container."""
    lines = "12:pids:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n"
    root = machine(
        **{"proc/self/cgroup": lines, f"{V1}/cpu.cfs_quota_us": "600000\n", f"{V1}/cpu.cfs_period_us": "100000\n"}
    )
    assert available_threads(root) == 6


@pytest.mark.parametrize("quota", ["-1", "", "a lot", "0"])
def test_no_quota_in_the_older_files_is_no_limit(machine, quota):
    root = machine(
        **{
            "proc/self/cgroup": "4:cpu:/\n",
            f"{V2}/cpu/cpu.cfs_quota_us": quota,
            f"{V2}/cpu/cpu.cfs_period_us": "100000",
        }
    )
    assert available_threads(root) == 64


def test_a_list_of_groups_that_makes_no_sense_is_no_limit(machine):
    assert available_threads(machine(**{"proc/self/cgroup": "nonsense\n\n::\n"})) == 64
