"""Trainings that continue, go back, and outlive what surrounds them, on a robot that costs nothing."""

import io
import json
import sys
from pathlib import Path

import pytest
import torch

from mjsdk.api import load_run
from mjsdk.config.overrides import parse_flags
from mjsdk.config.root import TrainConfig
from mjsdk.config.settings import Given
from mjsdk.evaluate.run import check_run
from mjsdk.evaluate.setup import Options
from mjsdk.learn.start import continued_on
from mjsdk.physics import resolve
from mjsdk.runs import find_run
from mjsdk.runs.lock import RunLock

PARTS = Path(__file__).parents[1] / "evaluate" / "parts"


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mjsdk.learn.start.use_threads", lambda device: torch.get_num_threads())
    monkeypatch.setattr("mjsdk.ops.ahead.start", lambda packages: None)


@pytest.fixture
def train(mjsdk):
    def call(iterations, *args, resume=False):
        which = ("--resume",) if resume else ("--robot", PARTS / "glider.py", "--task", PARTS / "glide.py")
        new = () if resume else ("--env.scene.num-envs", 4, "--agent.num-steps-per-env", 4, "--agent.logger", "none")
        return mjsdk("train", *which, *new, "--agent.max-iterations", iterations, *args)

    return call


def iterations(path):
    return [json.loads(line)["iteration"] for line in path.read_text().splitlines()]


def contents(run):
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_after_going_back_newest_is_what_was_trained_last(train):
    assert train(5, "--agent.save-interval", 1)[0] == 0
    code, _, err = train(3, "--agent.load-checkpoint", "model_2.pt", resume=True)
    run = find_run("latest")
    assert code == 0, err
    assert "goes back to iteration 2" in err
    assert "model_3.pt, model_4.pt, model_5.pt" in err
    assert run.newest_checkpoint().name == "model_3.pt"
    assert load_run("latest").policy().checkpoint.name == "model_3.pt"
    assert train(6, resume=True)[0] == 0
    assert iterations(run.path / "metrics.jsonl") == [1, 2, 3, 4, 5, 6]
    (aside,) = (run.path / "abandoned").iterdir()
    assert iterations(aside / "metrics.jsonl") == [3, 4, 5]
    assert [entry["iteration"] for entry in find_run("latest").info["resumed"]] == [2, 3]


@pytest.mark.parametrize("wrong", [("--seed", 9), ("--agent.actor.hidden-dims", "[8]"), ("--env.rewards.no.weight", 1)])
def test_a_going_back_that_is_refused_moves_nothing(train, wrong):
    train(2, "--agent.save-interval", 1)
    run = find_run("latest")
    before = contents(run)
    assert train(3, "--agent.load-checkpoint", "model_1.pt", *wrong, resume=True)[0] == 2
    assert contents(run) == before


def test_a_run_records_where_it_runs_and_continues_there(train):
    assert train(1)[0] == 0
    run = find_run("latest")
    assert (run.config_data["train"]["device"], run.config_data["train"]["physics"]) == ("cpu", "cpu")
    code, _, err = train(2, "--physics", "warp", resume=True)
    assert code == 2
    assert "env.sim.solver: the physics 'warp' has no pgs. Legal: cg, newton; --preset fast" in err
    assert f"(from run {run.name})" in err
    code, out, _ = train(2, "--device", "auto", "--physics", "auto", resume=True)
    assert code == 0
    assert "steps on cpu, physics cpu" in out


@pytest.mark.parametrize(
    ("flags", "continues"),
    [
        ("", ("cpu", "warp")),
        ("--train.device cpu", ("cpu", "warp")),
        ("--train.physics auto", ("cpu", "cpu")),
        ("--train.device cuda:1", ("cuda:1", "warp")),
        ("--train.device cuda:1 --train.physics warp", ("cuda:1", "warp")),
    ],
)
def test_a_training_by_warp_on_the_cpu_continues_so_unless_asked_otherwise(monkeypatch, flags, continues):
    monkeypatch.setattr("mjsdk.physics.select._cuda_devices", lambda: (["A100", "T4"], ""))
    before = TrainConfig(device="cpu", physics="warp")
    assert continued_on(before, Given(overrides=parse_flags(flags.split()))) == continues


@pytest.mark.parametrize(("device", "physics", "now"), [("cuda:0", "warp", "cpu"), ("cpu", "cpu", "cuda:0")])
def test_a_device_of_another_kind_has_its_own_physics(monkeypatch, device, physics, now):
    monkeypatch.setattr("mjsdk.physics.select._cuda_devices", lambda: (["A100"], ""))
    given = Given(overrides=[("train.device", now)])
    assert continued_on(TrainConfig(device=device, physics=physics), given) == resolve(now)


def test_a_run_that_was_resumed_is_the_latest(train):
    for name in ("first", "second"):
        train(1, "--run-name", name)
    assert find_run("latest").name.endswith("second")
    train(2, "--agent.load-run", ".*first", resume=True)
    assert find_run("latest").name.endswith("first")


def test_a_second_training_of_one_run_is_refused_and_changes_nothing(train):
    train(1)
    run = find_run("latest")
    lock = RunLock(run).acquire()
    before = contents(run)
    code, _, err = train(2, "--env.scene.num-envs", 8, resume=True)
    assert code == 2
    assert f"error: run {run.path} is being trained by process" in err
    assert contents(run) == before
    check_run(run, Options(num_envs=1))  # who only reads needs no lock
    lock.release()
    assert train(2, resume=True)[0] == 0


class Leaving(io.StringIO):
    """A reader that leaves after the first iteration."""

    def write(self, text):
        if "iteration 2/" in self.getvalue() + text:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_a_reader_that_leaves_does_not_end_a_training(train, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Leaving())
    code, _, err = train(4)
    assert code == 0
    assert err.count("nothing can be written to the standard output any more; the training continues") == 1
    run = find_run("latest")
    assert iterations(run.path / "metrics.jsonl") == [1, 2, 3, 4]
    assert run.newest_checkpoint().name == "model_4.pt"


@pytest.mark.parametrize("where", ["mjsdk.learn.progress.PlainView.iteration", "mjsdk.learn.videos.Videos.iteration"])
def test_a_view_that_fails_does_not_end_a_training(train, where, monkeypatch):
    def failing(*_):
        raise SystemExit(7)

    monkeypatch.setattr("mjsdk.learn.videos.Videos._film", lambda self: None)
    monkeypatch.setattr(where, failing)
    code, _, err = train(2, "--video")
    assert code == 0
    assert err.count("the training continues without") == 1
    assert find_run("latest").newest_checkpoint().name == "model_2.pt"


def test_the_way_on_names_the_experiment_where_another_has_a_run_of_that_name(train, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda *_: "now")
    outputs = [train(1, "--agent.experiment-name", name)[1] for name in ("a_a", "b_b")]
    assert "--agent.load-run now --agent" in outputs[0]
    assert "--agent.load-run b_b/now --agent" in outputs[1]
    code, _, err = train(2, "--agent.load-run", "a_a/now", resume=True)
    assert code == 0, err
    assert find_run("a_a/now").newest_checkpoint().name == "model_2.pt"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("robot: spider\n", "robot: these settings are for 'spider'"),
        ("extras: [jump]\n", "extras: 'jump' is not loaded"),
    ],
)
def test_a_file_for_another_training_does_not_change_whose_run_it_is(train, tmp_path, file, said):
    assert train(1)[0] == 0
    before = contents(find_run("latest"))
    (tmp_path / "other.yaml").write_text(file)
    code, _, err = train(2, "--config", tmp_path / "other.yaml", resume=True)
    assert code == 2
    assert said in err
    assert {path: data for path, data in contents(find_run("latest")).items() if path in before} == before


@pytest.mark.parametrize("gone", ["env.observations.actor", "env.observations.critic", "env.actions.joint_pos"])
def test_a_training_without_what_networks_need_is_refused_before_it_begins(train, gone):
    code, _, err = train(1, f"--{gone}", "null")
    assert code == 2
    assert "must have terms" in err
    assert not Path("logs").exists()
