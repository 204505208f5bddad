"""`mjsdk config`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from mjsdk.cli import main

PARTS = Path(__file__).parents[1] / "config" / "parts"
ON = ("--robot", str(PARTS / "stick.py"), "--task", str(PARTS / "stand.py"))


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["config", *ON, *args])
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def test_it_prints_yaml_with_origins(capsys):
    code, out, err = run(capsys, "--agent.seed", "7")
    assert (code, err) == (0, "")
    assert "seed: 7  # flag\n" in out
    assert "solver: pgs  # preset cpu\n" in out
    assert "std: 0.3  # robot stick\n" in out
    assert yaml.safe_load(out)["env"]["scene"]["num_envs"] == 512


def test_its_output_is_a_file_for_itself(capsys, tmp_path):
    file = tmp_path / "mine.yaml"
    code, _, err = run(capsys, "--agent.algorithm.learning-rate", "3e-4", "--output", str(file))
    assert code == 0
    assert f"wrote {file}" in err
    _, out, _ = run(capsys, "--config", str(file))
    assert yaml.safe_load(out) == yaml.safe_load(file.read_text())
    assert "learning_rate: 0.0003  # file mine.yaml\n" in out


def test_a_reward_of_an_extra_is_added_by_flags(capsys):
    extra = ("--with", str(PARTS / "my_extra.py"))
    code, out, _ = run(capsys, *extra, "--env.rewards.jump.func", "my_extra:jump", "--env.rewards.jump.weight", "0.1")
    assert code == 0
    assert "func: my_extra:jump  # flag\n" in out


def test_mistakes_exit_with_2_all_at_once(capsys):
    code, out, err = run(capsys, "--agent.sed", "7", "--env.scene.num-envs", "many", "--env.rewards.uprigt.weight", "1")
    assert (code, out) == (2, "")
    assert "3 mistakes in the settings" in err
    for hint in ("did you mean 'seed'?", "takes a whole number, not 'many'", "did you mean 'upright'?"):
        assert hint in err


def test_what_is_odd_is_a_warning_on_stderr(capsys):
    code, out, err = run(capsys, "--agent.algorithm.learning-rate", "1")
    assert code == 0
    assert "warning: agent.algorithm.learning_rate: 1 is outside of the recommended range" in err
    assert yaml.safe_load(out)


def test_a_gpu_has_its_own_numbers(capsys):
    _, out, _ = run(capsys, "--device", "cuda")
    assert "num_envs: 4096  # preset gpu\n" in out


def test_presets_have_numbers_for_the_physics_that_was_chosen(capsys):
    for flags in (("--physics", "warp"), ("--train.physics", "warp"), ("--device", "cuda:1")):
        _, out, _ = run(capsys, *flags)
        assert re.search("solver: newton\n.*iterations: 6  # preset [cg]pu\n", out)


def test_a_physics_that_the_device_has_not_is_an_error(capsys):
    code, out, err = run(capsys, "--device", "cuda", "--physics", "cpu")
    assert (code, out) == (2, "")
    assert "Use --physics warp on that device, or --device cpu" in err


def test_the_device_in_a_file_chooses_the_preset_as_in_a_training(capsys, tmp_path):
    (tmp_path / "gpu.yaml").write_text("train: {device: cuda}\n")
    _, out, _ = run(capsys, "--config", str(tmp_path / "gpu.yaml"))
    assert "num_envs: 4096  # preset gpu\n" in out
    _, out, _ = run(capsys, "--config", str(tmp_path / "gpu.yaml"), "--device", "cpu")
    assert "# preset cpu\n" in out


def test_a_file_that_cannot_be_written_is_one_message(capsys, tmp_path):
    code, _, err = run(capsys, "--output", str(tmp_path / "none" / "x.yaml"))
    assert code == 2
    assert "cannot write" in err


def test_a_missing_file_is_one_message(capsys, tmp_path):
    code, _, err = run(capsys, "--config", str(tmp_path / "none.yaml"))
    assert code == 2
    assert "is no such file" in err


def test_a_disk_that_is_full_leaves_the_file_as_it_was(capsys, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "x.yaml"
    path.write_text("before")
    monkeypatch.setattr("os.fsync", full)
    code, _, err = run(capsys, "--output", str(path))
    assert (code, path.read_text(), list(tmp_path.iterdir())) == (2, "before", [path])
    assert "No space left on device" in err
