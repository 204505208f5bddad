from __future__ import annotations

import json
import re

import pytest

from mjsdk.bench import Result

from .conftest import PARTS

WHAT = ("--robot", PARTS / "glider.py", "--task", PARTS / "glide.py", "--num-envs", 4, "--blocks", 3, "--steps", 5)


def test_json_holds_speeds_and_overhead(mjsdk):
    code, out, _ = mjsdk("bench", *WHAT, "--json", "--env.sim.threads", 1)
    data = json.loads(out)
    assert code == 0
    assert (data["num_envs"], data["threads"], data["physics"]) == (4, 1, "cpu")
    assert data["overhead"] > 1.0
    assert data["physics_env_steps_per_s"] > data["env_steps_per_s"] > 0
    assert sorted(data["blocks"])[1] == data["overhead"]


def test_people_get_a_table(mjsdk):
    code, out, _ = mjsdk("bench", *WHAT)
    assert code == 0
    assert "physics alone" in out
    assert "median of 3 blocks" in out
    assert "times as long as its physics alone." in out


def test_counts_below_one_are_reported_with_their_values(mjsdk):
    code, _, err = mjsdk("bench", *WHAT[:4], "--blocks", 0, "--steps", -1)
    assert code == 2
    assert "--blocks: must be at least 1, not 0" in err
    assert "--steps: must be at least 1, not -1" in err
    assert "--blocks: must be at most 10000, not 1000000000000" in mjsdk("bench", *WHAT[:4], "--blocks", 10**12).err


def test_a_misspelt_setting_is_one_message(mjsdk):
    code, _, err = mjsdk("bench", *WHAT, "--env.sim.treads", 1)
    assert code == 2
    assert "env.sim.treads" in err
    assert "threads" in err


def test_json_holds_the_device_its_memory_and_the_settings_of_the_physics(mjsdk):
    data = json.loads(mjsdk("bench", *WHAT, "--json", "--device", "cpu").out)
    assert (data["device"], data["learning"]) == ("cpu", None)
    assert data["device_name"]
    assert 0 < data["memory"]["own"] <= data["memory"]["used"] <= data["memory"]["total"]
    assert (data["settings"]["solver"], data["settings"]["decimation"]) == ("pgs", 2)


def test_whole_iterations_are_timed_with_learning(mjsdk):
    words = ("--with-learning", "--iterations", 2, "--device", "cpu")
    data = json.loads(mjsdk("bench", *WHAT, *words, "--json", "--agent.num-steps-per-env", 6).out)
    learning = data["learning"]
    parts = learning["physics_s"] + learning["environment_s"] + learning["learning_s"]
    assert (learning["iterations"], learning["num_steps_per_env"]) == (2, 6)
    assert parts == pytest.approx(learning["iteration_s"])
    assert learning["env_steps_per_s"] == pytest.approx(4 * 6 / learning["iteration_s"])
    assert learning["env_steps_per_s"] < data["env_steps_per_s"]


def test_people_see_where_the_time_of_an_iteration_goes(mjsdk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = mjsdk("bench", *WHAT, "--with-learning", "--iterations", 1).out
    assert re.search(r"8 steps and an update: .* s \(physics \d+%, environment \d+%, learning \d+%\)", out)
    assert re.search(r"GB of memory here, .* GB in use by all", out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_sweep_runs_in_processes_and_recommends_what_it_tried(mjsdk):
    code, out, err = mjsdk("bench", *WHAT[:4], "--sweep", "--sizes", "4", "--iterations", 1, "--minutes", 0.1)
    assert err == ""
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert code == 0
    assert rows[0][:2] == ["4", "8"]
    assert re.search(
        r"^Recommended: --env.scene.num-envs 4 --agent.num-steps-per-env \d+, [\d,]+ steps per iteration, ", out, re.M
    )
    assert "No more worlds were tried: these were all." in out


def test_both_physics_stand_side_by_side_with_what_each_was_asked(mjsdk, monkeypatch):
    """In one process, since starting two takes long."""
    asked = []

    def here(words):
        asked.append(words)
        return Result.from_json(json.loads(mjsdk("bench", *words, "--json").out))

    monkeypatch.setattr("mjsdk.cli._benched.apart", here)
    code, out, _ = mjsdk("bench", *WHAT, "--compare-physics", "--device", "cpu", "--env.decimation", 3)
    assert code == 0
    assert [words[words.index("--physics") + 1] for words in asked] == ["cpu", "warp"]
    assert "pgs, 8 iterations" in out
    assert "newton, 6 iterations" in out
    assert re.search(r"time step +3 x 10 ms +3 x 10 ms", out)
    assert re.search(r"'warp' takes [\d.]+ times the steps of 'cpu'", out)


def test_what_one_physics_does_not_have_cannot_be_compared(mjsdk):
    code, out, err = mjsdk("bench", *WHAT, "--compare-physics", "--device", "cpu", "--env.sim.solver", "pgs")
    assert (code, out) == (2, "")
    assert "env.sim.solver" in err
    assert "timing" not in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "--compare-physics"), "--sweep: finds a number of worlds for one physics: leave out"),
        (("--sweep", "--num-envs", 4), "--num-envs: is what --sweep finds out"),
        (("--compare-physics", "--physics", "cpu"), "--physics: cpu is one physics, and --compare-physics takes both"),
        (("--sweep", "--sizes", "8,x"), "--sizes: 'x' is not a number of worlds; give whole numbers from 1"),
        (("--sweep", "--sizes", "8,,0"), "--sizes: '0' is not a number of worlds"),
        (("--sweep", "--minutes", "-1"), "--minutes: -1 is not a time to measure for"),
        (("--sizes", "8"), "--sizes: is for --sweep alone"),
        (("--minutes", "3"), "--minutes: is for --sweep alone"),
        (("--sweep", "--minutes", "nan"), "--minutes: nan is not a time to measure for"),
        (("--iterations", 0), "--iterations: must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_measured_is_one_message(mjsdk, words, message):
    code, out, err = mjsdk("bench", *WHAT[:4], *words)
    assert (code, out) == (2, "")
    assert message in err
