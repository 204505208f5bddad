"""Sessions: the hooks of one run's plugins, their order, and who is blamed when one fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mjsdk.errors import BrokenPlugin, HookError, MissingRole, MjsdkError, PluginError
from mjsdk.hookspecs import API
from mjsdk.plugins import open_session
from mjsdk.scene import compile_robot
from mjsdk.testing.worlds import TESTBOT

HEAD = "import mjsdk\nMJSDK_API = 1\n"
ADAPT = """
@mjsdk.hookimpl
def mjsdk_adapt(task_name, config): config.append(__name__ + " adapts " + task_name)
"""
SETUP = """
@mjsdk.hookimpl
def mjsdk_setup_actuators(robot, spec):
    spec.actuator("bend").forcerange /= 4  # the facts say 4 Nm
    spec.body("tip").add_geom(name="knob", size=[0.01, 0, 0])
@mjsdk.hookimpl
def mjsdk_setup_collisions(spec, preset):
    spec.geom("base").conaffinity = 4
    spec.geom("knob").name = f"knob of {preset}"
"""


def core_terms(kind: str) -> dict[str, Callable[..., None]]:
    """Stands in for the core's own terms."""
    return {"rate": rate} if kind == "reward" else {}


def rate(env):
    return None


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
    with_extra = open_session("myarm", extras=["hop"], core=core_terms)
    without = open_session("myarm", core=core_terms)
    assert with_extra.terms().names("reward") == ("rate", "hop:jump")
    assert without.terms().names("reward") == ("rate",)


def test_adaptations_run_in_the_order_task_robot_extras(site):
    site.robot(more=ADAPT)
    site.task(more=ADAPT)
    site.extra(HEAD + ADAPT, name="one", dist="x")
    site.extra(HEAD + ADAPT, name="two", dist="y")
    calls = []
    open_session("myarm", "reach", ["two", "one"]).adapt(calls)
    assert calls == [f"{who} adapts reach" for who in ("my_task_reach", "my_robot_myarm", "y_two", "x_one")]


def test_plugins_refine_actuators_and_collisions_that_the_facts_have_set(site):
    site.robot(more=SETUP)
    model = compile_robot(open_session("myarm"), "tip")
    assert model.actuator("bend").forcerange.tolist() == [-1.0, 1.0]
    assert [model.geom(name).conaffinity for name in ("base", "tip", "knob of tip")] == [4, 1, 0]


def test_a_task_is_fresh_each_time(site):
    site.robot()
    site.task()
    session = open_session("myarm", "reach")
    session.task().env.rewards["near"].weight = 9.0
    assert session.task().env.rewards["near"].weight == 2.0


ARMLESS = """
import mjsdk
from mjsdk.robot import Robot, Role, Roles
MJSDK_API = 1
@mjsdk.hookimpl
def mjsdk_robot(): return Robot(name="stump", roles=Roles({roles}))
@mjsdk.hookimpl
def mjsdk_load_spec(robot): return None
"""


def test_a_missing_part_names_the_part_the_task_and_the_robots_package(site):
    site.robot(ARMLESS.format(roles='base=Role(bodies="b")'))
    site.task()
    with pytest.raises(MissingRole) as caught:
        open_session("myarm", "reach").task()
    assert str(caught.value) == (
        "task 'reach' needs role 'tip' with bodies (to touch with); robot 'myarm' (my-robot 1.0) has the roles base. "
        "Add the role in my-robot 1.0's mjsdk_robot(), or choose another robot."
    )


def test_a_part_that_is_missing_while_the_task_is_written_names_both_too(site):
    site.robot(ARMLESS.format(roles=""))
    site.task()
    with pytest.raises(MissingRole) as caught:
        open_session("myarm", "reach").task()
    text = str(caught.value)
    assert text.startswith(
        "task 'reach' (my-task 1.0) needs a part that robot 'myarm' (my-robot 1.0) lacks: no role 'base'"
    )


def test_terms_of_the_core_are_bare_and_those_of_plugins_have_their_name(site):
    site.robot()
    site.task()
    path = site.file("my_extra.py", HEAD + "@mjsdk.hookimpl\ndef mjsdk_reward_terms(): return {'jump': print}")
    registry = open_session("myarm", "reach", [str(path)], core=core_terms).terms()
    assert registry.names("reward") == ("rate", "reach:near", "my_extra:jump")
    assert registry.get("reward", "my_extra:jump") is print


def test_two_plugins_of_one_name_may_not_offer_one_term(site):
    site.robot(more="@mjsdk.hookimpl\ndef mjsdk_reward_terms(): return {'jump': print}\n")
    site.extra(name="myarm")
    with pytest.raises(
        HookError, match=r"reward term 'myarm:jump' is offered by robot 'myarm' .* and by extra 'myarm' "
    ):
        open_session("myarm", extras=["myarm"]).terms()


def test_exporters_of_all_plugins_are_collected(site):
    site.robot()
    site.extra(hook("def mjsdk_exporters(): return {'zip': print}"))
    assert open_session("myarm", extras=["hop"]).exporters() == {"zip": print}


def test_two_exporters_of_one_name_are_refused(site):
    site.robot()
    for dist in "ab":
        site.extra(hook("def mjsdk_exporters(): return {'zip': print}"), name=dist, dist=dist)
    with pytest.raises(HookError, match=r"exporter 'zip' is offered by extra 'a' .* and by extra 'b'"):
        open_session("myarm", extras=["a", "b"]).exporters()


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("None", "mjsdk_reward_terms returned None; it must return a mapping of names"),
        ("[print]", "mjsdk_reward_terms returned a list; it must return a mapping of names"),
        ("{'hop:jump': print}", "mjsdk_reward_terms: 'hop:jump' cannot be a name; use letters, digits and _, without"),
        ("{1: print}", "mjsdk_reward_terms: 1 cannot be a name"),
        ("{'jump': 3}", "mjsdk_reward_terms: 'jump' is an int; it must be a function or a class"),
    ],
)
def test_terms_that_are_none_are_refused(site, returned, expected):
    site.robot()
    site.extra(hook(f"def mjsdk_reward_terms(): return {returned}"))
    with pytest.raises(HookError) as caught:
        open_session("myarm", extras=["hop"]).terms()
    assert f"extra 'hop' (my-extra 1.0, module my_extra_hop): {expected}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "wrong", "call", "must"),
    [
        ("mjsdk_robot()", "{}", "robot", "mjsdk_robot returned a dict; it must return a mjsdk.Robot"),
        ("mjsdk_load_spec(robot)", "'<mujoco/>'", "load_spec", "returned a str; it must return a mujoco.MjSpec"),
        ("mjsdk_load_spec(robot)", "None", "load_spec", "returned None; it must return a mujoco.MjSpec"),
    ],
)
def test_what_a_robot_hook_returns_is_checked(site, name, wrong, call, must):
    site.robot(more=f"\n@mjsdk.hookimpl\ndef {name}: return {wrong}\n")
    with pytest.raises(HookError) as caught:
        getattr(open_session("myarm"), call)()
    assert must in str(caught.value)


def test_a_model_that_is_given_out_twice_is_refused(site):
    site.robot(more="\nSPEC = mujoco.MjSpec()\n@mjsdk.hookimpl\ndef mjsdk_load_spec(robot): return SPEC\n")
    session = open_session("myarm")
    session.load_spec()
    with pytest.raises(HookError, match="returned the same MjSpec twice"):
        session.load_spec()


def test_what_a_task_returns_is_checked(site):
    site.robot()
    site.task(hook("def mjsdk_task(robot): return robot"))
    with pytest.raises(HookError, match=r"mjsdk_task returned a Robot; it must return a mjsdk\.TaskConfig"):
        open_session("myarm", "reach").task()


def test_a_hook_that_edits_in_place_returns_nothing(site):
    site.robot()
    site.task()
    site.extra(hook("def mjsdk_adapt(config): return config or 1"))
    with pytest.raises(HookError) as caught:
        open_session("myarm", "reach", ["hop"]).adapt(None)
    assert str(caught.value) == (
        "extra 'hop' (my-extra 1.0, module my_extra_hop): mjsdk_adapt returned an int; "
        "it must edit its arguments in place and return nothing"
    )


def test_a_hook_that_raises_blames_its_plugin_and_line(site):
    site.robot(more="\n@mjsdk.hookimpl\ndef mjsdk_adapt(): pass\n")
    site.task()
    site.extra(hook("def mjsdk_adapt(config): {}['left_foot']"), version="0.4")
    with pytest.raises(HookError) as caught:
        open_session("myarm", "reach", ["hop"]).adapt(None)
    text = str(caught.value)
    assert text.startswith(
        "extra 'hop' (my-extra 0.4, module my_extra_hop): mjsdk_adapt raised KeyError: 'left_foot' ("
    )
    assert text.endswith("my_extra_hop.py:4)")
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_in_a_library_is_placed_at_the_plugins_own_line(site):
    site.robot(more="\n@mjsdk.hookimpl\ndef mjsdk_load_spec(robot):\n    return __import__('json').loads('{')\n")
    with pytest.raises(HookError) as caught:
        open_session("myarm").load_spec()
    assert "mjsdk_load_spec raised JSONDecodeError: Expecting property name" in str(caught.value)
    assert "my_robot_myarm.py:" in str(caught.value)


def test_a_hook_that_exits_is_an_error(site):
    site.robot(more="\n@mjsdk.hookimpl\ndef mjsdk_robot(): raise SystemExit(3)\n")
    with pytest.raises(HookError, match="mjsdk_robot raised SystemExit: 3"):
        open_session("myarm").robot()


def test_an_mjsdk_error_of_a_plugin_passes_through(site):
    site.robot(more="\n@mjsdk.hookimpl\ndef mjsdk_load_spec(robot): raise mjsdk.MjsdkError('no such file')\n")
    with pytest.raises(MjsdkError, match=r"^no such file$"):
        open_session("myarm").load_spec()


def test_one_module_as_robot_and_extra_is_refused(site):
    site.robot()
    site.add("other-dist", extras={"hop": "my_robot_myarm"})
    with pytest.raises(BrokenPlugin, match=r"extra 'hop' .* implements mjsdk_robot, which only robot plugins may"):
        open_session("myarm", extras=["hop"])


def test_one_module_as_two_extras_is_refused(site):
    site.robot()
    site.extra()
    site.add("other-dist", extras={"again": "my_extra_hop"})
    with pytest.raises(BrokenPlugin) as caught:
        open_session("myarm", extras=["hop", "again"])
    assert str(caught.value) == (
        "extra 'hop' (my-extra 1.0, module my_extra_hop) and extra 'again' (other-dist 1.0, module my_extra_hop) are "
        "the same module; a module can be one plugin. Split it in two."
    )


def test_one_file_is_a_whole_robot(site):
    path = site.file("my_robot.py", "")
    site.robot()
    path.write_text((site.path / "my_robot_myarm.py").read_text())
    session = open_session(str(path))
    assert (session.robot_ref.name, session.load_spec().compile().njnt) == ("my_robot", 1)


def test_two_files_of_one_name_are_told_apart_by_nobody(tmp_path):
    (tmp_path / "sub").mkdir()
    files = [tmp_path / "ok.py", tmp_path / "sub" / "ok.py"]
    for file in files:
        file.write_text(HEAD)
    with pytest.raises(PluginError, match="two files named 'ok': .*; rename one"):
        open_session(TESTBOT, None, [str(file) for file in files])
