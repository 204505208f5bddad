"""Where a run came from, in plain data."""

from __future__ import annotations

import logging
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import importlib_metadata

from mjsdk.errors import MjsdkError
from mjsdk.plugins import PluginRef, Session, find, load, open_session
from mjsdk.runs import Run

_PACKAGES = ("mjsdk", "mujoco", "mjbatch", "torch", "rsl-rl-lib", "numpy")
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_FOREIGN = re.compile(r"^(?:local|worktree)\s+(?:filter\.|remote\..*\.promisor$)", re.IGNORECASE | re.MULTILINE)
"""Settings of a repository by which looking at its files runs programs: filters, and fetching what is missing."""
_log = logging.getLogger(__name__)


def origin(session: Session, seed: int, device: str, threads: dict[str, int]) -> dict[str, Any]:
    """Plugins, versions, machine and command line of a training that starts now."""
    return {
        "started": time.time(),
        **moment(),
        "seed": seed,
        "device": device,
        "threads": threads,
        "plugins": session.provenance(),
        "versions": {name: _version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        "platform": platform.platform(),
        "resumed": [],
    }


def moment() -> dict[str, Any]:
    """When, by which command and from which commit."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "git": git_state(Path()),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of the repository around a folder and whether files differ from it; None where there is none.

    The repository may be a stranger's: no program that its own settings or hooks name is run.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return {
        "commit": commit,
        "branch": _git(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        "dirty": _dirty(folder),
    }


def _dirty(folder: Path) -> bool | None:
    """Whether files differ from the commit; None where git would have to run the repository's programs to tell."""
    settings = _git(folder, "config", "--list", "--show-scope", "--name-only")
    if settings is None or _FOREIGN.search(settings):
        return None
    status = _git(folder, "status", "--porcelain", "--no-renames", "--ignore-submodules=dirty")
    return None if status is None else status != ""


def _git(folder: Path, *arguments: str) -> str | None:
    command = [*_GIT, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(distribution: str) -> str | None:
    try:
        return importlib_metadata.version(distribution)
    except importlib_metadata.PackageNotFoundError:
        return None


def keep_local_plugins(run: Run, session: Session, data: dict[str, Any]) -> dict[str, Any]:
    """Copy plugins that are single files into the run; gives the settings `data` with what to call them there."""
    copies = {ref.target: _keep(run, ref) for ref in session.refs if ref.local}
    named = {kind: copies.get(data[kind], data[kind]) for kind in ("robot", "task")}
    return {**data, **named, "extras": [copies.get(extra, extra) for extra in data["extras"]]}


def _keep(run: Run, ref: PluginRef) -> str:
    """Where the plugin is found from the run folder: the copy, unless it needs files that stand beside the original."""
    spec = run.keep_plugin(Path(ref.target), ref.kind)
    copy = str((run.path / spec).resolve())
    try:
        if ref.kind == "robot":
            open_session(copy).load_spec().compile()
        else:
            load(find(ref.kind, copy))
    except (MjsdkError, ValueError) as error:
        _log.warning("the run depends on %s, whose copy cannot be used: %s", ref.target, error)
        return ref.target
    return spec
