from __future__ import annotations

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


def test_the_same_settings_twice_become_one_curve_unless_told_otherwise(mjsdk, glider):
    run = find_run("latest", glider).path
    together = mjsdk("plot", run, run, "--text").out
    apart = mjsdk("plot", run, run, "--text", "--no-band").out
    assert "mean of 2 seeds" in together
    assert "seeds" not in apart
    assert apart.count("mean reward") == 2


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
