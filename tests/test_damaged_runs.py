"""Every field of a run folder is taken away or replaced: one message each time, and nothing in the folder changes."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from mjsdk.config import yamlio
from mjsdk.config.layers import compose
from mjsdk.errors import MjsdkError
from mjsdk.learn import load_policy
from mjsdk.learn.start import Changes, begin, go_on
from mjsdk.plugins import open_session
from mjsdk.runs import Run
from mjsdk.testing.worlds import TESTBOT, TESTTASK

GONE = object()
LONGER = Changes(overrides=[("agent.max_iterations", 9)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two iterations with its last checkpoint only."""
    session = open_session(TESTBOT, TESTTASK)
    small = {"env.scene.num_envs": 2, "agent.num_steps_per_env": 4, "agent.logger": "none", "env.sim.threads": 1}
    small |= {f"agent.{kind}.hidden_dims": [4] for kind in ("actor", "critic")}
    small |= {"train.log_root": str(tmp_path_factory.mktemp("logs")), "agent.algorithm.num_mini_batches": 1}
    config = compose(session, overrides=list(small.items())).config
    trainer = begin(config, session).trainer
    trainer.learn(2)
    for path in trainer.run.checkpoints()[:-1]:
        path.unlink()
    return trainer.run


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
    return {path: path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}


def evaluate(run):
    """What an evaluation reads of a run."""
    session = run.session()
    run.config(session)
    load_policy(run)


def resume(run):
    go_on(run, changes=LONGER)


def escapes(run, command, before):
    """What a command does other than raising one short message and leaving the folder alone; nothing if all is well."""
    try:
        command(Run(run.path))
    except MjsdkError as error:
        odd = "" if len(str(error)) < 2500 else f"a message of {len(str(error))} characters"
    except Exception as error:
        odd = f"{type(error).__name__}: {error}"
    else:
        odd = "nothing is said"
    return odd if contents(run) == before else f"{odd}, and the folder is changed"


def all_escapes(run, write, data, values):
    """What escapes when each place of `data` is replaced by each of the `values` for what is there."""
    found = {}
    for path in places(data):
        for value in values(value_at(data, path)):
            if value is GONE and isinstance(value_at(data, path[:-1]), tuple | list):
                continue
            write(replaced(data, path, value))
            before = contents(run)
            for command in (evaluate, resume):
                if odd := escapes(run, command, before):
                    found[".".join(map(str, path)), repr(value)[:40], command.__name__] = odd
    return found


def wrong_tensors(tensor):
    """Tensors of other shapes and kinds, with other numbers, and things that are no tensors."""
    yield from (GONE, None, "abc", [3], torch.zeros(*tensor.shape, 3), tensor.to(torch.complex64), tensor.to_sparse())
    yield torch.zeros(1).expand(10**9)
    if tensor.is_floating_point():
        yield from (torch.full_like(tensor, number) for number in (torch.nan, torch.inf))


def wrong_values(value):
    if isinstance(value, torch.Tensor):
        yield from wrong_tensors(value)
    elif isinstance(value, dict):
        yield from (GONE, None, "abc", [{}], {"a": {"b": [1]}})
    elif isinstance(value, list | tuple):
        yield from (GONE, None, "abc", [{}], 3)
    else:
        yield from (GONE, {"a": 1}, [["abc"]], torch.zeros(3), float("nan"))


def test_every_field_of_a_checkpoint_is_checked_before_anything_is_done(run):
    path = run.newest_checkpoint()
    data = torch.load(path, weights_only=True)
    found = all_escapes(run, lambda changed: torch.save(changed, path), data, wrong_values)
    # The memory of worlds and of recurrent networks is what only a training goes on with.
    only_resume = {key for key in found if key[0].startswith(("infos.env", "infos.hidden")) and key[2] == "evaluate"}
    assert {key: odd for key, odd in found.items() if key not in only_resume} == {}


def plain(*kinds):
    """Values of a file that are wrong whatever is there, of so many kinds."""
    return lambda value: (other for other in kinds if type(other) is not type(value) or other is GONE)


def test_every_field_of_what_a_run_says_of_itself_is_checked(run):
    path = run.path / "run.json"
    data = json.loads(path.read_text())
    found = all_escapes(run, lambda c: path.write_text(json.dumps(c)), data, plain(GONE, [["abc"]], {"a": 1}))
    # Without a format it is a record of an older mjsdk, which said less.
    assert {key: odd for key, odd in found.items() if key[:2] != ("format", repr(GONE)[:40])} == {}


def test_every_setting_of_a_run_is_checked(run):
    path = run.path / "config.yaml"
    data = yamlio.load(path.read_text())
    found = all_escapes(run, lambda c: path.write_text(yamlio.dump(c)), data, plain(GONE, {"no such": {"x": [1]}}))
    # An empty map or list that is missing is what it would be anyway.
    empty = {".".join(map(str, where)) for where in places(data) if value_at(data, where) in ({}, [])}
    assert {key: odd for key, odd in found.items() if key[0] not in empty} == {}
