"""Whether the plugins that a run was trained with are those that are installed."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from mjsdk.errors import BrokenRun

IGNORE_VERSIONS = "MJSDK_IGNORE_VERSIONS"
"""Environment variable: use a run although its robot or task package has another version by now."""

_log = logging.getLogger(__name__)


def check_version(run: Path, was: dict[str, Any], now: dict[str, Any]) -> None:
    """Warn of a plugin that has changed since, or refuse it where such versions may differ in anything."""
    if was.get("api", now["api"]) != now["api"]:
        raise BrokenRun(
            f"run {run} was trained with {now['kind']} '{now['name']}' for plugin contract {was['api']}, "
            f"but the installed one is for {now['api']} (MJSDK_API). Install the old one, or train again."
        )
    same_package = was["dist"] == now["dist"]
    if same_package and was["version"] == now["version"]:
        return
    source = f"{was['dist'] or was['target']} {was['version']}".strip()
    instead = now["version"] if same_package else f"{now['dist'] or now['target']} {now['version']}".strip()
    text = (
        f"run {run.name} was trained with {now['kind']} '{now['name']}' of {source}, "
        f"but {instead} is {'installed' if now['dist'] else 'what it names now'}"
    )
    try:  # what a policy depends on should not change within a series
        same_series = same_package and Version(was["version"]).release[:2] == Version(now["version"]).release[:2]
    except InvalidVersion:
        same_series = False
    if now["kind"] == "extra" or same_series or os.environ.get(IGNORE_VERSIONS):
        _log.warning("%s", text)
        return
    old = f"Install the old one: pip install '{was['dist']}=={was['version']}'" if was["dist"] else "Put the file back"
    raise BrokenRun(
        f"{text}; robot and task may be others now. {old}. "
        f"Or train again, or set {IGNORE_VERSIONS}=1 if you know that what changed does not matter."
    )
