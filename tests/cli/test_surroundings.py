"""Terminals that cannot show everything, streams and files that cannot be used: one message, no traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mjsdk.cli import _main, _output, _streams, main
from mjsdk.errors import RunError

PARTS = Path(__file__).parents[1] / "evaluate" / "parts"


def run(*args: object, **environment: str) -> tuple[int, bytes, bytes]:
    """Exit code and output of the command line in a process of its own."""
    command = [sys.executable, "-m", "mjsdk", *map(str, args)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def written(text: str, encoding: str) -> str:
    """What arrives of a text on a stream of that encoding, as a command has prepared it."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    before, sys.stdout = sys.stdout, stream
    try:
        _streams.prepare()
    finally:
        sys.stdout = before
    stream.write(text)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_drawings_keep_their_shape_on_every_stream(encoding):
    assert written("⣿\u2800⡀", encoding) == "* *"
    assert written("▁▄█ ── │", encoding) == "_.# -- |"


def test_letters_that_a_stream_lacks_are_spelled_out_and_others_left_alone():
    assert written("Zürich/про", "latin-1") == "Zürich/\\u043f\\u0440\\u043e"
    assert written("Zürich/про…", "utf-8") == "Zürich/про…"


def test_a_file_name_that_is_no_text_can_be_printed():
    assert written(os.fsdecode(b"caf\xe9"), "utf-8") == "caf\\udce9"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_the_same_data_on_every_stream(encoding, monkeypatch):
    data = {"run": "протоколы", "name": os.fsdecode(b"caf\xe9")}
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    _output.print_json(data)
    assert json.loads(stream.buffer.getvalue().decode(encoding)) == data


def test_curves_are_drawn_in_ascii_where_there_is_nothing_else(glider):
    narrow = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code, out, err = run("plot", "latest", "--text", "--log-root", glider, **narrow)
    assert (code, err) == (0, b"")
    assert out.isascii()
    assert b"*" in out


def test_what_is_not_found_is_named_in_any_encoding(tmp_path):
    code, out, err = run("eval", "запуск", "--log-root", tmp_path, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert (code, out) == (2, b"")
    assert err.startswith(b"error: no run '\\u0437")


@pytest.mark.parametrize("columns", ["0", "-5", "1000000000", "²", "wide", "1", ""])
def test_any_number_of_columns_will_do(columns, monkeypatch, mjsdk):
    monkeypatch.setenv("COLUMNS", columns)
    code, out, _ = mjsdk("list")
    assert code == 0
    assert out
    assert max(map(len, out.splitlines())) < 200


# Messages


def test_a_message_that_fits_stays_as_it_is():
    assert _output.fitting("no run 'x'.\n  There: a, b") == "no run 'x'.\n  There: a, b"


@pytest.mark.parametrize("text", ["x" * 10**6, "line\n" * 500, ("y" * 700 + "\n") * 30, "\n" * 99])
def test_a_message_is_at_most_a_screen_and_keeps_its_beginning_and_end(text):
    shown = _output.fitting(f"begin{text}end")
    assert sum(-(-len(line) // 120) or 1 for line in shown.split("\n")) <= 24
    assert shown.startswith("begin")
    assert shown.endswith("end")


@pytest.mark.parametrize(
    "args",
    [
        ["x" * 5000],
        ["list", "x" * 5000],
        ["list", "--" + "x" * 5000],
        ["eval", "x" * 5000],
        ["eval", "--num-envs", "x" * 5000],
        ["eval", "--log-root", "x" * 5000],
        ["eval", "--checkpoint", "x" * 5000, "--log-root", "GLIDER"],
        ["play", "--video", "x" * 5000 + ".mp4", "--log-root", "GLIDER"],
        ["eval", "--plot", "x" * 5000 + ".png", "--log-root", "GLIDER"],
        ["plot", "latest", "--output", "x" * 5000 + ".png", "--log-root", "GLIDER"],
        ["train", "--robot", "x" * 5000, "--task", "y"],
        ["train", "--resume", "--agent.experiment-name", "x" * 5000],
        ["train", "--resume", "--log-root", "x" * 5000],
        ["config", "--robot", "ROBOT", "--task", "TASK", "--config", "x" * 5000],
    ],
)
def test_a_name_of_five_thousand_letters_is_one_short_message(mjsdk, glider, args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = {"GLIDER": glider, "ROBOT": PARTS / "glider.py", "TASK": PARTS / "glide.py"}
    code, out, err = mjsdk(*(known.get(arg, arg) for arg in args))
    assert (code, out) == (2, "")
    assert (0 < len(err) < 1500 and "xxx" in err) or "File name too long" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["eval"], ["play"], ["compare", "latest"], ["plot", "latest"], ["train", "--resume"]])
def test_an_empty_log_root_is_not_the_present_folder(mjsdk, args):
    code, out, err = mjsdk(*args, "--log-root", "")
    assert (code, out) == (2, "")
    assert "train.log_root: must name a folder" in err


@pytest.mark.parametrize("name", ["*", "**", "..", "/", "[", "a/b"])
def test_a_pattern_is_no_name_of_an_experiment(mjsdk, glider, name):
    before = sorted(glider.rglob("*"))
    code, _, err = mjsdk("train", "--resume", "--log-root", glider, "--agent.experiment-name", name)
    assert code == 2
    assert "agent.experiment_name: " in err
    assert f"'{name}'" in err
    assert sorted(glider.rglob("*")) == before


@pytest.mark.parametrize("command", ["play", "eval"])
@pytest.mark.parametrize(("device", "said"), [("cuda", "--device cpu"), ("mps", "unknown device"), ("", "unknown")])
def test_a_device_that_is_not_here_is_not_blamed_on_the_checkpoint(mjsdk, glider, command, device, said):
    code, _, err = mjsdk(command, "latest", "--log-root", glider, "--device", device)
    assert code == 2
    assert said in err
    assert "model_0.pt" not in err


@pytest.mark.parametrize("name", ["config.yaml", "run.json"])
def test_a_file_that_is_no_checkpoint_is_not_said_to_be_in_the_way(mjsdk, glider, name):
    code, _, err = mjsdk("eval", "latest", "--log-root", glider, "--checkpoint", name)
    assert code == 2
    assert "Name a checkpoint of the run: model_0.pt" in err
    assert "delete" not in err


def test_playing_on_any_device_finds_one(mjsdk, glider, tmp_path):
    video = tmp_path / "a.gif"
    assert mjsdk("play", "--log-root", glider, "--device", "auto", "--video", video, "--duration", 0.1).code == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "secret.yaml"), "error: cannot use 'secret.yaml': Permission denied"),
        (
            RuntimeError("invalid value for environment variable GL: foo"),
            "error: invalid value for environment variable",
        ),
        (UnicodeEncodeError("ascii", "für", 1, 2, "ordinal"), "error: 'für' is not text in the encoding ascii"),
    ],
)
def test_what_the_surroundings_refuse_is_no_bug(monkeypatch, capsys, error, message):
    def fail(args: object) -> None:
        raise error

    monkeypatch.setattr(_main, "_run", fail)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(message)


def test_long_errors_are_cut_as_they_are_shown(monkeypatch, capsys):
    def fail(args: object) -> None:
        raise RunError("no run '" + "x" * 10**5 + "'. Choose another")

    monkeypatch.setattr(_main, "_run", fail)
    with pytest.raises(SystemExit):
        main([])
    err = capsys.readouterr().err
    assert len(err) < 700
    assert err.endswith("'. Choose another\n")
