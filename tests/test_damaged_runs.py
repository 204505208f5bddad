"""Every field of a run folder is taken away or replaced: one message each time, and nothing in the folder changes."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from mjsdk.config.settings import Given, compose
from mjsdk.errors import BrokenRun, MjsdkError
from mjsdk.learn.policy import check_layout, describe_env, load_policy
from mjsdk.learn.start import resume, start
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.runs import Run
from mjsdk.testing.worlds import TESTBOT, TESTTASK

GONE = object()
LONGER = Given(overrides=[("agent.max_iterations", 9)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two iterations with its last checkpoint only."""
    session = open_session(TESTBOT, TESTTASK, core=core_terms)
    small = {"env.scene.num_envs": 2, "agent.num_steps_per_env": 4, "agent.logger": "none", "env.sim.threads": 1}
    small |= {f"agent.{kind}.hidden_dims": [4] for kind in ("actor", "critic")}
    small |= {"train.log_root": str(tmp_path_factory.mktemp("logs")), "agent.algorithm.num_mini_batches": 1}
    config = compose(session, overrides=list(small.items())).config
    training = start(config, session)
    training.trainer.learn(2)
    training.close()
    run = training.trainer.run
    for path in run.checkpoints()[:-1]:
        path.unlink()
    return run


@pytest.fixture
def run(trained, tmp_path):
    return Run(shutil.copytree(trained.path, tmp_path / "run"))


def places(data, path=()):
    """Where values stand in nested data: every branch and every leaf."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list | tuple) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from places(value, (*path, key))


def value_at(data, path):
    for key in path:
        data = data[key]
    return data


def replaced(data, path, value):
    """A copy of nested data with another value at a place, or without it."""
    if not path:
        return value
    key, *rest = path
    new = {**data} if isinstance(data, dict) else list(data)
    if not rest and value is GONE:
        del new[key]
    else:
        new[key] = replaced(data[key], rest, value)
    return tuple(new) if isinstance(data, tuple) else new


def contents(run):
    """All files but those of the lock, which says who looks at a run."""
    return {path: path.read_bytes() for path in sorted(run.path.rglob("[!.]*")) if path.is_file()}


def wrong_values():
    """For a value each way of being wrong in turn, taken away always."""
    tensors = itertools.cycle(
        [
            lambda tensor: None,
            lambda tensor: torch.zeros(*tensor.shape, 3),
            lambda tensor: tensor.to(torch.complex64),
            lambda tensor: tensor.to_sparse(),
            lambda tensor: torch.zeros(1).expand(10**9),
            lambda tensor: "abc",
        ]
    )
    branches = itertools.cycle([None, "abc", [{}], 3, {"a": {"b": [1]}}])
    leaves = itertools.cycle([{"a": 1}, [["abc"]], torch.zeros(3), float("nan")])

    def of(value):
        if isinstance(value, torch.Tensor):
            return GONE, next(tensors)(value)
        wrong = next(branches if isinstance(value, dict | list | tuple) and value else leaves)
        return GONE, wrong if type(wrong) is not type(value) else {"abc"}

    return of


def escapes(run, data, write, values, command):
    """What a command does, by place and value, other than raising one short message and leaving the folder alone."""
    found = {}
    for path in places(data):
        for value in values(value_at(data, path)):
            if value is GONE and isinstance(value_at(data, path[:-1]), tuple | list):
                continue
            write(replaced(data, path, value))
            if odd := escape(run, command):
                found[".".join(map(str, path)), "GONE" if value is GONE else repr(value)[:40]] = odd
    return found


def escape(run, command):
    before = contents(run)
    try:
        command(Run(run.path))
    except MjsdkError as error:
        odd = "" if len(str(error)) < 2500 else f"a message of {len(str(error))} characters"
    except Exception as error:
        odd = f"{type(error).__name__}: {error}"
    else:
        odd = "nothing is said"
    return odd if contents(run) == before else f"{odd}, and the folder is changed"


@pytest.mark.slow
def test_every_field_of_a_checkpoint_is_checked_as_it_is_read(run):
    path = run.newest_checkpoint()
    data = torch.load(path, weights_only=True)
    env = resume(Run(run.path), given=LONGER).trainer.env

    def read(again):
        check_layout(load_policy(again).description, describe_env(env), again)

    found = escapes(run, data, lambda changed: torch.save(changed, path), wrong_values(), read)
    # What a setting meant is compared as far as the checkpoint tells, progress that it does not tell follows from the
    # iterations, and older versions of torch have fewer options.
    untold = (
        "infos.policy.meaning.",
        "infos.totals.progress.",
        "optimizer_state_dict.param_groups.0.decoupled_weight_decay",
    )
    assert {key for key in found if not key[0].startswith(untold)} == set()
    assert {value for _, value in found} == {"GONE"}


def test_every_field_of_what_a_run_says_of_itself_is_checked(run):
    path = run.path / "run.json"
    data = json.loads(path.read_text())

    def of(value):
        return [GONE, *(other for other in ([["abc"]], {"a": 1}) if type(other) is not type(value) or value)]

    found = escapes(run, data, lambda changed: path.write_text(json.dumps(changed)), of, Run.session)
    # Without a format it is a record of an older mjsdk, which said less; only a logger asks for the id. One process
    # need not say that it is alone.
    assert found == {(field, "GONE"): "nothing is said" for field in ("format", "processes")}


@pytest.mark.slow
def test_every_setting_of_a_run_is_checked(run):
    data, session = run.config_data, run.session()
    changed = {}

    def write(new):
        changed["data"] = new

    def compose_again(again):
        again.__dict__["config_data"] = changed["data"]  # reading YAML takes longer than all that is tested here
        again.config(session)

    def of(value):
        return (GONE, {"no such": {"x": [1]}}) if isinstance(value, dict) else (GONE,)

    found = escapes(run, data, write, of, compose_again)
    empty = {".".join(map(str, path)) for path in places(data) if value_at(data, path) in ({}, [])}
    assert {key for key in found if key[0] not in empty} == set()


@pytest.mark.parametrize(
    ("place", "spoil"),
    [
        (("optimizer_state_dict", "state", 0, "exp_avg"), lambda t: torch.full_like(t, torch.nan)),
        (("optimizer_state_dict", "state", 0, "exp_avg"), lambda t: torch.zeros(1)),
        (("optimizer_state_dict", "state", 0, "exp_avg_sq"), lambda t: t - 1),
        (("optimizer_state_dict", "param_groups", 0, "betas"), lambda t: [5.0, "x"]),
        (("infos", "env", "physics/state"), lambda t: torch.full_like(t, torch.inf)),
        (("infos", "hidden", "actor"), lambda t: torch.zeros(1, 2, 4)),
    ],
)
def test_a_training_goes_on_with_nothing_that_would_spoil_it_and_writes_nothing_before(run, place, spoil):
    path = run.newest_checkpoint()
    data = torch.load(path, weights_only=True)
    torch.save(replaced(data, place, spoil(value_at(data, place))), path)
    assert escape(run, lambda again: resume(again, given=LONGER)) == ""


def test_worlds_with_numbers_that_are_none_or_of_another_kind_are_refused(run):
    trainer = resume(run, given=LONGER).trainer
    state = torch.load(run.newest_checkpoint(), weights_only=True)
    for name, tensor in state["infos"]["env"].items():
        wrong = [tensor.int() if tensor.is_floating_point() else tensor.float()]
        if tensor.is_floating_point() and tensor.numel():
            wrong += [torch.full_like(tensor, number) for number in (torch.nan, 1e30)]
        for value in wrong:
            with pytest.raises(MjsdkError, match="does not fit: infos"):
                trainer.load_state_dict(replaced(state, ("infos", "env", name), value))
    trainer.load_state_dict(state)


def test_a_resumed_training_goes_on_exactly_although_a_step_is_tried(run):
    training = resume(run, given=LONGER).trainer
    saved = torch.load(run.newest_checkpoint(), weights_only=True)["infos"]["env"]
    now = training.env.state_dict()
    assert all(torch.equal(now[name], tensor) for name, tensor in saved.items())


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def huge(path):
    path.touch()
    os.truncate(path, 2**40)


@pytest.mark.parametrize("make", [pipe, endless, huge, Path.mkdir])
@pytest.mark.parametrize("name", ["config.yaml", "run.json", "metrics.jsonl"])
def test_files_that_never_end_or_are_none_are_refused_before_anything_is_written(run, name, make):
    (run.path / name).unlink(missing_ok=True)
    before = contents(run)
    make(run.path / name)
    with pytest.raises(BrokenRun, match=rf"{name} (cannot be read|is not read)"):
        resume(Run(run.path), given=LONGER)
    (run.path / name).rmdir() if make is Path.mkdir else (run.path / name).unlink()
    assert contents(run) == before
