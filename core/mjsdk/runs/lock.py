"""One process at a time trains in a run folder, and says who it is."""

from __future__ import annotations

import json
import logging
import os
import platform
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mjsdk.errors import BrokenRun, RunInUse
from mjsdk.files import write_atomically
from mjsdk.runs.files import read_mapping
from mjsdk.runs.run import Run

_LOCK, _HOLDER = ".lock", ".holder.json"
"""The system forgets a lock when its process dies. Some systems let no one else read a locked file: hence two."""
_LONGEST = 100
"""Characters of what a holder says of itself in a message."""
_log = logging.getLogger(__name__)


class RunLock:
    """Keeps other processes from training in a run folder, also after the folder was renamed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = FileLock(run.path / _LOCK, timeout=0)

    def acquire(self) -> RunLock:
        """Take the lock. Raises `RunInUse`; continues with a warning where the file system has no locks."""
        path = self._run.path
        try:
            self._lock.acquire()
            while not (path / _LOCK).exists():  # the holder before removed it after we had opened it
                self._lock.release()
                self._lock.acquire()
        except Timeout:
            raise RunInUse(
                f"run {path} is being trained {_holder(path)}. Wait until that ends, or stop it; then resume."
            ) from None
        except (OSError, NotImplementedError) as error:
            _log.warning("%s cannot be locked (%s): see to it that nothing else trains there", path, error)
        command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        ourselves = {"pid": str(os.getpid()), "host": platform.node(), "since": since, "command": command}
        write_atomically(path / _HOLDER, json.dumps(ourselves).encode())
        return self

    def release(self) -> None:
        """Let others train there."""
        for name in (_HOLDER, _LOCK):
            with suppress(OSError):
                (self._run.path / name).unlink(missing_ok=True)
        self._lock.release()


def _holder(path: Path) -> str:
    try:
        found = read_mapping(path / _HOLDER, json.loads)
    except BrokenRun:
        return "by another process"
    pid, host, since, command = (str(found.get(key, "?"))[:_LONGEST] for key in ("pid", "host", "since", "command"))
    return f"by process {pid} on {host} since {since} ({command})"
