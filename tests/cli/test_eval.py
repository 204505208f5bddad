from __future__ import annotations

import json

import pytest

from mjsdk.evaluate import run as evaluate_run
from mjsdk.evaluate import setup


@pytest.fixture(autouse=True)
def _short_episodes(monkeypatch):
    """Half a second is enough to see what is printed."""
    original = setup.evaluation_config

    def short(config, robot, options):
        config = original(config, robot, options)
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


def test_people_get_a_table_by_command_and_a_picture(mjsdk, glider, tmp_path):
    picture = tmp_path / "tracking.png"
    code, out, _ = mjsdk("eval", "--log-root", glider, "--num-envs", 8, "--plot", picture)
    assert code == 0
    for text in (
        "survival",
        "100.0%",
        "lin_vel_error",
        "forward 0.5, turn left 0.5",
        "physics faithful",
        f"wrote {picture}",
    ):
        assert text in out
    assert picture.stat().st_size > 10_000


def test_runs_are_put_side_by_side(mjsdk, glider):
    code, out, _ = mjsdk("compare", "latest", "latest", "--log-root", glider, "--num-envs", 8)
    assert code == 0
    assert out.count("model_0.pt") == 2
    assert "error: turn left 0.8" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "error: no run 'nowhere'"),
        (["latest", "--sim", "exact"], "error: 1 mistake in the settings:\n  --sim: 'exact'. Legal: faithful, fast"),
        (["latest", "--checkpoint", "model_9.pt"], "error: run"),
        (["latest", "--plot", "x.txt"], "error: 'x.txt' is not the name of a picture"),
        (["latest", "--device", "tpu"], "error: unknown device 'tpu'"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(mjsdk, glider, args, message):
    code, out, err = mjsdk("eval", *args, "--log-root", glider)
    assert (code, out) == (2, "")
    assert err.startswith(message)
