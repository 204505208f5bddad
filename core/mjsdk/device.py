"""What a device is asked beside its tensors: to finish, the time, its memory, its name. On a GPU work is queued, so a
clock of the CPU would only tell how long it takes to queue it.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import attrs
import torch

_MOST_SPANS = 1000
"""How many spans of time are kept before they are added up, should nobody ask."""


def is_cuda(device: str) -> bool:
    """Whether a device is a GPU."""
    return device.startswith("cuda")


def wait(device: str) -> None:
    """Let everything that was queued finish, of torch and of Warp."""
    if is_cuda(device):
        torch.cuda.synchronize(device)


class Moments:
    """Moments in the queue of a device. Noting one does not wait; asking for the time between two does."""

    def __init__(self, device: str) -> None:
        self._device = device

    def now(self) -> Any:
        """Now. On a GPU: when all that was queued is done, by Warp too, whose stream keeps in order with torch's."""
        if not is_cuda(self._device):
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def seconds(self, begin: Any, end: Any) -> float:
        """Time between two moments [s]."""
        if not is_cuda(self._device):
            return float(end - begin)
        end.synchronize()
        return 1e-3 * float(begin.elapsed_time(end))


class Stopwatch:
    """Adds up the time spent in `with stopwatch:`, which is read from the device when somebody asks."""

    def __init__(self, device: str) -> None:
        self._moments = Moments(device)
        self._begun: Any = None
        self._spans: list[tuple[Any, Any]] = []
        self._seconds = 0.0

    def __enter__(self) -> None:
        self._begun = self._moments.now()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._spans.append((self._begun, self._moments.now()))
        if len(self._spans) > _MOST_SPANS:
            self._add_up()

    @property
    def seconds(self) -> float:
        """Time so far [s]. On a GPU this waits for it."""
        self._add_up()
        return self._seconds

    def _add_up(self) -> None:
        self._seconds += sum(self._moments.seconds(*span) for span in self._spans)
        self._spans.clear()


@attrs.frozen(kw_only=True)
class Memory:
    """Memory of a device [bytes]."""

    own: int
    """On a CPU what this process has in memory; on a GPU what torch has taken at most, without Warp."""
    used: int
    """In use by all programs, Warp's share of this one included."""
    total: int
    """All there is for this process; 0 where nobody tells."""

    @property
    def share(self) -> float:
        """Part that is in use, from 0 to 1."""
        return self.used / self.total if self.total else 0.0


def memory(device: str) -> Memory:
    """Memory of a device now."""
    if is_cuda(device):
        free, total = torch.cuda.mem_get_info(device)
        return Memory(own=torch.cuda.max_memory_reserved(device), used=total - free, total=total)
    return _memory_of_cpu(Path("/"))


def name(device: str) -> str:
    """What the device is called by who made it."""
    if is_cuda(device):
        return torch.cuda.get_device_name(device)
    models = (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _memory_of_cpu(root: Path) -> Memory:
    own = _kilobytes(root / "proc/self/status").get("VmRSS", 0) or _most_resident()
    machine = _kilobytes(root / "proc/meminfo")
    total = machine.get("MemTotal", 0) or _all_pages()
    limit = min([total, *_limits(root)])
    used = own if limit < total or "MemAvailable" not in machine else total - machine["MemAvailable"]
    return Memory(own=own, used=max(own, used), total=limit)


def _kilobytes(path: Path) -> dict[str, int]:
    """What a file of Linux says in lines such as `MemTotal: 16 kB` [bytes]."""
    words = [line.replace(":", " ").split() for line in _lines(path)]
    return {line[0]: 1024 * int(line[1]) for line in words if len(line) == 3 and line[1].isdecimal()}


def _limits(root: Path) -> Iterator[int]:
    """What a container may use at most [bytes], by either version of control groups."""
    for path in ("memory.max", "memory/memory.limit_in_bytes"):
        yield from (int(line) for line in _lines(root / "sys/fs/cgroup" / path) if line.isdecimal())


def _most_resident() -> int:
    """The most that this process had in memory [bytes], where nobody tells what it has now."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else 1024 * most


def _all_pages() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _lines(path: Path) -> list[str]:
    """What a file holds; nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
