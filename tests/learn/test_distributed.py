"""Two processes train together, as torchrun starts them: on the CPU, by gloo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mjsdk.api import load_run
from mjsdk.cli import main
from mjsdk.env.log import combined
from mjsdk.errors import ConfigError
from mjsdk.learn.checkpoints import read_checkpoint
from mjsdk.learn.distributed import ALONE, Ranks, check_gpus
from mjsdk.runs import find_run
from mjsdk.runtime import Place, available_threads, place, take_own_gpu
from mjsdk.testing.worlds import TESTBOT, TESTTASK

PARTS = Path(__file__).parent / "parts"
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SMALL = [
    *("--env.scene.num-envs", "6", "--agent.num-steps-per-env", "10", "--agent.algorithm.num-mini-batches", "2"),
    *("--agent.actor.hidden-dims", "[16]", "--agent.critic.hidden-dims", "[16]", "--agent.logger", "none"),
    *("--agent.actor.obs-normalization", "true", "--agent.critic.obs-normalization", "true"),
    *("--agent.algorithm.schedule", "adaptive", "--agent.save-interval", "1"),
]
TRAIN = ["train", "--robot", TESTBOT, "--task", TESTTASK, *SMALL]
HOST = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
HOST |= {"MASTER_ADDR": "localhost", "MASTER_PORT": "29400"}


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "MJSDK_STATE_DIR": str(folder / "state")}


def begin(folder: Path, *args: str) -> subprocess.Popen[str]:
    """Start two processes that train in a folder, observed."""
    command = [*TORCHRUN, str(PARTS / "observed.py"), str(folder), *args]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str], folder: Path) -> SimpleNamespace:
    """What a training printed, how it ended, and what each of its processes had by then."""
    out, err = process.communicate(timeout=120)
    states = [torch.load(path) for path in sorted(folder.glob("?.pt"))]
    return SimpleNamespace(code=process.returncode, out=out, err=err, states=states)


def iterations(folder: Path, count: int) -> None:
    """Wait until so many iterations are done."""
    until = time.monotonic() + 100
    while sum(len(path.read_text().splitlines()) for path in folder.rglob("metrics.jsonl")) < count:
        assert time.monotonic() < until
        time.sleep(0.05)


def errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("error: ")]


def same(one: object, other: object) -> bool:
    """Whether two states are the same in every bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Three iterations of two processes."""
    folder = tmp_path_factory.mktemp("pair")
    done = ended(begin(folder, *TRAIN, "--agent.max-iterations", "3"), folder)
    assert done.code == 0, done.err
    done.run = find_run("latest", folder / "logs")
    done.folder = folder
    return done


LEARNED = ("actor_state_dict", "critic_state_dict", "average_state_dict", "optimizer_state_dict", "learning_rate")


def test_networks_normalisers_and_learning_rates_are_equal_on_all_ranks(pair):
    first, second = pair.states
    assert [name for name in LEARNED if not same(first[name], second[name])] == []
    assert first["learning_rate"] != 1e-3
    assert int(first["actor_state_dict"]["obs_normalizer.count"]) == 2 * 6 * (24 + 3 * 10)


def test_each_rank_has_worlds_and_random_numbers_of_its_own(pair):
    first, second = (state["own"] for state in pair.states)
    ours, theirs = (own["env"]["last/actor"] for own in (first, second))
    assert not (ours.unsqueeze(1) == theirs).all(2).any()  # no world of one is a world of the other
    assert not torch.equal(first["rng"]["torch"], second["rng"]["torch"])
    assert not torch.equal(first["env"]["generator"], second["env"]["generator"])


def test_rank_0_alone_speaks_and_makes_the_one_run(pair):
    assert len([*pair.folder.rglob("config.yaml")]) == 1
    assert [row["iteration"] for row in pair.run.metrics()] == [1, 2, 3]
    assert pair.run.info["processes"] == 2
    for text in ("composing ", "run     ", "iteration 3/3 ", "all iterations are done: 3 iterations, 360 steps"):
        assert (pair.out + pair.err).count(text) == 1
    assert "torchrun --nproc-per-node 2 -m mjsdk train --resume" in pair.out


def test_what_is_logged_is_of_the_worlds_of_all_ranks(pair):
    for i, row in enumerate(pair.run.metrics()):
        logs = [state["logs"][i] for state in pair.states]
        assert logs[0]["reward/upright"] != logs[1]["reward/upright"]
        assert row["timesteps"] == (i + 1) * 2 * 6 * 10
        assert {name: row[name] for name in combined(logs)} == combined(logs)


def test_the_ranks_on_a_machine_share_its_threads(pair):
    share = max(1, available_threads() // 2)
    assert [state["threads"] for state in pair.states] == [(min(share, 6), max(1, min(share, 8) // 2))] * 2


def test_a_checkpoint_holds_the_worlds_of_all_ranks(pair):
    infos = read_checkpoint(pair.run, pair.run.newest_checkpoint())["infos"]
    for saved, state in zip([infos, *infos["ranks"]], pair.states, strict=True):
        assert same({name: saved[name] for name in state["own"]}, state["own"])


def test_a_run_of_many_ranks_gives_a_policy_like_any_other(pair, monkeypatch):
    monkeypatch.setenv("MJSDK_STATE_DIR", str(pair.folder / "state"))
    run = load_run(pair.run.path)
    env = run.make_env({"env.scene.num_envs": 2})
    assert run.policy()(env.reset()).shape == (2, env.num_actions)


def test_two_ranks_resume_exactly_and_one_begins_its_worlds_again(pair, monkeypatch, capsys):
    resume = ["train", "--resume", "--agent.load-checkpoint", "model_2.pt", "--agent.max-iterations", "3"]
    done = ended(begin(pair.folder, *resume), pair.folder)
    assert done.code == 0, done.err
    assert "start over" not in done.err
    for before, after in zip(pair.states, done.states, strict=True):
        assert [name for name in (*LEARNED, "threads") if not same(before[name], after[name])] == []
        assert [name for name in ("env", "hidden") if not same(before["own"][name], after["own"][name])] == []
        assert torch.equal(before["own"]["rng"]["torch"], after["own"]["rng"]["torch"])
        assert before["logs"][-1] == after["logs"][-1]

    monkeypatch.chdir(pair.folder)
    monkeypatch.setenv("MJSDK_STATE_DIR", str(pair.folder / "state"))
    with pytest.raises(SystemExit) as caught:
        main(["train", "--resume", "--agent.max-iterations", "4"])
    assert not caught.value.code
    out, err = capsys.readouterr()
    assert "the worlds start over, because 2 processes trained and 1 will now" in err
    assert "resume  at iteration 3, 360 steps so far" in out
    assert pair.run.metrics()[-1]["timesteps"] == 360 + 60


def test_a_rank_that_is_killed_ends_all_with_one_message(tmp_path):
    process = begin(tmp_path, *TRAIN, "--agent.max-iterations", "100000")
    iterations(tmp_path, 2)
    os.kill(int((tmp_path / "1.pid").read_text()), signal.SIGKILL)
    killed = time.monotonic()
    done = ended(process, tmp_path)
    assert time.monotonic() - killed < 15
    assert done.code != 0
    (message,) = errors(done.err)
    assert message.startswith("error: another process of this training is lost, and all end with it: it has failed, ")
    assert "Resume with: torchrun --nproc-per-node 2 -m mjsdk train --resume" in done.err
    assert "mjsdk/learn" not in done.err  # no traceback but that of torchrun
    run = find_run("latest", tmp_path / "logs")
    assert read_checkpoint(run, run.newest_checkpoint())["iter"] >= 2
    assert not [path for path in run.path.rglob("*") if path.suffix == ".tmp"]


def test_a_rank_that_fails_ends_all_with_its_error(tmp_path):
    faulty = ["--with", str(PARTS / "faulty.py"), "--env.rewards.faulty.func", "faulty:faulty"]
    done = ended(begin(tmp_path, *TRAIN, *faulty, "--env.rewards.faulty.weight", "1"), tmp_path)
    assert done.code != 0
    (message,) = errors(done.err)
    assert message.startswith("error: rank 1: ")
    assert "faulty" in message
    assert "no more" in message
    assert "Resume with" in done.err


def test_ctrl_c_saves_the_last_iteration(tmp_path):
    process = begin(tmp_path, *TRAIN, "--minutes", "60")
    iterations(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    done = ended(process, tmp_path)
    assert errors(done.err) == []
    run = find_run("latest", tmp_path / "logs")
    last = run.metrics()[-1]["iteration"]
    assert f"interrupted: {last} iterations" in done.out
    assert run.newest_checkpoint().name == f"model_{last}.pt"
    assert len(read_checkpoint(run, run.newest_checkpoint())["infos"]["ranks"]) == 1


# One process of several, without the others


def test_a_process_that_torchrun_did_not_start_is_alone():
    assert place({}) is None
    assert place({"LOCAL_WORLD_SIZE": "2"}) is None
    assert ALONE.alone
    assert ALONE.leads
    assert ALONE.gather("this") == ["this"]
    assert ALONE.seed(7) == 7


def test_a_process_finds_its_place_in_what_torchrun_says():
    assert place(HOST) == Place(rank=1, size=4, local_rank=1, local_size=2)
    assert place({**HOST, "WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"WORLD_SIZE": None}, "WORLD_SIZE: is not set, but RANK is"),
        ({"LOCAL_RANK": None}, "LOCAL_RANK: is not set, but RANK is"),
        ({"RANK": "one"}, "RANK: 'one' is not a whole number from 0"),
        ({"RANK": "-1"}, "RANK: '-1' is not a whole number from 0"),
        ({"RANK": "4"}, "RANK: 4 must be below WORLD_SIZE, 4"),
        ({"LOCAL_RANK": "2"}, "LOCAL_RANK: 2 must be below LOCAL_WORLD_SIZE, 2"),
        ({"LOCAL_WORLD_SIZE": "5"}, "LOCAL_WORLD_SIZE: 5 must be at most WORLD_SIZE, 4"),
        ({"MASTER_PORT": "abc"}, "MASTER_PORT: 'abc' is not a port: a whole number from 1 to 65535"),
        ({"MASTER_PORT": "65536"}, "MASTER_PORT: '65536' is not a port"),
        ({"MASTER_PORT": None}, "MASTER_PORT: is not set, but RANK is"),
    ],
)
def test_variables_that_make_no_sense_are_one_clear_error(monkeypatch, capsys, wrong, message):
    for name, value in {**HOST, **wrong}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        main(["train", "--robot", TESTBOT, "--task", TESTTASK])
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert message in err
    assert "start with `torchrun --nproc-per-node N -m mjsdk train ...`" in err


@pytest.mark.parametrize(
    ("visible", "device", "own"),
    [
        (None, "auto", "1"),
        (None, "cuda", "1"),
        ("3,5", "cuda", "5"),
        ("3, GPU-8f,7", "auto", "GPU-8f"),
        ("", "auto", ""),
    ],
)
def test_each_process_sees_only_the_gpu_of_its_number(monkeypatch, visible, device, own):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    take_own_gpu(place(HOST), device)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == own
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_more_processes_than_visible_gpus_are_refused(monkeypatch, device):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES=3 lists 1 for 2 processes on this machine"):
        take_own_gpu(place(HOST), device)


def test_one_gpu_for_all_processes_is_refused():
    with pytest.raises(ConfigError, match="cuda:1 is one GPU for all processes, and each takes its own: give cuda"):
        take_own_gpu(place(HOST), "cuda:1")


def test_processes_without_a_gpu_beside_others_with_one_are_refused():
    check_gpus([1, 1])
    check_gpus([0, 0])
    with pytest.raises(ConfigError, match="there is no GPU for rank 2, 3: more processes were started"):
        check_gpus([1, 1, 0, 0])


def test_seeds_of_ranks_are_far_apart_and_legal():
    seeds = {Ranks(Place(rank, 64, 0, 1)).seed(seed) for rank in range(64) for seed in (*range(100), 2**31 - 1)}
    assert len(seeds) == 64 * 101
    assert max(seeds) < 2**32


def test_logs_are_combined_as_if_one_environment_had_all_worlds():
    one = {"reward/upright": 1.0, "train/episodes": 3.0, "train/mean_reward": 2.0, "metrics/fall_rate": 1.0}
    other = {"reward/upright": 2.0, "train/episodes": 1.0, "train/mean_reward": 6.0, "metrics/fall_rate": 0.0}
    wanted = {"reward/upright": 1.5, "train/episodes": 4.0, "train/mean_reward": 3.0, "metrics/fall_rate": 0.75}
    assert combined([one, other]) == wanted
    assert combined([one, {"reward/upright": 2.0}]) == one | {"reward/upright": 1.5}
