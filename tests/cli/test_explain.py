"""`mjsdk explain`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mjsdk.cli import main

PARTS = Path(__file__).parents[1] / "config" / "parts"
ON = ("--robot", str(PARTS / "stick.py"), "--task", str(PARTS / "stand.py"))


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["explain", *args])
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def test_without_a_path_the_sections_and_presets_are_listed(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert all(name in out for name in ("env.scene", "agent.algorithm", "computed", "stable", "mjsdk explain"))


def test_one_setting_shows_all_that_is_known(capsys):
    code, out, _ = run(capsys, "learning-rate")
    assert code == 0
    for part in ("agent.algorithm.learning_rate", "Step size", "0.001", "1e-5 .. 0.005", "Halve it"):
        assert part in out


def test_a_section_shows_its_settings_and_what_follows(capsys):
    code, out, _ = run(capsys, "agent.algorithm")
    assert code == 0
    for part in ("clip_param", "0.1 .. 0.3", "Largest change", "computed.mini_batch_size", "3072"):
        assert part in out


def test_a_setting_tells_what_it_decides(capsys):
    _, out, _ = run(capsys, "num_envs")
    assert "computed.transitions_per_iteration = 12,288" in out


def test_with_robot_and_task_the_terms_are_explained(capsys):
    code, out, _ = run(capsys, "env.rewards", *ON)
    assert code == 0
    for part in (
        "upright",
        "How upright the trunk is.",
        "params.std",
        "0.3 rad",
        "robot stick",
        "Narrower is stricter.",
    ):
        assert part in out


def test_meanings_that_repeat_are_reported_once(capsys):
    _, out, _ = run(capsys, "agent", "--robot", ON[1], "--task", ON[3])
    assert out.count("Widths of the hidden layers.") == 1


def test_an_unknown_path_exits_with_2_and_the_nearest(capsys):
    code, _, err = run(capsys, "lerning_rate")
    assert code == 2
    assert "did you mean 'agent.algorithm.learning_rate'?" in err
    assert "--robot NAME --task NAME" in err


def test_robot_and_task_go_together(capsys):
    code, _, err = run(capsys, "--robot", ON[1])
    assert code == 2
    assert "--task: must be given too" in err


def test_the_presets_stand_side_by_side(capsys):
    code, out, _ = run(capsys, "presets")
    assert code == 0
    assert "env.scene.num_envs" in out
    assert "4096" in out
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if "env.sim.solver" in line)
    assert [line.split()[-2:] for line in lines[at : at + 2]] == [["pgs", "newton"], ["newton", "newton"]]
    assert "with --physics warp" in lines[at + 1]


def test_a_preset_tells_its_numbers_for_each_physics(mjsdk):
    data = json.loads(mjsdk("explain", "presets.fast", "--json").out)
    values = {entry["path"].removeprefix("presets.fast."): entry["value"] for entry in data["settings"]}
    assert (values["env.sim.solver"], values["warp.env.sim.solver"]) == ("pgs", "newton")
    assert "warp.env.decimation" not in values


def test_values_are_those_of_the_physics_that_was_chosen(mjsdk):
    assert json.loads(mjsdk("explain", "env.sim.solver", *ON, "--physics", "warp", "--json").out)["value"] == "newton"
    assert json.loads(mjsdk("explain", "env.sim.solver", *ON, "--device", "cpu", "--json").out)["value"] == "pgs"


@pytest.mark.parametrize("path", ["", "env", "computed", "presets", "learning_rate", "hidden_dims", "env.rewards"])
@pytest.mark.parametrize("composed", [False, True])
def test_json_is_valid_for_everything(capsys, path, composed):
    code, out, err = run(capsys, *([path] if path else []), "--json", *(ON if composed else ()))
    assert (code, err) == (0, "")
    data = json.loads(out, parse_constant=pytest.fail)
    keys = {"path", "value", "default", "unit", "meaning", "range", "advice", "origin", "choices"}
    assert all(set(leaf) == keys for leaf in data.get("settings", [data]))


def test_explaining_the_defaults_imports_nothing_heavy():
    code = (
        "import sys\nfrom mjsdk.cli import main\n"
        "try:\n    main(['explain', 'agent'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'mujoco', 'cattrs', 'rsl_rl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_several_words_find_the_settings_that_hold_them(mjsdk):
    assert mjsdk("explain", "learning", "rate").out == mjsdk("explain", "learning_rate").out
    out = mjsdk("explain", "noise_std").out
    assert "agent.actor.init_noise_std" in out
    assert "agent.actor.noise_std_range" in out
