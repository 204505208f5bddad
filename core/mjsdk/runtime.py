"""What this process may use of the machine, and what makes many steps in a row run evenly."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mjsdk.errors import ConfigError, Mistake, refuse, shortened

_RANK, _LOCAL_SIZE = ("RANK", "WORLD_SIZE", "LOCAL_RANK"), "LOCAL_WORLD_SIZE"
_ADDRESS = ("MASTER_ADDR", "MASTER_PORT")
_LAST_PORT = 65535
_GPUS = "CUDA_VISIBLE_DEVICES"
_NUMBER = re.compile("[0-9]{1,6}")
_HINT = (
    "torchrun sets these variables: start with `torchrun --nproc-per-node N -m mjsdk train ...`. Unset them to train "
    "in this process alone."
)


class Place(NamedTuple):
    """Which of the processes of one training this one is."""

    rank: int
    """Its number, from 0."""
    size: int
    """How many there are, on all machines."""
    local_rank: int
    """Its number among those on this machine."""
    local_size: int
    """How many these are."""


def place(environment: Mapping[str, str] = os.environ) -> Place | None:
    """What torchrun says of this process; None if it trains alone. Raises `ConfigError` for what makes no sense."""
    given = {name: environment[name] for name in (*_RANK, _LOCAL_SIZE) if name in environment}
    if not given.keys() & {*_RANK}:
        return None
    wrong = [Mistake(name, f"is not set, but {next(iter(given))} is") for name in _RANK if name not in given]
    for name, text in given.items():
        if not _NUMBER.fullmatch(text):
            wrong.append(Mistake(name, f"'{shortened(text)}' is not a whole number from 0"))
    refuse(wrong, _HINT)
    rank, size, local_rank = (int(given[name]) for name in _RANK)
    found = Place(rank, size, local_rank, int(given.get(_LOCAL_SIZE, size)))
    refuse(list(_misplaced(found, environment)), _HINT)
    return found if size > 1 else None


def _misplaced(found: Place, environment: Mapping[str, str]) -> Iterator[Mistake]:
    if found.rank >= found.size:
        yield Mistake("RANK", f"{found.rank} must be below WORLD_SIZE, {found.size}")
    if found.local_rank >= found.local_size:
        yield Mistake("LOCAL_RANK", f"{found.local_rank} must be below {_LOCAL_SIZE}, {found.local_size}")
    if found.local_size > found.size:
        yield Mistake(_LOCAL_SIZE, f"{found.local_size} must be at most WORLD_SIZE, {found.size}")
    if found.size > 1:
        yield from (Mistake(name, "is not set, but RANK is") for name in _ADDRESS if not environment.get(name))
        port = environment.get("MASTER_PORT") or "1"
        if not (_NUMBER.fullmatch(port) and 0 < int(port) <= _LAST_PORT):
            yield Mistake("MASTER_PORT", f"'{shortened(port)}' is not a port: a whole number from 1 to {_LAST_PORT}")


def take_own_gpu(here: Place, device: str) -> None:
    """Let this process see only the GPU of its number on this machine, before anything looks for GPUs.

    Libraries that start on all GPUs they see would fill each with all processes. Raises `ConfigError` for a list of
    visible GPUs that is too short.
    """
    if device == "cpu":
        return
    if re.fullmatch(r"cuda:0*[1-9]\d*", device):
        wrong = f"{device} is one GPU for all processes, and each takes its own: give cuda, and choose by {_GPUS}"
        raise ConfigError([Mistake("--device", wrong)])
    listed = os.environ.get(_GPUS)
    gpus = [str(i) for i in range(here.local_size)] if listed is None else [name for name in listed.split(",") if name]
    if 0 < len(gpus) < here.local_size or (not gpus and device != "auto"):
        few = f"{_GPUS}={listed} lists {len(gpus)} for {here.local_size} processes on this machine, each of which "
        raise ConfigError([Mistake("--device", f"{few}needs its own. Start fewer, or give --device cpu")])
    if gpus:
        os.environ[_GPUS] = gpus[here.local_rank].strip()


def available_threads(root: Path = Path("/")) -> int:
    """CPU threads that this process may use: by its affinity, and by the quotas of the containers that it runs in.

    A quota of 2.5 CPUs gives two threads: with three, all would wait until the quota of the next period begins. The
    processes that torchrun has started on this machine share them.

    Args:
        root: Where `proc` and `sys` are.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    others = os.environ.get(_LOCAL_SIZE, "") if _RANK[0] in os.environ else ""
    sharing = int(others) if _NUMBER.fullmatch(others) else 1
    return max(1, int(min([count, *_quotas(root)])) // max(1, sharing))


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
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
