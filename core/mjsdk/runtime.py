"""What this process may use of the machine, and what makes many steps in a row run evenly."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def available_threads(root: Path = Path("/")) -> int:
    """CPU threads that this process may use: by its affinity, and by the quotas of the containers that it runs in.

    A quota of 2.5 CPUs gives two threads: with three, all would wait until the quota of the next period begins.

    Args:
        root: Where `proc` and `sys` are.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([count, *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """CPUs that the control groups around this process grant it; a group cannot use more than those that hold it."""
    mounts = root / "sys/fs/cgroup"
    for line in _words(root / "proc/self/cgroup", "\n"):
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers:  # version 2, alone or beside version 1
            for mount in (mounts, mounts / "unified"):
                yield from _walk(mount, path, "cpu.max")
        elif "cpu" in controllers.split(","):
            for mount in {mounts / controllers, mounts / "cpu"}:
                yield from _walk(mount, path, "cpu.cfs_quota_us", "cpu.cfs_period_us")


def _walk(mount: Path, path: str, *names: str) -> Iterator[float]:
    """Quota over period in a group and all above it; a container may see itself as the top."""
    group = mount / path.strip("/")
    for folder in (group, *group.parents):
        numbers = [word for name in names for word in _words(folder / name)]
        if len(numbers) == 2 and all(word.isdecimal() and int(word) for word in numbers):
            yield int(numbers[0]) / int(numbers[1])
        if folder == mount:
            return


def _words(path: Path, separator: str | None = None) -> list[str]:
    """What a file holds; nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().split(separator)
    except OSError:
        return []


_MOST_THREADS = 8
"""More threads than this do not speed up networks of the usual size."""


def network_threads(device: str) -> int:
    """Threads of torch for each of the two networks, which are trained at the same time."""
    return max(1, min(available_threads(), _MOST_THREADS) // 2) if device == "cpu" else 1


@contextmanager
def training_runtime(device: str) -> Iterator[None]:
    """Set torch threads and freeze the garbage collector for the loop of a training.

    The small operations of a step cost more on two threads than on one. The collector would scan again and again the
    hundred thousand objects that imports have made.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(network_threads(device))
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
