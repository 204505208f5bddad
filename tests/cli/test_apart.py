"""What plugins print, and what exporters do, spoils neither the output nor a training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mjsdk.cli import _streams, main
from mjsdk.testing.worlds import TESTBOT, TESTTASK

NOISY = """
import os, sys
import mjsdk
MJSDK_API = 1
print("python")
os.write(1, b"c\\n")
os.system("echo process")
sys.stdout.buffer.write(b"bytes\\n")

@mjsdk.hookimpl
def mjsdk_adapt(config):
    print("hook")
    sys.stdout.close()
"""


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(args)
    return caught.value.code or 0


@pytest.fixture
def noisy(tmp_path):
    path = tmp_path / "noisy.py"
    path.write_text(NOISY)
    return "--robot", TESTBOT, "--task", TESTTASK, "--with", str(path)


def test_json_is_all_that_stdout_gets(noisy, capfd):
    assert run("explain", "env.rewards", *noisy, "--json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["path"] == "env.rewards"
    for said in ("python", "c", "process", "bytes", "hook"):
        assert said in err.splitlines()


def test_composed_settings_are_all_that_stdout_gets(noisy, capfd):
    assert run("config", *noisy) == 0
    out, err = capfd.readouterr()
    assert out.startswith("robot: ")
    assert out.count("\nenv:\n") == 1
    assert "process" not in out
    assert "process" in err


def test_json_is_whole_where_stdout_is_not_a_file_too(noisy, capsys):
    assert run("explain", "env.rewards", *noisy, "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["path"] == "env.rewards"
    assert "hook" in err


def test_help_goes_to_stdout(capfd):
    assert run("config", "--help") == 0
    assert "Usage: mjsdk config" in capfd.readouterr().out


def test_stdout_is_given_back_after_an_error(capfd):
    before = sys.stdout
    assert run("show", "robot", "nobody", "--json") == 2
    assert sys.stdout is before
    with pytest.raises(ValueError, match="no"), _streams.on_stderr():
        raise ValueError("no")
    print("mine")
    assert capfd.readouterr().out == "mine\n"


EXPORTERS = """
import os, shutil, sys
import mjsdk
MJSDK_API = 1
def exits(run): sys.exit(3)
def raises(run): raise ValueError("no\\nway")
def odd(run): return type("Odd", (), {"__str__": lambda self: 1 / 0})()
def closes(run): sys.stdout.close()
def moves(run): os.chdir("/")
def prints(run): print("aside")
def writes(run):
    (run.path / "policy.bin").write_text("")
    return "policy.bin"
def removes(run): shutil.rmtree(run.path)
def interrupted(run): raise KeyboardInterrupt

@mjsdk.hookimpl
def mjsdk_exporters():
    return {name: globals()[name] for name in NAMES}
"""


@pytest.fixture
def train(tmp_path, monkeypatch, capfd):
    """Trains for an iteration with exporters of those names: exit code, what was said, and the run's folder."""
    monkeypatch.chdir(tmp_path)

    def call(*names: str):
        (tmp_path / "out.py").write_text(f"NAMES = {names}\n{EXPORTERS}")
        settings = ("--env.scene.num-envs", "4", "--agent.num-steps-per-env", "4", "--agent.max-iterations", "1")
        code = run("train", "--robot", TESTBOT, "--task", TESTTASK, "--with", "out.py", *settings)
        folders = [*(tmp_path / "logs" / "rsl_rl" / "testbot_testtask").glob("[!.]*"), None]
        return code, *capfd.readouterr(), folders[0]

    return call


def test_an_exporter_that_fails_takes_nothing_away(train):
    code, out, err, folder = train("exits", "raises", "odd", "closes", "moves", "prints", "writes")
    assert code == 0
    assert "warning: exporter 'exits' failed: SystemExit: 3 (" in err
    assert "out.py:7). The training is saved; tell the exporter's authors" in err
    assert "warning: exporter 'raises' failed: ValueError: no way (" in err
    assert "warning: exporter 'odd' failed: ZeroDivisionError" in err
    assert "aside" in err
    for line in (
        "exported closes: None",
        "exported moves: None",
        "exported writes: policy.bin",
        "evaluate  mjsdk eval",
    ):
        assert line in out
    assert (folder / "policy.bin").exists()
    assert (folder / "model_1.pt").exists()


def test_an_exporter_that_removes_the_run_is_named(train):
    code, out, err, _ = train("removes", "writes")
    assert code == 2
    assert "error: exporter 'removes' removed " in err
    assert "exported writes" not in out


def test_ctrl_c_in_an_exporter_leaves_the_run_and_says_where_it_is(train):
    code, out, err, folder = train("interrupted", "writes")
    assert code == 130
    assert "warning: exporter 'interrupted' was interrupted; the training is saved" in err
    assert "saved     logs/" in out
    assert (folder / "model_1.pt").exists()


def test_exporters_that_cannot_be_told_apart_are_a_warning(train, monkeypatch):
    code, out, err, _ = train("a-b")
    assert code == 0
    assert "warning: nothing is exported: " in err
    assert "evaluate  mjsdk eval" in out


def test_what_plugins_print_as_the_process_ends_is_no_data(tmp_path):
    path = tmp_path / "last.py"
    path.write_text(Path(TESTBOT).read_text() + "\nimport atexit\nprint('first')\natexit.register(print, 'last')\n")
    command = [sys.executable, "-m", "mjsdk", "show", "robot", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["name"] == "last"
    assert {"first", "last"} <= {*done.stderr.splitlines()}
