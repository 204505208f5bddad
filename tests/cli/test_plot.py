from __future__ import annotations

import shutil

import pytest

from mjsdk.config import yamlio
from mjsdk.runs import find_run


def test_curves_are_written_into_the_run(mjsdk, glider):
    code, out, _ = mjsdk("plot", "latest", "--log-root", glider)
    picture = find_run("latest", glider).path / "curves.png"
    assert (code, out) == (0, f"wrote {picture}\n")
    assert picture.stat().st_size > 5000


def test_with_text_they_are_drawn_in_the_terminal_only(mjsdk, glider, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = mjsdk("plot", "latest", "--log-root", glider, "--text", "--against", "steps")
    assert code == 0
    assert "mean reward" in out
    assert "last 1.5" in out
    assert "steps [millions]" in out
    assert list(tmp_path.iterdir()) == []


def copy_of(run, folder, name, *, seed=1, **agent):
    """The same training again, with another name and perhaps seed."""
    made = folder / name
    shutil.copytree(run, made)
    config = yamlio.load((made / "config.yaml").read_text())
    config["agent"] |= {"seed": seed, "run_name": name, "max_iterations": 7 + seed, **agent}
    (made / "config.yaml").write_text(yamlio.dump(config))
    return made


def test_runs_that_differ_by_seed_name_and_length_become_one_curve_unless_asked_otherwise(mjsdk, glider, tmp_path):
    run = find_run("latest", glider).path
    seeds = [copy_of(run, tmp_path / "exp", f"quick-{seed}", seed=seed) for seed in (1, 2, 3)]
    together = mjsdk("plot", *seeds, seeds[0], "--text").out
    apart = mjsdk("plot", *seeds, "--text", "--no-band").out
    assert "mean reward  exp quick (mean of 3 seeds)" in together
    assert "seeds" not in apart
    assert apart.count("mean reward") == 3
    again = copy_of(run, tmp_path / "exp", "again", seed=1)
    assert "(mean of 2 runs)" in mjsdk("plot", seeds[0], again, "--text").out


def test_two_bands_of_one_experiment_are_told_apart(mjsdk, glider, tmp_path):
    run = find_run("latest", glider).path
    runs = [
        copy_of(run, tmp_path / "exp", f"{seed}-{rate:g}", seed=seed, algorithm={"learning_rate": rate})
        for rate in (1e-3, 1e-4)
        for seed in (1, 2)
    ]
    out = mjsdk("plot", *runs, "--text").out
    assert "exp, 1-0.001 and others (mean of 2 seeds)" in out
    assert "exp, 1-0.0001 and others (mean of 2 seeds)" in out


@pytest.mark.parametrize("agent", [None, 3, [1]])
def test_settings_that_are_damaged_do_not_hide_the_curves(mjsdk, glider, tmp_path, agent):
    made = copy_of(find_run("latest", glider).path, tmp_path, "damaged")
    config = yamlio.load((made / "config.yaml").read_text())
    (made / "config.yaml").write_text(yamlio.dump({**config, "agent": agent}))
    code, out, _ = mjsdk("plot", made, "--text")
    assert code == 0
    assert "mean reward  damaged" in out


def test_runs_without_a_whole_line_are_named_and_only_when_all_are_it_is_a_mistake(mjsdk, glider, tmp_path):
    run = find_run("latest", glider).path
    empty = copy_of(run, tmp_path, "empty")
    (empty / "metrics.jsonl").write_text("")
    spoilt = copy_of(run, tmp_path, "spoilt", algorithm={"learning_rate": 0.1})
    (spoilt / "metrics.jsonl").write_text("rubbish\n" * 3)
    code, out, err = mjsdk("plot", run, empty, spoilt, "--text", "--no-band")
    assert (code, out.count("mean reward")) == (0, 1)
    assert f"warning: 3 of 3 lines of {spoilt / 'metrics.jsonl'} are damaged and left out" in err
    for name in ("empty", "spoilt"):
        assert f"warning: {name} has none of these numbers and is left out" in err
    for wanted in ((), ("--metric", "reward")):
        code, out, err = mjsdk("plot", empty, "--text", *wanted)
        assert (code, out) == (2, "")
        assert f"there is nothing to draw: no finished iteration in {empty / 'metrics.jsonl'}" in err


def test_a_run_in_which_no_episode_has_ended_yet_shows_what_else_it_has(mjsdk, glider, tmp_path):
    made = copy_of(find_run("latest", glider).path, tmp_path, "young")
    (made / "metrics.jsonl").write_text('{"iteration": 1, "timesteps": 32, "loss/value": 2.0, "time/total_s": 2.0}\n')
    code, out, _ = mjsdk("plot", made, "--text", "--metric", "loss/value")
    assert (code, "last 2" in out) == (0, True)
    code, out, err = mjsdk("plot", made, "--text")
    assert (code, out) == (2, "")
    assert f"there is nothing to draw: none of these numbers yet in {made / 'metrics.jsonl'}" in err


def test_mistakes_are_one_message_and_exit_code_2(mjsdk, glider):
    for args, message in (
        (["latest", "--against", "moon"], "cannot plot against 'moon'. Legal: time, steps, iteration"),
        (["latest", "--metric", "iteratoin", "--metric", "loss"], "no metric 'iteratoin', did you mean"),
        (["latest", "--output", "curves.doc"], "'curves.doc' is not the name of a picture"),
        (["nowhere"], "no run 'nowhere'"),
    ):
        code, out, err = mjsdk("plot", *args, "--log-root", glider)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: {message}")


def test_the_names_of_the_help_are_taken_and_other_lines_than_objects_skipped(mjsdk, glider):
    run = find_run("latest", glider).path
    metrics = run / "metrics.jsonl"
    before = metrics.read_text()
    try:
        metrics.write_text("[1]\n3\n" + before)
        code, out, _ = mjsdk("plot", run, "--metric", "reward", "--text")
    finally:
        metrics.write_text(before)
    assert code == 0
    assert "mean reward" in out
