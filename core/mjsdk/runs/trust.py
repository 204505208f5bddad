"""Which code a run may bring: what this user trained with here, or has looked at. Other people's data stays data.

Known code is a file in a folder of the user, named by the hash of the source. So a run may be moved, and code that was
changed since, or that someone else put there, is unknown.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mjsdk.errors import StorageError, UntrustedCode, listing
from mjsdk.files import write_atomically

STATE = "MJSDK_STATE_DIR"
"""Environment variable: the folder in which mjsdk keeps what it knows about this user."""

_here: set[str] = set()
"""Hashes that this process was given: enough where the folder cannot be written."""
_log = logging.getLogger(__name__)


def remember(path: Path, source: bytes) -> None:
    """Take code for known from now on. Where that cannot be written down it holds for this process, with a warning."""
    digest = hashlib.sha256(source).hexdigest()
    _here.add(digest)
    try:
        file = _folder() / digest
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, f"{path}\n".encode(errors="replace"))
    except (OSError, RuntimeError, StorageError) as error:
        _log.warning(
            "cannot write down that %s is your own code: other commands will ask for --trust-code (%s)", path, error
        )


def require_known(run: str, sources: Mapping[str, bytes]) -> None:
    """Raise `UntrustedCode` unless all sources, by path, are known. Runs none of them."""
    unknown = []
    for path, source in sources.items():
        digest = hashlib.sha256(source).hexdigest()
        with suppress(OSError, RuntimeError):  # what cannot be looked up is unknown
            if digest in _here or (_folder() / digest).is_file():
                continue
        unknown.append(path)
    if unknown:
        raise UntrustedCode(
            f"run {run} brings or names code that was not used in a training here, or has changed since: "
            f"{listing(unknown)}. It is not run unasked. Read it; if you trust it, give --trust-code "
            "(in Python: load_run(..., trust_code=True)) once, until it changes."
        )


def _folder() -> Path:
    """Raises `RuntimeError` for a user without a home."""
    if given := os.environ.get(STATE):
        return Path(given) / "code"
    root = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME", "")
    return (Path(root) if Path(root).is_absolute() else Path.home() / ".local" / "state") / "mjsdk" / "code"
