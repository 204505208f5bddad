"""What this process may use of the machine."""

from __future__ import annotations

import os


def available_threads() -> int:
    """CPU threads that this process may use, by its affinity where the system has one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
