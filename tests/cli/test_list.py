"""`mjsdk list`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mjsdk.cli import main


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(args)
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def test_json_has_a_fixed_shape(site, capsys):
    site.robot("raise SystemExit", summary="An arm", version="2.0", requires=["mjsdk>=9"])
    code, out, err = run(capsys, "list", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "robots": [
            {
                "name": "myarm",
                "dist": "my-robot",
                "version": "2.0",
                "summary": "An arm",
                "status": "needs mjsdk>=9, found 0.1.0",
            }
        ],
        "tasks": [],
        "extras": [],
    }


@pytest.mark.parametrize("args", [("tasks", "--json"), ("--json", "tasks")])
def test_json_of_one_kind_has_only_that_key(site, capsys, args):
    site.robot()
    site.task()
    _, out, _ = run(capsys, "list", *args)
    assert [(key, [p["name"] for p in plugins]) for key, plugins in json.loads(out).items()] == [("tasks", ["reach"])]


def test_the_table_shows_every_kind(site, capsys):
    site.robot(summary="An arm [strong]")
    site.extra("raise SystemExit", requires=["mjsdk<0.1"])
    code, out, err = run(capsys, "list")
    assert (code, err) == (0, "")
    assert "An arm [strong]" in out
    assert "my-robot 1.0" in out
    assert "needs mjsdk<0.1, found 0.1.0" in out
    assert "no tasks installed" in out


def test_an_unknown_kind_lists_the_legal_ones(site, capsys):
    code, out, err = run(capsys, "list", "robot")
    assert (code, out) == (2, "")
    assert err == "error: no kind of plugin 'robot', did you mean 'robots'? Legal: robots, tasks, extras\n"


def test_a_damaged_package_is_a_warning_not_a_crash(site, capsys):
    site.robot()
    info = site.task()
    (info / "entry_points.txt").write_text("[mjsdk.tasks]\nno equals sign\n")
    code, out, err = run(capsys, "list", "--json")
    assert code == 0
    assert [p["name"] for p in json.loads(out)["robots"]] == ["myarm"]
    assert err.startswith("warning: skipping the package in ")
    assert ": its entry_points.txt cannot be read (" in err
    assert err.endswith("); install it again\n")
    assert err.count("\n") == 1


def shell(line):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_closed_stdout_is_one_line():
    code, said = shell("mjsdk list >&-")
    assert (code, said) == (2, "error: the standard output is closed: there is nowhere to write to\n")
    assert shell("mjsdk list >&- 2>&-") == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line():
    code, said = shell("mjsdk list >/dev/full")
    assert (code, said) == (2, "error: cannot write: No space left on device\n")
    assert shell("mjsdk list >/dev/full 2>/dev/full")[0] == 2
