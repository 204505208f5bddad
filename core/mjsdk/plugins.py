"""Plugins: an index from metadata alone, and sessions that load what one run names.

`index` and `find` import no plugin. `open_session` imports the robot, the task and the extras it is given, checks their
hooks, and gives them a plugin manager of their own; a broken plugin can only break the run that names it.
"""

from mjsdk._index import DISABLE, FLAGS, GROUPS, PluginRef, find, index, status
from mjsdk._load import SUPPORTED, Plugin, load, read_source
from mjsdk._session import Session, open_session

__all__ = [
    "DISABLE",
    "FLAGS",
    "GROUPS",
    "SUPPORTED",
    "Plugin",
    "PluginRef",
    "Session",
    "find",
    "index",
    "load",
    "open_session",
    "read_source",
    "status",
]
