from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from unittest.mock import Mock

import numba
import numpy as np
import pytest
import torch
from filelock import FileLock

from mjsdk.ops import ahead
from mjsdk.ops.loop import Loop

OWN = ("mjsdk.ops", "mjsdk.mdp")


def double(values):
    for i in range(len(values)):
        values[i] *= 2.0


def test_a_loop_writes_to_the_memory_of_a_tensor():
    tensor = torch.arange(4.0)
    Loop(double)(tensor)
    assert tensor.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_nothing_is_lost_where_compiled_code_cannot_be_kept(monkeypatch):
    njit, kept = numba.njit, []

    def refusing(function, cache, **options):
        kept.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    monkeypatch.setattr(numba, "njit", refusing)
    values = np.ones(2)
    Loop(double)(values)
    assert (values.tolist(), kept) == ([2.0, 2.0], [True, False])


@pytest.mark.parametrize("call", [Loop.__call__, lambda loop, *args: loop.bind(*args)()], ids=["called", "bound"])
def test_a_full_disk_does_not_stop_a_loop(call, monkeypatch):
    def halve(values):
        for i in range(len(values)):
            values[i] *= 0.5

    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr("numba.core.caching.Cache.save_overload", full)
    loop, values = Loop(halve), np.ones(2)
    for _ in range(2):
        call(loop, values)
    assert values.tolist() == [0.25, 0.25]
    full.assert_called_once()


def test_a_loop_is_compiled_by_one_process_at_a_time():
    loop = Loop(double)
    thread = Thread(target=loop, args=(np.ones((2, 2), np.float32)[0],))
    with FileLock(Path(numba.njit(double, cache=True).stats.cache_path) / "test_loop.double.lock"):
        thread.start()
        thread.join(timeout=0.3)
        assert thread.is_alive()
    thread.join(timeout=30.0)
    assert not thread.is_alive()
    assert loop.kept


def test_loops_are_compiled_ahead_in_processes_of_their_own(tmp_path):
    share = [loop.function.__name__ for loop in ahead.loops_of(OWN) for _ in loop.types][1::6]
    where = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "mjsdk.ops.ahead", "1", "6", "mjsdk.mdp", "json"], check=True, env=where)
    kept = [path.name.split("-")[0].split(".")[1] for path in tmp_path.rglob("*.nbc")]
    assert sorted(kept) == sorted(share) != []


@pytest.mark.parametrize(("kept", "started"), [(True, 0), (False, 1)])
def test_nothing_is_started_where_all_is_compiled(kept, started, monkeypatch):
    processes = []
    monkeypatch.setattr(Loop, "kept", kept)
    monkeypatch.setattr(ahead, "available_threads", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: processes.append(command))
    ahead.start(["walk"])
    assert len(processes) == started


def thrice(values):
    for i in range(len(values)):
        values[i] *= 3.0


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", ["nothing", "half", "zeros"])
def test_kept_code_that_was_cut_short_is_made_again(ending, left):
    def run():
        values = np.ones(2)
        Loop(thrice)(values)
        assert values.tolist() == [3.0, 3.0]

    run()
    folder = Path(numba.njit(thrice, cache=True).stats.cache_path)
    (file,) = folder.glob(f"test_loop.thrice-{thrice.__code__.co_firstlineno}.*{ending}")
    whole = file.read_bytes()
    file.write_bytes({"nothing": b"", "half": whole[: len(whole) // 2], "zeros": bytes(len(whole))}[left])
    run()
    assert len(file.read_bytes()) > len(whole) // 2
    assert any(file.read_bytes())


@pytest.mark.parametrize("source", ["raise RuntimeError('oh')", "def (", "import nosuchmodule", "raise SystemExit(3)"])
def test_a_broken_module_of_loops_is_left_to_whoever_needs_it(source, tmp_path, monkeypatch):
    package = tmp_path / "broken_loops"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "loops.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert list(ahead.loops_of(["broken_loops", "mjsdk.ops"])) == list(ahead.loops_of(["mjsdk.ops"])) != []
    sys.modules.pop("broken_loops")
