"""Terms of every kind that give or raise what they must not: one message that names them, as the worlds are built."""

from __future__ import annotations

import importlib
import itertools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mjsdk import ops
from mjsdk.config.env import (
    ActionTermConfig,
    CommandTermConfig,
    CurriculumTermConfig,
    EventTermConfig,
    MetricTermConfig,
    ObservationTermConfig,
    ResampledCommandConfig,
    RewardTermConfig,
    SimConfig,
    TerminationTermConfig,
)
from mjsdk.env import ActionTerm, CommandTerm, Env, Reflection, ResampledCommand
from mjsdk.errors import MjsdkError
from mjsdk.mdp import core_terms
from mjsdk.physics import make_physics
from mjsdk.plugins import open_session
from mjsdk.scene import build_scene
from mjsdk.terms import TermRegistry
from mjsdk.testing.worlds import TESTBOT, TESTTASK

WORLDS = 3
PATHS = {
    "observation": "env.observations.actor.terms.bad",
    "reward": "env.rewards.bad",
    "termination": "env.terminations.bad",
    "metric": "env.metrics.bad",
    "event": "env.events.bad",
    "curriculum": "env.curriculum.bad",
    "command": "env.commands.bad",
    "action": "env.actions.bad",
}
"""What a message must name, for each kind of term."""
ENTRIES = {
    "observation": ObservationTermConfig,
    "reward": lambda func: RewardTermConfig(func=func, weight=1.0),
    "termination": TerminationTermConfig,
    "metric": MetricTermConfig,
    "event": EventTermConfig,
    "curriculum": CurriculumTermConfig,
    "command": CommandTermConfig,
    "action": ActionTermConfig,
}


@pytest.fixture(scope="module")
def build() -> Callable[[str, Any], Env]:
    """Builds the worlds of the test task with one more term."""
    session = open_session(TESTBOT, TESTTASK, core=core_terms)
    scene = build_scene(session, session.task().env)
    physics = make_physics(scene.model, WORLDS, "cpu", SimConfig(threads=1))

    def call(kind: str, term: Any) -> Env:
        config = session.task().env
        section = config.observations["actor"].terms if kind == "observation" else getattr(config, _section(kind))
        section["bad"] = ENTRIES[kind](func="hop:bad")
        terms = TermRegistry()
        for each in PATHS:
            terms.add(each, {name: session.terms().get(each, name) for name in session.terms().names(each)})
        terms.add(kind, {"bad": term}, "hop", "my-extra 1.0")
        return Env(config, scene, physics, terms)

    return call


def _section(kind: str) -> str:
    return PATHS[kind].split(".")[1]


def blamed(build: Callable[[str, Any], Env], kind: str, term: Any) -> str:
    """The message that a bad term leads to."""
    with pytest.raises(MjsdkError) as caught:
        build(kind, term)
    text = str(caught.value)
    assert text.startswith(f"{PATHS[kind]}: the term hop:bad (my-extra 1.0) ")
    assert text.endswith(f"or leave it out: --{PATHS[kind]} null")
    assert len(text) < 1500
    assert all(letter.isprintable() for letter in text)
    return text


GOOD_SHAPE = {"observation": (WORLDS, 2), "reward": (WORLDS,), "termination": (WORLDS,), "metric": (WORLDS,)}


def quantised(shape: tuple[int, ...]) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to give it up
        return torch.quantize_per_tensor(torch.zeros(shape), 0.1, 0, torch.quint8)


VALUES: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "text": lambda shape: "1.0",
    "nothing": lambda shape: None,
    "number": lambda shape: 1.0,
    "list": lambda shape: [1.0] * WORLDS,
    "array": lambda shape: np.zeros(shape, np.float32),
    "generator": lambda shape: (x for x in [1.0]),
    "no worlds": lambda shape: torch.zeros(()),
    "one world": lambda shape: torch.zeros(1, *shape[1:]),
    "one more world": lambda shape: torch.zeros(WORLDS + 1, *shape[1:]),
    "one more dimension": lambda shape: torch.zeros(*shape, 1),
    "complex": lambda shape: torch.zeros(shape, dtype=torch.complex64),
    "sparse": lambda shape: torch.ones(shape).to_sparse(),
    "meta": lambda shape: torch.zeros(shape, device="meta"),
    "quantised": quantised,
    "class": lambda shape: torch.Tensor,
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("kind", GOOD_SHAPE)
def test_a_value_that_cannot_be_used_is_refused(build, kind, name):
    text = blamed(build, kind, lambda env: VALUES[name](GOOD_SHAPE[kind]))
    assert " gave a" in text or " gave None" in text
    assert f"it must give a dense {'bool' if kind == 'termination' else 'float'} tensor of shape (3," in text


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["observation", "reward", "metric"])
def test_numbers_of_any_precision_and_switches_become_floats(build, kind, dtype):
    env = build(kind, lambda env: torch.ones(GOOD_SHAPE[kind], dtype=dtype))
    observations, *_ = env.step(torch.zeros(WORLDS, env.num_actions))
    if kind == "observation":
        assert observations["actor"][:, -2:].tolist() == [[1.0, 1.0]] * WORLDS
    if kind == "reward":
        assert env.rewards.values[-1].tolist() == [1.0] * WORLDS


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
def test_a_termination_that_gives_numbers_has_forgotten_to_compare_them(build, dtype):
    text = blamed(build, "termination", lambda env: torch.ones(WORLDS, dtype=dtype))
    assert "it must give a dense bool tensor" in text


def test_values_that_want_a_gradient_are_used_without_it(build):
    weight = torch.ones(WORLDS, requires_grad=True)
    env = build("reward", lambda env: weight)
    assert not env.step(torch.zeros(WORLDS, env.num_actions))[1].requires_grad
    env = build("observation", lambda env: (weight * 2.0).unsqueeze(1))
    assert not env.step(torch.zeros(WORLDS, env.num_actions))[0]["actor"].requires_grad


def test_a_value_that_changes_its_shape_later_is_refused_then(build):
    shapes = itertools.chain([(WORLDS, 2)] * 2, itertools.repeat((2,)))
    env = build("observation", lambda env: torch.zeros(next(shapes)))
    with pytest.raises(MjsdkError, match=r"gave a float32 tensor of shape \(2,\) on cpu; it must give .* \(3, 2\)"):
        env.step(torch.zeros(WORLDS, env.num_actions))


@pytest.mark.parametrize("given", ["0.5", None, float("nan"), float("inf"), 1j, [1.0]])
def test_a_curriculum_that_gives_no_number_is_refused(build, given):
    assert "it must give one finite number" in blamed(build, "curriculum", lambda env, worlds: given)


@pytest.mark.parametrize("given", [torch.ones(2), torch.tensor(1j), torch.tensor(float("nan"))])
def test_a_curriculum_that_gives_a_tensor_of_no_number_is_refused_when_it_is_read(build, given):
    env = build("curriculum", lambda env, worlds: given)
    with pytest.raises(MjsdkError, match=r"^env.curriculum.bad: the term hop:bad .* it must give one finite number"):
        env.log_iteration()


@pytest.mark.parametrize("given", [1, 0.5, True, np.float32(0.5), torch.tensor(0.5), torch.ones(1)])
def test_a_curriculum_may_give_whatever_is_one_number(build, given):
    assert build("curriculum", lambda env, worlds: given).log_iteration()["curriculum/bad"] == float(given)


@pytest.mark.parametrize("given", ["done", 0.0, torch.zeros(WORLDS), False])
def test_an_event_that_gives_something_believes_that_it_is_used(build, given):
    assert "it must give nothing" in blamed(build, "event", lambda env, worlds: given)


class Outcome(BaseException):
    """What test runners raise."""


class Mute(Exception):
    """An error that does not tell its text."""

    def __str__(self) -> str:
        raise SystemExit(5)

    __repr__ = __str__


ERRORS = [
    ValueError("a\nb\tc\x1b[31mred\x07"),
    RuntimeError("x" * 1_000_000),
    ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
    BaseExceptionGroup("several", [SystemExit(3)]),
    StopIteration(4),
    GeneratorExit(),
    SystemExit(7),
    Outcome("skipped"),
    Mute(),
    RecursionError(),
    SyntaxError("not this line"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
]


def raising(error: BaseException) -> Callable[..., Any]:
    def bad(*_: Any, **__: Any) -> Any:
        raise error

    return bad


def of_function(kind: str, act: Callable[..., Any]) -> Any:
    if kind in ("event", "curriculum"):
        return lambda env, worlds: act()
    return lambda env: act()


def of_class(kind: str, where: str, act: Callable[..., Any]) -> Any:
    """A term of any kind that acts in one of its methods, and is good otherwise."""
    base = {"command": CommandTerm, "action": ActionTerm}.get(kind, object)
    methods: dict[str, Any] = {"size": 1, "compute": lambda self, dt: None, "apply": lambda self, action: None}
    if base is object:
        methods = {"__init__": lambda self, env: None, "__call__": lambda self, env, *worlds: good(kind)}
    return type("Bad", (base,), {**methods, where: lambda self, *_: act()})


def good(kind: str) -> Any:
    if kind in GOOD_SHAPE:
        return torch.zeros(GOOD_SHAPE[kind], dtype=torch.bool if kind == "termination" else torch.float32)
    return 0.0 if kind == "curriculum" else None


FUNCTIONS = [kind for kind in PATHS if kind not in ("command", "action")]


@pytest.mark.parametrize(("error", "kind"), list(zip(ERRORS, itertools.cycle(FUNCTIONS), strict=False)))
def test_a_function_that_raises_is_named(build, kind, error):
    text = blamed(build, kind, of_function(kind, raising(error)))
    assert f"raised {type(error).__name__}" in text
    assert ("not this line" in text) if isinstance(error, SyntaxError) else ("test_bad_terms.py:" in text)


METHODS = [
    *((kind, method) for kind in FUNCTIONS for method in ("__init__", "__call__")),
    *((kind, "reset") for kind in ("observation", "reward", "termination", "metric")),
    *(("command", method) for method in ("__init__", "compute", "reset")),
    *(("action", method) for method in ("__init__", "apply", "reset")),
]


@pytest.mark.parametrize("error", [ZeroDivisionError("oh no"), Outcome("gone"), SystemExit(1)], ids=repr)
@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_a_class_that_raises_anywhere_is_named(build, kind, method, error):
    text = blamed(build, kind, of_class(kind, method, raising(error)))
    assert f"raised {type(error).__name__}: {error} (" in text


@pytest.mark.parametrize(("kind", "method"), [pair for pair in METHODS if pair[1] in ("compute", "apply", "reset")])
def test_a_method_that_must_act_in_place_gives_nothing(build, kind, method):
    text = blamed(build, kind, of_class(kind, method, lambda: torch.zeros(WORLDS, 1)))
    assert "it must give nothing, but change things in place" in text


@pytest.mark.parametrize("kind", ["reward", "command", "action"])
def test_ctrl_c_in_a_term_is_not_its_fault(build, kind):
    act = raising(KeyboardInterrupt())
    method = {"command": "compute", "action": "apply"}.get(kind, "__call__")
    with pytest.raises(KeyboardInterrupt):
        build(kind, of_class(kind, method, act))


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_class_that_cannot_be_called_is_named(build, kind):
    assert "raised TypeError: " in blamed(build, kind, type("Bad", (), {"__init__": lambda self, env: None}))


@pytest.mark.parametrize("size", ["2", None, 1.5])
@pytest.mark.parametrize("kind", ["command", "action"])
def test_a_width_is_a_whole_number(build, kind, size):
    term = type("Bad", (of_class(kind, "later", lambda: None),), {"size": size})
    assert "has the size " in blamed(build, kind, term)


@pytest.mark.parametrize("kind", ["command", "action"])
def test_commands_and_actions_are_subclasses_of_the_cores(build, kind):
    assert f"is not derived from mjsdk.env.{kind}s.{kind.capitalize()}Term" in blamed(build, kind, type("Bad", (), {}))


def test_a_command_that_is_replaced_rather_than_filled_is_refused(build):
    class Bad(CommandTerm):
        size = 1

        def compute(self, dt: float) -> None:
            self.command = self.command + 1.0

    assert "replaced its `command`" in blamed(build, "command", Bad)


def test_a_draw_that_is_returned_rather_than_filled_in_is_refused(build):
    class Bad(ResampledCommand):
        Config = CommandTermConfig
        size = 1

        def __init__(self, env, name, config):
            config.resampling_time_range = [1.0, 2.0]
            super().__init__(env, name, config)

        def resample(self, worlds):
            return torch.zeros(worlds.rows, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENTRIES, "command", ResampledCommandConfig)
        assert "resample gave something" in blamed(build, "command", Bad)


@pytest.mark.parametrize(
    "given",
    [None, "left", (0, 1), Reflection((0,), (1.0,)), Reflection((0, 7), (1.0, 1.0)), Reflection((0, 0), (1.0, 1.0))],
)
def test_a_mirror_image_that_does_not_fit_is_refused_before_it_is_used_as_an_index(build, given):
    env = build("observation", lambda env: torch.zeros(WORLDS, 2))
    term = env.observations.groups["actor"]._terms["bad"]
    term.term = lambda env: None
    term.term.reflection = lambda mirror, env: given
    with pytest.raises(
        MjsdkError, match=r"actor.terms.bad: the term hop:bad .* it must give a Reflection of 2 numbers"
    ):
        term.reflection(None, 2)


def test_the_rehearsal_leaves_no_trace(build):
    def draws(env):
        return env.all_worlds.uniform(0.0, 1.0)

    def constant(env):
        return torch.zeros(WORLDS)

    states = [build("metric", term).state_dict() for term in (draws, constant)]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_a_buffer_that_is_allocated_in_a_step_is_refused_as_it_would_be_missing_in_a_checkpoint(build):
    def late(env):
        return env.buffers.new("late", WORLDS)

    assert "the buffer 'late' comes too late; allocate it in the __init__ of a class" in blamed(build, "reward", late)


COMPILED = {
    "VERSIONS = None": "raised TypeError: loopy.compiled must have a dict VERSIONS",
    "VERSIONS = [1]": "raised TypeError: loopy.compiled must have a dict VERSIONS",
    "VERSION = {}": "raised TypeError: loopy.compiled must have a dict VERSIONS",
    "import loopy.terms\nVERSIONS = {loopy.terms.still: 7}": "loopy.compiled must have a dict VERSIONS",
    "raise RuntimeError('oh')": "raised RuntimeError: oh (",
    "raise SystemExit(3)": "raised SystemExit: 3 (",
    "import nosuchmodule": "raised ModuleNotFoundError: No module named 'nosuchmodule' (",
    "def (": "raised SyntaxError: ",
}


@pytest.mark.parametrize("source", COMPILED)
def test_a_broken_table_of_loops_is_blamed_on_its_term(build, source, tmp_path, monkeypatch):
    package = tmp_path / "loopy"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "compiled.py").write_text(source)
    (package / "terms.py").write_text(f"import torch\ndef still(env): return torch.zeros({WORLDS})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ops, "LOOPS", True)
    term = importlib.import_module("loopy.terms").still
    try:
        assert COMPILED[source] in blamed(build, "reward", term)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "loopy"]:
            del sys.modules[name]
