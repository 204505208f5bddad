"""Terms written by the older guide, which took `ids`: one message per plugin, with the new form of each."""

from __future__ import annotations

from operator import attrgetter

import pytest

from mjsdk.cli._main import main
from mjsdk.errors import BrokenPlugin, HookError
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.plugins.load import describe
from mjsdk.plugins.outdated import new_name
from mjsdk.testing.worlds import TESTBOT, TESTTASK, small_env

OLD = '''# my_extra.py
from mjsdk import hookimpl
from mjsdk.env import ActionTerm, ResampledCommand

MJSDK_API = 1


def hop(env, ids, speed=0.5):
    """Throw the base upwards.

    Args:
        speed: Largest speed [m/s].
    """
    env.robot.root_lin_vel_w[ids, 2] = speed


class Turn:
    def __init__(self, env, rate=0.5):
        self.rate = rate

    def __call__(self, env, ids):
        env.robot.root_ang_vel_b[ids, 2] = self.rate


class Rise:
    def __init__(self, env):
        self.last = env.robot.root_pos_w[:, 2].clone()

    def __call__(self, env):
        return env.robot.root_pos_w[:, 2] - self.last

    def reset(self, ids):
        self.last[ids] = 0.0


class Goal(ResampledCommand):
    size = 1

    def resample(self, ids):
        self.command[ids] = 1.0

    def fix(self, ids, values):
        self.command[ids] = values


class Push(ActionTerm):
    def reset(self, ids):
        super().reset(ids)


@hookimpl
def mjsdk_event_terms():
    return {"hop": hop, "turn": Turn}


@hookimpl
def mjsdk_reward_terms():
    return {"rise": Rise}


@hookimpl
def mjsdk_command_terms():
    return {"goal": Goal}


@hookimpl
def mjsdk_action_terms():
    return {"push": Push}
'''


@pytest.fixture
def write(tmp_path):
    """Writes a plugin and gives its path."""

    def call(source: str) -> str:
        path = tmp_path / "my_extra.py"
        path.write_text(source, encoding="utf-8")
        return str(path)

    return call


NEW = """\
extra 'my_extra' ({path}) has terms of an older form; they must take `worlds`, where they took `ids` or nothing:
  reward term 'rise' (my_extra.py:32):
    def reset(self, worlds):
        worlds.fill(self.memory, 0.0)
  event term 'hop' (my_extra.py:8):
    def hop(env, worlds, speed=0.5):
        worlds.write(target, worlds.uniform(low, high, width))
  event term 'turn' (my_extra.py:21):
    def __call__(self, env, worlds):
        worlds.write(target, worlds.uniform(low, high, width))
  command term 'goal' (my_extra.py:39):
    def resample(self, worlds):
        worlds.write(self.command, worlds.uniform(low, high, width))
  command term 'goal' (my_extra.py:42):
    def fix(self, worlds, values):
        worlds.write(self.command, values)
  action term 'push' (my_extra.py:47):
    def reset(self, worlds):
        worlds.fill(self.memory, 0.0)
`worlds` is a mjsdk.env.Worlds: one row per world concerned is drawn, written and read by its methods."""


def test_a_plugin_by_the_older_guide_is_shown_the_new_form_of_all_its_terms_at_once(write):
    path = write(OLD)
    with pytest.raises(HookError) as caught:
        open_session(TESTBOT, extras=[path]).terms()
    assert str(caught.value) == NEW.format(path=path)


def test_a_training_with_such_a_plugin_ends_before_it_begins_with_that_one_message(write, capsys, tmp_path):
    logs = tmp_path / "logs"
    words = ["train", "--robot", TESTBOT, "--task", TESTTASK, "--with", write(OLD), "--log-root", str(logs)]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.count("error:") == err.count("an older form") == 1
    assert "def hop(env, worlds, speed=0.5):" in err
    assert not logs.exists()


def test_the_new_form_is_taken(write):
    path = write(OLD.replace("ids", "worlds"))
    terms = open_session(TESTBOT, extras=[path], core=core_terms).terms()
    assert {"my_extra:hop", "my_extra:turn"} < set(terms.names("event"))


@pytest.mark.parametrize(
    "term",
    [
        "class Goal(ResampledCommand):\n    size = 1",  # what it inherits from the core is not its own
        "class Goal(ResampledCommand):\n    def update(self, ids): pass",  # no method that takes worlds
        "class Goal(ResampledCommand):\n    reset = print",  # code that does not tell its parameters
        "class Goal(ResampledCommand):\n    reset = None",
    ],
)
def test_what_is_no_old_form_is_left_alone(write, term):
    head = "from mjsdk import hookimpl\nfrom mjsdk.env import ResampledCommand\nMJSDK_API = 1\n"
    path = write(f"{head}{term}\n@hookimpl\ndef mjsdk_command_terms(): return {{'goal': Goal}}\n")
    assert open_session(TESTBOT, extras=[path]).terms().names("command") == ("my_extra:goal",)


ODD = """
from mjsdk import hookimpl
MJSDK_API = 1

class Meta(type):
    @property
    def reset(cls): raise SystemExit(3)

class Odd(metaclass=Meta):
    def __init__(self, env): pass

@hookimpl
def mjsdk_reward_terms(): return {"odd": Odd}
"""


def test_a_signature_that_raises_is_blamed_on_its_plugin(write):
    with pytest.raises(HookError, match="my_extra.*the signature of a term raised SystemExit: 3"):
        open_session(TESTBOT, extras=[write(ODD)]).terms()


@pytest.mark.parametrize(
    ("kind", "term", "new"),
    [
        ("event", "def hop(env, env_ids, speed=0.5): pass", "def hop(env, worlds, speed=0.5):"),
        ("event", "def hop(env, speed=0.5): pass", "def hop(env, worlds, speed=0.5):"),
        ("event", "class hop:\n    def __call__(self, env, which): pass", "def __call__(self, env, worlds):"),
        ("curriculum", "def hop(env, setting): pass", "def hop(env, worlds, setting):"),
    ],
)
def test_a_term_that_acts_on_worlds_takes_them_by_that_name(write, kind, term, new):
    head = "from mjsdk import hookimpl\nMJSDK_API = 1\n"
    path = write(f"{head}{term}\n@hookimpl\ndef mjsdk_{kind}_terms(): return {{'hop': hop}}\n")
    with pytest.raises(HookError) as caught:
        open_session(TESTBOT, extras=[path]).terms()
    assert new in str(caught.value)


@pytest.mark.parametrize("term", ["def hop(env, *worlds): pass", "def hop(*args, **params): pass"])
def test_a_term_that_takes_anything_takes_worlds(write, term):
    head = "from mjsdk import hookimpl\nMJSDK_API = 1\n"
    path = write(f"{head}{term}\n@hookimpl\ndef mjsdk_event_terms(): return {{'hop': hop}}\n")
    assert open_session(TESTBOT, extras=[path]).terms().names("event") == ("my_extra:hop",)


@pytest.mark.parametrize(
    ("line", "new"),
    [
        ("from mjsdk.kernels import Kernel, prepared_by", "loops are mjsdk.ops.loop.Loop now"),
        ("from mjsdk.env import DrawnCommand", "it is ResampledCommand now"),
        ("from mjsdk.config import DrawnCommandConfig", "it is ResampledCommandConfig now"),
        ("import mjsdk.config; mjsdk.config.DrawnCommandConfig", "it is ResampledCommandConfig now"),
    ],
)
def test_an_import_of_a_name_that_is_gone_is_answered_with_the_new_one(write, line, new):
    with pytest.raises(BrokenPlugin, match=f"failed to import: .*; {new}.* \\(.*my_extra.py:1\\)"):
        open_session(TESTBOT, extras=[write(f"{line}\nMJSDK_API = 1\n")])


@pytest.mark.parametrize("name", ["all_ids", "rand", "uniform", "draw", "workspace", "robot.shared"])
def test_an_attribute_that_is_gone_is_answered_with_the_new_one(name):
    with pytest.raises(AttributeError) as caught:
        attrgetter(name)(small_env(1))
    assert new_name(str(caught.value))
    assert describe(caught.value).count("; ") == 1
