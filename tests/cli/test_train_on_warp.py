"""Training on MuJoCo Warp, on its CPU device, from the command line."""

from __future__ import annotations

import json

import pytest

from mjsdk.runs import newest_run

ON_WARP = ("--physics", "warp", "--device", "cpu")
SMALL = ("--env.scene.num-envs", 16, "--agent.num-steps-per-env", 8, "--agent.logger", "none")


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def train(mjsdk):
    def call(robot, *args):
        pytest.importorskip(f"mjsdk_robot_{robot}")
        what = ("--robot", robot, "--task", "velocity")
        done = mjsdk("train", *what, *ON_WARP, *SMALL, "--seed", 3, *args)
        assert done.code == 0, done.err
        return newest_run("logs")

    return call


def numbers(run):
    """What was logged of each iteration, but for times."""
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if not name.startswith("time/")} for line in lines]


@pytest.mark.parametrize("robot", ["g1", "go1"])
def test_a_training_resumes_exactly(robot, train):
    whole = numbers(train(robot, "--agent.max-iterations", 2))
    run = train(robot, "--agent.max-iterations", 1, "--run-name", "again")
    assert numbers(run) == whole[:1]
    resumed = train(robot, "--resume", "--agent.load-run", run.name, "--agent.max-iterations", 2)
    assert resumed.path == run.path
    assert numbers(run) == whole


def test_a_policy_is_evaluated(train, mjsdk):
    run = train("go1", "--agent.max-iterations", 1)
    found = mjsdk("eval", run.path, *ON_WARP, "--sim", "fast", "--num-envs", 8, "--json")
    assert found.code == 0, found.err
    facts = json.loads(found.out)
    assert facts["physics"] == "warp"
    assert facts["episodes"] == 8
