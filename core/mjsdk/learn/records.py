"""Where a run came from, in plain data."""

from __future__ import annotations

import functools
import hashlib
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
import numpy as np

from mjsdk.errors import BrokenPlugin, MjsdkError
from mjsdk.plugins import PluginRef, Session, find_plugin, load_plugin, open_session
from mjsdk.runs import Run, schema
from mjsdk.scene import robot_alone

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
        "format": schema.FORMAT,
        "model": model_record(session),
    }


def model_record(session: Session) -> dict[str, str]:
    """What the robot's model is, and what must be the same for another one to be compared with it."""
    return {"sha256": model_digest(session), "mujoco": str(_version("mujoco")), "machine": platform.machine()}


def model_digest(session: Session) -> str:
    """A SHA-256 of the robot alone, with actuators and its default collisions, as this MuJoCo compiles it."""
    model = robot_alone(session).model
    found = hashlib.sha256(model.names)
    for name in dir(model):
        values = getattr(model, name)
        if isinstance(values, np.ndarray):
            found.update(name.encode())
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def check_model(run: Run, session: Session) -> None:
    """Warn, once, if the robot's model is no longer the one that the run was trained with.

    Another MuJoCo or processor computes other numbers from the same model: then nobody can tell.
    """
    was, now = run.info.get("model"), model_record(session)
    if was is not None and was != now and was == {**now, "sha256": was["sha256"]}:
        _warn_once(
            f"the model of robot '{session.robot_ref.name}' has changed since run {run.name} was trained: "
            f"{session.robot_ref.package}, or a file that it reads, describes another one now, which is what is "
            "simulated. Restore the model, or train again."
        )


_warn_once = functools.cache(functools.partial(_log.warning, "%s"))


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
    # Where git would have to run the repository's programs to tell whether files differ, nobody can.
    settings, status = _git(folder, "config", "--list", "--show-scope", "--name-only"), None
    if settings is not None and not _FOREIGN.search(settings):
        status = _git(folder, "status", "--porcelain", "--no-renames", "--ignore-submodules=dirty")
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return {"commit": commit, "branch": branch, "dirty": None if status is None else status != ""}


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
    copies = {ref.target: _keep(run, session, ref) for ref in session.refs if ref.local}
    named = {kind: copies.get(data[kind], data[kind]) for kind in ("robot", "task")}
    return {**data, **named, "extras": [copies.get(extra, extra) for extra in data["extras"]]}


def _keep(run: Run, session: Session, ref: PluginRef) -> str:
    """Where the plugin is found from the run folder: the copy, unless it needs files that stand beside the original."""
    spec = run.keep_plugin(Path(ref.target), ref.kind)
    copy = str((run.path / spec).resolve())
    try:
        load_plugin(find_plugin(ref.kind, copy))
        if ref.kind == "robot" and model_digest(open_session(copy)) != model_digest(session):
            raise BrokenPlugin("it makes another model than the original")
    except (MjsdkError, ValueError) as error:
        _log.warning("the run depends on %s, whose copy cannot be used: %s", ref.target, error)
        return ref.target
    return spec
