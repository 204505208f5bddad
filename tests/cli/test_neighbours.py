"""Packages that nobody named, but that libraries look at: damaged ones are named, without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mjsdk.testing.worlds import TESTBOT, TESTTASK


@pytest.mark.parametrize(
    ("entry_points", "said"),
    [
        (b"\xff\x00", "error: damaged packages are installed; install them again, or delete these folders:"),
        (b"[torch.backends]\nbad = no_such_module:init\n", "error: Failed to load the backend extension: bad"),
    ],
)
def test_a_command_that_a_damaged_package_stops_says_so(site, entry_points, said):
    (site.add("bad-neighbour") / "entry_points.txt").write_bytes(entry_points)
    path = os.pathsep.join([*sys.path, str(site.path)])
    arguments = ("config", "--robot", TESTBOT, "--task", TESTTASK)
    done = subprocess.run(
        [sys.executable, "-m", "mjsdk", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
