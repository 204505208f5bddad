from __future__ import annotations

import json
import shutil

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.evaluate import run as evaluate_run
from mjsdk.evaluate import setup
from mjsdk.robot import CollisionRule
from mjsdk.runs import find_run


@pytest.fixture(autouse=True)
def _short_episodes(monkeypatch):
    """Half a second is enough to see what is printed."""
    original = setup.evaluation_config

    def short(*args):
        config = original(*args)
        config.env.episode_length_s = 0.5
        return config

    monkeypatch.setattr(evaluate_run, "evaluation_config", short)


def test_json_holds_the_promised_numbers_and_what_repeats_them(mjsdk, glider):
    code, out, _ = mjsdk(
        "eval", "latest", "--log-root", glider, "--num-envs", 8, "--json", "--sim", "fast", "--seed", 3
    )
    data = json.loads(out)
    assert code == 0
    assert {"episodes", "fall_rate", "metrics", "mean_reward", "mean_episode_length_s"} <= set(data)
    assert {"lin_vel_error", "ang_vel_error"} <= set(data["metrics"])
    assert (data["episodes"], data["sim"], data["seed"], data["checkpoint"]) == (8, "fast", 3, "model_0.pt")
    assert data["physics"] == "cpu"


def test_people_get_a_table_by_command_and_a_picture(mjsdk, glider, tmp_path):
    picture = tmp_path / "tracking.png"
    code, out, _ = mjsdk("eval", "--log-root", glider, "--num-envs", 8, "--plot", picture)
    assert code == 0
    for text in (
        "survival",
        "100.0%",
        "lin_vel_error",
        "forward 0.5, turn left 0.5",
        "physics faithful on cpu",
        f"wrote {picture}",
    ):
        assert text in out
    assert picture.stat().st_size > 10_000


def test_a_picture_that_cannot_be_written_costs_no_numbers(mjsdk, glider, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    code, out, err = mjsdk("eval", "--log-root", glider, "--num-envs", 8, "--json", "--plot", tmp_path / "x.png")
    assert (code, json.loads(out)["episodes"]) == (2, 8)
    assert err.startswith("error: cannot write the picture")


def test_a_place_that_no_picture_can_be_written_to_is_noticed_beforehand(mjsdk, glider, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "x.png").mkdir()
    for place in ("file/x.png", "x.png"):
        code, out, err = mjsdk("eval", "--log-root", glider, "--plot", tmp_path / place)
        assert (code, out) == (2, "")
        assert "folder" in err
        assert "Choose another place" in err


def test_a_checkpoint_is_named_once_and_reported_by_its_file(mjsdk, glider, tmp_path):
    run = find_run("latest", glider).path
    copy = tmp_path / "best.pt"
    shutil.copy(run / "model_0.pt", copy)
    data = json.loads(mjsdk("eval", run, "--num-envs", 8, "--json", "--checkpoint", copy).out)
    assert data["checkpoint"] == str(copy)
    assert json.loads(mjsdk("eval", run / "model_0.pt", "--num-envs", 8, "--json").out)["checkpoint"] == "model_0.pt"
    code, _, err = mjsdk("eval", run / "model_0.pt", "--checkpoint", "model_7.pt")
    assert code == 2
    assert "two checkpoints: RUN ends in model_0.pt, and --checkpoint says 'model_7.pt'" in err


def test_a_robot_without_full_collisions_is_warned_about(mjsdk, glider, monkeypatch):
    from mjsdk.plugins import Session

    robot = Session.robot
    named = {"toes": (CollisionRule(geoms=".*_foot"),)}
    monkeypatch.setattr(Session, "robot", lambda self: attrs.evolve(robot(self), collisions=named))
    code, _, err = mjsdk("eval", "--log-root", glider, "--num-envs", 8)
    assert code == 0
    assert "has no collision preset 'full': evaluated with 'toes'" in err


def test_runs_are_putside_by_side(mjsdk, glider):
    checkpoint = f"{find_run('latest', glider).path}/model_0.pt"
    code, out, _ = mjsdk("compare", "latest", checkpoint, "--log-root", glider, "--num-envs", 8, "--push")
    assert code == 0
    assert "8 episodes of 20 s, physics faithful on cpu, seed 1, pushed; lower is better, except" in out
    assert "95 % confidence" in out
    assert out.count("model_0.pt") == 2
    assert "errors by command [m/s, rad/s]" in out
    assert "  turn left 0.8" in out


def test_no_run_is_evaluated_before_all_are_found_to_be_in_order(mjsdk, glider, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    shutil.copytree(find_run("latest", glider).path, broken)
    monkeypatch.setattr(evaluate_run, "run_episodes", lambda *_, **__: pytest.fail("evaluated"))
    data = torch.load(broken / "model_0.pt", weights_only=True)
    data["infos"]["policy"]["joints"] = ["another"]
    torch.save(data, broken / "model_1.pt")
    for spoilt in (b"nothing", (broken / "model_1.pt").read_bytes()):
        (broken / "model_0.pt").write_bytes(spoilt)
        code, out, err = mjsdk("compare", "latest", broken / "model_0.pt", "--log-root", glider)
        assert (code, out) == (2, "")
    assert "joints" in err
    assert "checkpoint is that of another training" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "error: no run 'nowhere'"),
        (["latest", "--sim", "exact"], "error: 1 mistake in the settings:\n  --sim: 'exact'. Legal: faithful, fast"),
        (["latest", "--checkpoint", "model_9.pt"], "error: run"),
        (["latest", "--checkpoint", ""], "error: run"),
        (["a" * 300], "error: cannot look for run 'aaa"),
        (["latest", "--plot", "x.txt"], "error: 'x.txt' is not the name of a picture"),
        (
            ["latest", "--num-envs", 0],
            "error: 1 mistake in the settings:\n  --num-envs: must be from 1 to 65536, n",
        ),
        (["latest", "--num-envs", 2_000_000_000], "error: 1 mistake in the settings:\n  --num-envs: must be from 1 to"),
        (["latest", "--seed", -5, "--num-envs", -1], "error: 2 mistakes in the settings:\n  --num-envs: must be"),
        (["latest", "--device", "tpu"], "error: unknown device 'tpu'"),
        (["latest", "--physics", "mjx"], "error: unknown physics 'mjx'. Legal: auto, cpu, warp"),
        (
            ["latest", "--physics", "warp", "--sim", "as-trained"],
            "error: 1 mistake in the settings:\n  env.sim.solver: the physics 'warp' has no pgs. Legal: cg, newton",
        ),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(mjsdk, glider, args, message):
    code, out, err = mjsdk("eval", *args, "--log-root", glider)
    assert (code, out) == (2, "")
    assert err.startswith(message)


@pytest.mark.parametrize("value", ["1.5", "nan", "many", ""])
def test_a_value_that_is_no_number_is_shown(mjsdk, value):
    code, _, err = mjsdk("eval", "--num-envs", value)
    assert code == 2
    assert f"Invalid value for '--num-envs': '{value}' (" in err


REPORT = {
    "robot": "g1",
    "task": "velocity",
    "run": "logs/2026-11-23_16-56-41_a_long_name_of_a_run",
    "checkpoint": "model_100.pt",
    "horizon_s": 20.0,
    "survival": {"rate": 1.0, "low": 0.9, "high": 1.0},
    "metrics": dict.fromkeys(
        ("lin_vel_error", "ang_vel_error", "foot_slip", "action_change", "cost_of_transport"), 0.1234
    ),
    "mean_reward": 123.456,
    "mean_episode_length_s": 20.0,
    "standing": {"mean_base_speed": 0.1, "feet_on_ground": 0.5},
    "commands": [{"label": "forward 0.5, turn left 0.5", "lin_vel_error": 0.25, "ang_vel_error": 0.5}],
}


@pytest.mark.parametrize("runs", [2, 3, 4])
def test_a_comparison_has_one_line_per_row_in_a_hundred_columns(runs):
    import io

    from rich.console import Console

    from mjsdk.cli.compare import side_by_side

    stream = io.StringIO()
    Console(file=stream, width=100, force_terminal=False).print(side_by_side([REPORT] * runs, 100))
    lines = [line.rstrip() for line in stream.getvalue().splitlines() if line.strip()]
    assert max(map(len, lines)) <= 100
    for label in ("lin_vel_error [m/s]", "  forward 0.5, turn left 0.5"):
        (line,) = [line for line in lines if line.strip().startswith(label.strip())]
        assert len(line.split("0.")) > runs
    assert len(lines) == 3 + 1 + 11 + 1 + 1  # heading, rule, numbers, errors


def test_many_runs_make_several_tables_of_like_size():
    from mjsdk.cli.compare import parts

    assert [len(part) for part in parts([REPORT] * 10, 100)] == [3, 4, 3]
    assert [len(part) for part in parts([REPORT] * 4, 80)] == [2, 2]
    assert [len(part) for part in parts([REPORT] * 2, 20)] == [1, 1]


@pytest.mark.parametrize("without", [(), ("commands", "standing")])
@given(st.integers(1, 8), st.integers(50, 130))
def test_no_run_is_left_out_of_a_comparison(without, runs, width):
    import io

    from rich.console import Console

    from mjsdk.cli.compare import parts, side_by_side

    report = {name: value for name, value in REPORT.items() if name not in without}
    console = Console(file=io.StringIO(), width=width)
    for part in parts([report] * runs, width):
        console.print(side_by_side(part, width))
    out = console.file.getvalue()
    assert "no room" not in out
    assert out.count("model_100") == runs


def test_a_long_name_loses_its_middle():
    from mjsdk.cli.compare import shortened

    assert shortened("2026-11-23_16-56-41_steady", 15) == "2026-11…_steady"
    assert shortened("short", 15) == "short"


def test_runs_of_different_tasks_are_warned_about(capsys):
    from types import SimpleNamespace

    from mjsdk.cli.compare import _warn_of_differences

    def warn(*data, evaluation=None):
        session = SimpleNamespace(task=lambda: SimpleNamespace(evaluation=evaluation))
        _warn_of_differences([SimpleNamespace(config_data=one, session=lambda: session) for one in data])
        return capsys.readouterr().err

    assert warn({"robot": "g1", "task": "walk"}, {"robot": "g1", "task": "run"}) == (
        "warning: the runs have different tasks (walk, run): their rewards and falls cannot be compared\n"
    )
    same = {"robot": "g1", "task": "walk"}
    told = warn(*({**same, "env": {"rewards": {"drift": {"weight": weight}}}} for weight in (-2, -6)))
    assert told == "warning: the runs were trained with different rewards: mean_reward cannot be compared\n"
    laxer = [{**same, "env": {"terminations": {"tilt": limit}}} for limit in (1, 3)]
    assert "different terminations: survival cannot" in warn(*laxer)
    assert warn(*laxer, evaluation="the task's") == ""
