"""Plugins: an index from metadata alone, and sessions that load what one run names.

`installed` and `find_plugin` import no plugin. `open_session` imports the robot, the task and the extras it is given,
checks their hooks, and gives them a plugin manager of their own; a broken plugin can only break the run that names it.

Names are looked up on first use: the index is light, loading and sessions need pluggy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mjsdk.plugins.index import DISABLE, PluginRef, find_plugin, installed, status_of

if TYPE_CHECKING:
    from mjsdk.plugins.load import Plugin, load_plugin, read_source
    from mjsdk.plugins.session import Session, open_session

__all__ = [
    "DISABLE",
    "Plugin",
    "PluginRef",
    "Session",
    "find_plugin",
    "installed",
    "load_plugin",
    "open_session",
    "read_source",
    "status_of",
]

_LATER = {
    **dict.fromkeys(("Plugin", "load_plugin", "read_source"), "load"),
    **dict.fromkeys(("Session", "open_session"), "session"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'mjsdk.plugins' has no attribute '{name}'")
    return getattr(importlib.import_module(f"mjsdk.plugins.{_LATER[name]}"), name)
