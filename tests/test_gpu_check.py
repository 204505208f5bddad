"""`tools/gpu_check.py`: stages that fail, hang or succeed, and a miniature on the CPU."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from mjsdk import ops

REPO = Path(__file__).parents[1]
TOOL = REPO / "tools" / "gpu_check.py"
PARTS = REPO / "tests" / "evaluate" / "parts"


@pytest.fixture(scope="module")
def check():
    """The tool as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        spec = importlib.util.spec_from_file_location("gpu_check", TOOL)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, "gpu_check", module)
        spec.loader.exec_module(module)
        yield module


def python(source):
    return lambda left: [sys.executable, "-c", source]


def run(check, folder, source, left=60.0, **given):
    stage = check.Stage(name="some stage", command=python(source), **{"limit": 30.0, **given})
    return check.run(stage, folder, {}, left)


def test_a_stage_gives_what_it_prints(check, tmp_path):
    outcome = run(check, tmp_path, "print('[1, 2]')")
    assert (outcome["status"], outcome["data"], outcome["error"]) == ("ok", [1, 2], "")
    assert outcome["seconds"] > 0.0


def test_a_stage_that_fails_says_why_and_what_it_printed_is_kept(check, tmp_path):
    source = "import sys; print('[3]'); sys.exit('the driver is too old')"
    outcome = run(check, tmp_path, source)
    assert (outcome["status"], outcome["data"], outcome["error"]) == ("failed", None, "the driver is too old")
    assert (tmp_path / "logs_of_stages" / "some_stage.out").read_text() == "[3]\n"
    assert run(check, tmp_path, source, fails_with_data=True)["data"] == [3]


def test_a_stage_that_hangs_is_ended_with_all_it_has_started(check, tmp_path):
    child = f"import time; time.sleep(2); open({str(tmp_path / 'late')!r}, 'w')"
    source = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    outcome = run(check, tmp_path, source, limit=0.5)
    assert outcome["status"] == "took too long"
    assert outcome["seconds"] < 2.0
    assert not (tmp_path / "late").exists()


def test_a_stage_without_time_is_left_out(check, tmp_path):
    assert run(check, tmp_path, "print(1)", left=2.0)["status"] == "no time left"


def test_output_that_is_no_data_is_a_failure(check, tmp_path):
    outcome = run(check, tmp_path, "print('hello')")
    assert outcome["status"] == "failed"
    assert outcome["error"].startswith("its output cannot be read")


def test_the_training_takes_what_the_other_stages_leave(check, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu_check.py"])
    stages = {stage.name: stage for stage in check.every_stage(check.parse())}
    assert list(stages)[-2:] == ["train g1", "evaluate g1"]

    def minutes(left):
        words = stages["train g1"].command(left)
        return float(words[words.index("--minutes") + 1])

    assert (minutes(400.0), minutes(165.0), minutes(1.0)) == (3.0, 2.0, 0.5)
    for worlds in (1024, 4096, 8192):
        assert f"bench g1 {worlds}" in stages
        assert f"bench go1 {worlds}" in stages


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_line_says_so_and_how_to_try_it(tmp_path):
    command = [sys.executable, str(TOOL), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: there is no device 'cuda'")
    assert done.stderr.endswith("To try this check in miniature: --device cpu --quick\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "nothing"), "error: --only: no stage begins with 'nothing'. There are: kernels g1, "),
        (("--minutes", "-3"), "-3 is not above 0 and finite"),
        (("--output", Path(__file__) / "below"), "error: --output: cannot make "),
    ],
)
def test_what_it_cannot_do_is_one_message_and_no_success(tmp_path, words, said):
    command = [sys.executable, str(TOOL), "--device", "cpu", "--quick", *map(str, words)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_of_a_failure_it_repeats_the_error_and_not_what_follows_it(check, tmp_path):
    said = "warning: this\nerror: no robot 'g2'\n  installed: g1\n"
    (tmp_path / "said").write_text(said, encoding="utf-8")
    assert check.parts.last_words(tmp_path / "said") == "error: no robot 'g2' installed: g1"


def test_in_miniature_it_runs_on_the_cpu_and_writes_its_tables(tmp_path):
    what = ["--robots", str(PARTS / "glider.py"), "--task", str(PARTS / "glide.py")]
    command = [sys.executable, str(TOOL), "--device", "cpu", "--quick", *what, "--only", "bench"]
    done = subprocess.run([*command, "--output", str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    result = json.loads((tmp_path / "result.json").read_text())
    assert [(stage["name"], stage["status"]) for stage in result["stages"]] == [("bench glider 8", "ok")]
    assert result["stages"][0]["data"]["learning"]["env_steps_per_s"] > 0.0
    tables = (tmp_path / "result.md").read_text()
    assert tables.startswith("# GPU check in miniature, on a CPU: it says nothing of speed\n")
    assert "| glider 8 | " in tables


def test_the_guard_sees_steps_with_resets_and_tells_how_many(check, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", True)
    found = check.parts.syncs("cpu", str(PARTS / "glider.py"), str(PARTS / "glide.py"))
    assert found["steps"] == 20
    assert 10 <= found["steps with resets"] <= 20
    assert ops.LOOPS is False  # as on a GPU


def test_the_tables_have_a_row_for_each_thing_that_was_found(check):
    quantities = [{"name": "qpos", "largest": 3e-7}, {"name": "qvel", "largest": 6e-5}]
    bench = {
        "num_envs": 8, "env_steps_per_s": 1000.0, "physics_env_steps_per_s": 2000.0, "overhead": 2.0,
        "memory": {"used": 5e9}, "learning": None,
    }  # fmt: skip
    survival = {"survival": {"rate": 0.75}, "mean_episode_length_s": 12.3}
    run = {"iterations": 10, "seconds": 60.0, "steps": 12345, "steps_per_s": 205.0}
    slow = {**bench, "physics_env_steps_per_s": 500.0}
    data = {
        "tests": "8 passed", "parity g1": {"verdict": "agrees", "quantities": quantities}, "graphs on": bench,
        "graphs off": slow, "bench g1 8": bench, "train g1": run, "evaluate g1": survival, "syncs g1": None,
    }  # fmt: skip
    common = {"status": "ok", "seconds": 1.0, "memory_mb": 2048, "error": "a | b"}
    stages = [{"name": name, "data": found, **common} for name, found in data.items()]
    lines = check.parts.markdown({"machine": {"device": "cuda:0"}, "quick": False, "stages": stages}).splitlines()
    for line in (
        "# GPU check",
        "| device | cuda:0 |",
        "| syncs g1 | ok | 1 | 2,048 | a / b |",
        "| graphs off, 8 | 1,000 | 500 | 2.00 | - | 5.0 |",
        "| g1 8 | 1,000 | 2,000 | 2.00 | - | 5.0 |",
        "| g1 | agrees | 3.0e-07 | 6.0e-05 |",
        "| physics with graphs over physics without | 4.0 |",
        "| tests | 8 passed |",
        "| train g1 | 10 iterations in 60 s, 12,345 steps, 205 steps/s |",
        "| evaluate g1 | 75% stay up, 12.3 s per episode |",
    ):
        assert line in lines


def test_packages_that_are_not_installed_are_found_all_the_same(check, tmp_path, monkeypatch):
    monkeypatch.setattr(check.parts.importlib_metadata, "distributions", list)
    paths = check.parts.paths(tmp_path / "packages")
    assert str(tmp_path / "packages") in paths
    infos = {path.name.split("-")[0] for path in (tmp_path / "packages").iterdir()}
    names = [tomllib.loads(file.read_text())["project"]["name"] for file in REPO.glob("plugins/*/pyproject.toml")]
    assert infos == {"mjsdk", *(name.replace("-", "_") for name in names)}
    found = subprocess.run(
        [sys.executable, "-S", "-c", "import importlib.metadata as m; print(m.entry_points(group='mjsdk.robots'))"],
        env={"PYTHONPATH": ":".join(paths)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "name='g1'" in found
    assert "name='go1'" in found
