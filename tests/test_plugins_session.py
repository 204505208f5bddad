"""Sessions: the hooks of one run's plugins, their order, and who is blamed when one fails."""

from __future__ import annotations

import pytest

from mjsdk.errors import BrokenPlugin, HookError, MissingRole, PluginError, SelectionError
from mjsdk.hookspecs import API
from mjsdk.plugins import open_session

HEAD = "import mjsdk\nMJSDK_API = 1\n"
NOTE = HEAD + "CALLS = __import__('sys').modules['mjsdk.builtin'].CALLS\n"
ADAPT = """
CALLS = __import__('sys').modules['mjsdk.builtin'].CALLS
@mjsdk.hookimpl
def mjsdk_adapt(task_name): CALLS.append(f"{who} {{task_name}}")
"""

pytestmark = pytest.mark.usefixtures("core")


def hook(body: str) -> str:
    return f"{HEAD}@mjsdk.hookimpl\n{body}\n"


def test_a_session_knows_its_plugins(site):
    site.robot()
    site.task()
    site.extra()
    session = open_session("myarm", "reach", ["hop"])
    assert [ref.spec for ref in session.refs] == ["my-robot:myarm", "my-task:reach", "my-extra:hop"]
    assert (session.robot_ref.name, session.task_ref.name) == ("myarm", "reach")
    assert repr(session) == "Session(my-robot:myarm, my-task:reach, my-extra:hop)"


def test_provenance_says_what_was_loaded_from_where(site):
    site.robot(version="2.3")
    path = site.file("jump.py", HEAD)
    assert open_session("myarm", extras=[str(path)]).provenance() == [
        {
            "kind": "robot",
            "name": "myarm",
            "dist": "my-robot",
            "version": "2.3",
            "target": "my_robot_myarm",
            "api": API,
        },
        {"kind": "extra", "name": "jump", "dist": "", "version": "", "target": str(path.resolve()), "api": API},
    ]


def test_the_robot_gives_facts_and_fresh_models(site):
    site.robot()
    session = open_session("myarm")
    assert session.robot().name == "myarm"
    assert session.load_spec() is not session.load_spec()


def test_a_session_without_task_says_so(site):
    site.robot()
    with pytest.raises(PluginError, match="this session has no task; it has robot 'myarm'"):
        open_session("myarm").task()


def test_the_same_extra_twice_is_one(site):
    site.robot()
    site.extra()
    assert len(open_session("myarm", extras=["hop", "my-extra:hop"]).refs) == 2


def test_sessions_share_nothing(site):
    site.robot()
    site.extra()
    with_extra, without = open_session("myarm", extras=["hop"]), open_session("myarm")
    assert with_extra.terms().names("reward") == ("rate", "hop:jump")
    assert without.terms().names("reward") == ("rate",)


def test_adaptations_run_in_the_order_task_robot_extras(site, core):
    from conftest_sources import ROBOT, TASK
