"""What hooks raise and return: facts, settings and mappings that are none, and errors of odd classes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mjsdk.config.settings import compose
from mjsdk.errors import BrokenPlugin, HookError, MjsdkError, one_line, said
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.plugins.load import describe
from mjsdk.testing.worlds import TESTBOT, TESTTASK

HEAD = "import mjsdk\nfrom mjsdk.robot import *\nMJSDK_API = 1\n"
LOAD = "\n@mjsdk.hookimpl\ndef mjsdk_load_spec(robot): return None\n"


@pytest.fixture
def write(tmp_path):
    """Writes a plugin of one hook and gives its path."""

    def call(hook: str, body: str, more: str = "") -> str:
        path = tmp_path / "mine.py"
        path.write_text(f"{HEAD}{more}\n@mjsdk.hookimpl\ndef {hook}:\n    {body}\n", encoding="utf-8")
        return str(path)

    return call


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError(), "ValueError"),
        (ValueError("two\nlines\tand \x1b[31m\x07colour\ud800"), "ValueError: two lines and [31m colour"),
        (Mute(), "Mute: (its text cannot be read: RuntimeError)"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_an_error_is_said_on_one_line(error, expected):
    assert said(error) == expected


class Liar(BaseException):
    """An error that lies about what it is, where it came from and what it says."""

    __class__ = property(lambda self: 1 / 0)
    __traceback__ = property(lambda self: 1 / 0)

    def __str__(self) -> str:
        return type("Text", (str,), {"__len__": lambda self: 1 / 0})("mine")


def test_what_an_error_makes_up_about_itself_does_not_count():
    def told() -> str:
        try:
            raise Liar
        except BaseException as error:
            return describe(error)

    assert re.fullmatch(r"Liar: mine \(.*test_bad_plugins\.py:\d+\)", told())


def test_a_megabyte_of_text_is_cut_in_the_middle():
    text = said(ValueError("x" * 1_000_000))
    assert len(text) == 500
    assert text.startswith("ValueError: xxx")
    assert " ... 1000012 characters ... " in text
    assert one_line("a" * 500) == "a" * 500


ODD_ERRORS = {
    "GeneratorExit": "raise GeneratorExit",
    "StopIteration: 3": "raise StopIteration(3)",
    "SystemExit: 4": "raise SystemExit(4)",
    "Outcome: gone": "raise type('Outcome', (BaseException,), {})('gone')",
    "ExceptionGroup: two (2 sub-exceptions)": "raise ExceptionGroup('two', [ValueError(), KeyError()])",
    "Mute: (its text cannot be read: ZeroDivisionError)": "raise type('Mute', (Exception,), "
    "{'__str__': lambda self: 1 / 0})",
}


@pytest.mark.parametrize("said", ODD_ERRORS)
def test_whatever_a_hook_raises_names_the_plugin(write, said):
    path = write("mjsdk_robot()", ODD_ERRORS[said], LOAD)
    with pytest.raises(HookError) as caught:
        open_session(path).robot()
    assert str(caught.value) == f"robot 'mine' ({path}): mjsdk_robot raised {said} ({path}:10)"


@pytest.mark.parametrize("said", ODD_ERRORS)
def test_whatever_an_import_raises_names_the_plugin(write, said):
    with pytest.raises(BrokenPlugin) as caught:
        open_session(write("mjsdk_robot()", "pass", LOAD + ODD_ERRORS[said]))
    assert f"failed to import: {said} (" in str(caught.value)


def test_ctrl_c_in_a_plugin_is_ctrl_c(write):
    with pytest.raises(KeyboardInterrupt):
        open_session(write("mjsdk_robot()", "pass", "raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        open_session(write("mjsdk_robot()", "raise KeyboardInterrupt", LOAD)).robot()


LIES = """
class Lie(dict):
    def items(self): raise SystemExit(5)
    __iter__ = items
class Endless(dict):
    def items(self):
        while True: yield str(len(self)), InitialState()
    def __iter__(self):
        while True: yield ""
"""

ROBOTS = {
    "roles=None": "Robot.roles is None; it must be Roles",
    "roles={}": "Robot.roles is a dict; it must be Roles",
    "roles=Roles(base='trunk')": "Robot.roles.base is a str; it must be Role",
    "roles=Roles(base=Role(bodies=(3,)))": "Robot.roles.base.bodies[0] is an int; it must be str",
    "actuators=[1, 2]": "Robot.actuators[0] is an int; it must be ActuatorGroup",
    "actuators=(ActuatorGroup(joints='.*', kp='20', kd=1, effort_limit=1),)": "a finite number above 0, not '20'",
    "poses={}": "Robot 'mine': poses must have one at least",
    "poses={'a': None}": "Robot.poses.a is None; it must be InitialState",
    "poses={3: InitialState()}": "Robot.poses has an int as a name; names are text",
    "poses={'a': InitialState(pos=(1.0, 2.0))}": "InitialState: pos must be 3 numbers, not (1.0, 2.0)",
    "poses=Lie(a=InitialState())": "mjsdk_robot raised SystemExit: 5",
    "poses=Endless(a=InitialState())": "Robot.poses has more than 10000 entries",
    "collisions=[]": "Robot.collisions is a list; it must be Mapping[str, tuple[CollisionRule, ...]]",
    "collisions={'a': (3,)}": "Robot.collisions.a[0] is an int; it must be CollisionRule",
    "gait=3": "Robot.gait is an int; it must be Gait | None",
    "gait=Gait(frequency=None, offsets=())": "Gait: frequency must be a finite number above 0, not None",
    "mirror=['left']": "Robot 'mine': mirror must be a map, not ['left']",
}


@pytest.mark.parametrize("field", ROBOTS)
def test_facts_of_a_wrong_type_name_the_robot_and_the_field(write, field):
    path = write("mjsdk_robot()", f"return Robot(name='mine', {field})", LIES + LOAD)
    with pytest.raises(HookError) as caught:
        open_session(path).robot()
    assert str(caught.value).startswith(f"robot 'mine' ({path}): mjsdk_robot")
    assert ROBOTS[field] in str(caught.value)


def test_lists_arrays_and_whole_numbers_are_facts_too(write):
    body = "return Robot(name='m', actuators=[ActuatorGroup(joints='.*', kp=20, kd=1, effort_limit=1)], poses=POSES)"
    more = "import numpy\nPOSES = {'a': InitialState(pos=numpy.zeros(3), joint_pos={'.*': numpy.float32(1)})}"
    assert open_session(write("mjsdk_robot()", body, more + LOAD)).robot().default_pose.pos.tolist() == [0, 0, 0]


def test_a_robot_without_its_fields_is_refused(write):
    path = write("mjsdk_robot()", "return object.__new__(Robot)", LOAD)
    with pytest.raises(HookError, match="Robot.name is not there"):
        open_session(path).robot()


TASKS = {
    "task.env = None": "mjsdk_task: TaskConfig.env is None; it must be EnvConfig",
    "task.requires = [3]": "mjsdk_task: TaskConfig.requires[0] is an int; it must be Requirement",
    "task.presets = {'cpu': None}": "mjsdk_task: TaskConfig.presets.cpu is None; it must be dict[str, object]",
    "del task.agent": "mjsdk_task: TaskConfig.agent is not there",
    "task.env.rewards = None": "env.rewards: takes a map to values, not null",
    "task.env.rewards['upright'].params['a'] = task.env.rewards": "than settings can have",
    "task.presets = {'cpu': {'agent.seed': object()}}": "takes plain data, not a object",
}


@pytest.mark.parametrize("edit", TASKS)
def test_a_task_that_is_none_is_blamed(tmp_path, edit):
    path = tmp_path / "mine.py"
    source = Path(TESTTASK).read_text().replace("    return TaskConfig(", "    task = TaskConfig(")
    path.write_text(f"{source}    {edit}\n    return task\n")
    with pytest.raises(MjsdkError) as caught:
        compose(open_session(TESTBOT, str(path), core=core_terms))
    assert TASKS[edit] in str(caught.value)
    assert f"task 'mine' ({path})" in str(caught.value)


EDITS = {
    "config.env = 'x'": "env: takes a section",
    "del config.env": "reading it raises AttributeError",
    "config.env.scene = config": "than settings can have",
    "config.env.rewards['upright'] = 5": "env.rewards.upright: takes a section",
    "config.env.rewards['upright'].weight = 3j": "env.rewards.upright.weight: takes plain data, not a complex",
    "config.env.rewards = Lie(config.env.rewards)": "cannot be read: SystemExit: 5",
}


@pytest.mark.parametrize("edit", EDITS)
def test_settings_that_an_extra_breaks_name_that_extra(write, tmp_path, edit):
    other = tmp_path / "harmless.py"
    other.write_text(f"{HEAD}\n@mjsdk.hookimpl\ndef mjsdk_adapt(config): pass\n")
    path = write("mjsdk_adapt(config)", edit, LIES)
    with pytest.raises(MjsdkError) as caught:
        compose(open_session(TESTBOT, TESTTASK, [path, str(other)], core=core_terms))
    assert EDITS[edit] in str(caught.value)
    assert "the hook mjsdk_adapt of extra mine" in str(caught.value)


MAPPINGS = {
    "Lie(a=print)": "mjsdk_reward_terms raised SystemExit: 5",
    "{str(i): print for i in range(10**5)}": "mjsdk_reward_terms returned more than 1000 names",
    "{'x' * 10**5 + ' ': print}": "characters ... ",
    "{('a', 'b'): print}": "mjsdk_reward_terms: ('a', 'b') cannot be a name",
    "{'a': dict}": "mjsdk_reward_terms: 'a' does not tell its parameters: wrap it in a function of your own",
    "type('Short', (dict,), {'items': lambda self: [1]})(a=print)": "mjsdk_reward_terms raised TypeError",
}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_mapping_that_lies_is_refused(write, mapping):
    path = write("mjsdk_reward_terms()", f"return {mapping}", LIES)
    with pytest.raises(HookError) as caught:
        open_session(TESTBOT, extras=[path]).terms()
    assert str(caught.value).startswith(f"extra 'mine' ({path}): ")
    assert MAPPINGS[mapping] in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("kind", ["command", "action"])
def test_a_function_is_no_command_and_no_action(write, kind):
    path = write(f"mjsdk_{kind}_terms()", "return {'a': print}")
    with pytest.raises(HookError, match="'a' is a builtin_function_or_method; it must be a class derived from"):
        open_session(TESTBOT, extras=[path]).terms()


def test_a_mapping_is_asked_once(write):
    more = "class Once(dict):\n    def items(self): return [(f'a{len(self)}', print)]\n    def __iter__(self): 1 / 0\n"
    path = write("mjsdk_reward_terms()", "return Once(b=print)", more)
    assert "mine:a1" in open_session(TESTBOT, extras=[path]).terms().names("reward")
