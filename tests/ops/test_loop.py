from __future__ import annotations

import math
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
from hypothesis import given
from hypothesis import strategies as st
from mjsdk.kernels import Kernel, ahead
from mjsdk.kernels.mirror import add_uniform
from mjsdk.kernels.sums import beyond_limits, ends, weighted_sums

from mjsdk import kernels


def double(values):
    for i in range(len(values)):
        values[i] *= 2.0


def test_a_kernel_writes_to_the_memory_of_a_tensor():
    tensor = torch.arange(4.0)
    Kernel(double)(kernels.array(tensor))
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
    Kernel(double)(values)
    assert (values.tolist(), kept) == ([2.0, 2.0], [True, False])


def test_a_full_disk_does_not_stop_a_kernel(monkeypatch):
    njit = numba.njit
    full_disk = Mock(side_effect=OSError(28, "No space left on device"), stats=Mock(cache_path="nowhere"))
    monkeypatch.setattr(numba, "njit", lambda f, cache, **options: full_disk if cache else njit(f, **options))
    values = np.ones(2)
    Kernel(double)(values)
    assert values.tolist() == [2.0, 2.0]


def test_a_kernel_is_compiled_by_one_process_at_a_time():
    kernel = Kernel(double)
    thread = Thread(target=kernel, args=(np.ones((2, 2), np.float32)[0],))
    with FileLock(Path(numba.njit(double, cache=True).stats.cache_path) / "test_kernels.double.lock"):
        thread.start()
        thread.join(timeout=0.3)
        assert thread.is_alive()
    thread.join(timeout=30.0)
    assert not thread.is_alive()
    assert kernel.kept


def test_kernels_are_compiled_ahead_in_processes_of_their_own(tmp_path):
    share = [kernel.function.__name__ for kernel, _ in ahead.all_types(["json"])][1::20]
    where = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "mjsdk.kernels.ahead", "1", "20", "json"], check=True, env=where)
    kept = [path.name.split("-")[0].split(".")[1] for path in tmp_path.rglob("*.nbc")]
    assert sorted(kept) == sorted(share) != []


@pytest.mark.parametrize(("kept", "started"), [(True, 0), (False, 1)])
def test_nothing_is_started_where_all_is_compiled(kept, started, monkeypatch):
    processes = []
    monkeypatch.setattr(Kernel, "kept", kept)
    monkeypatch.setattr(ahead, "available_threads", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: processes.append(command))
    ahead.start(["walk"])
    assert len(processes) == started


def noise(seed, worlds=2000, scale=(0.0, 0.1, 2.0)):
    values = np.zeros((worlds, len(scale)), np.float32)
    state = np.array([seed], np.uint64)
    add_uniform(values, np.array(scale, np.float32), state)
    return values, state


def test_noise_is_uniform_and_each_column_has_its_own():
    values, _ = noise(1)
    assert not values[:, 0].any()
    for column, scale in ((1, 0.1), (2, 2.0)):
        unit = values[:, column] / scale
        assert (unit.min(), unit.max()) == pytest.approx((-1.0, 1.0), abs=0.01)
        assert unit.mean() == pytest.approx(0.0, abs=0.05)
        assert unit.var() == pytest.approx(1.0 / 3.0, abs=0.02)
        assert abs(np.corrcoef(unit[1:], unit[:-1])[0, 1]) < 0.07
    assert abs(np.corrcoef(values[:, 1], values[:, 2])[0, 1]) < 0.07


def test_noise_repeats_with_its_state_and_goes_on_from_it():
    (first, state), (again, _) = noise(7), noise(7)
    assert np.array_equal(first, again)
    assert not np.array_equal(noise(int(state[0]))[0], first)


numbers = st.floats(-1e3, 1e3, width=32)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5), st.floats(0.0, 1.0, width=32))
def test_weighted_sums_are_those_of_the_matrix_product(pairs, factor):
    values, weights = np.array([pairs, pairs], np.float32).transpose(1, 0, 2), np.arange(1.0, 3.0, dtype=np.float32)
    rows = np.ascontiguousarray(values.reshape(len(pairs), -1)[:, :2].T)
    out = np.zeros(len(pairs), np.float32)
    assert weighted_sums(rows, weights, np.float32(factor), out)
    np.testing.assert_allclose(out, factor * (weights @ rows), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_weighted_sum_that_is_not_finite_is_noticed(bad):
    rows, out = np.ones((2, 3), np.float32), np.zeros(3, np.float32)
    rows[1, 2] = bad
    assert not weighted_sums(rows, np.ones(2, np.float32), np.float32(1.0), out)
    assert out[:2].tolist() == [2.0, 2.0]


def test_only_what_is_outside_counts():
    limits = np.array([[-1.0, 1.0], [-np.inf, np.inf]], np.float32)
    out = np.zeros(3, np.float32)
    beyond_limits(np.array([[0.5, 9.0], [1.5, -9.0], [-3.0, 0.0]], np.float32), limits, out)
    assert out.tolist() == [0.0, 0.5, 2.0]


def test_who_failed_did_not_run_out_of_time():
    reasons = np.array([[0, 1, 0, 1], [0, 0, 1, 1]], bool)
    terminated, truncated, ids = np.zeros(4, bool), np.zeros(4, bool), np.zeros(4, int)
    assert ends(reasons, np.array([True, False]), terminated, truncated, ids) == 3
    assert ids[:3].tolist() == [1, 2, 3]
    assert terminated.tolist() == [False, False, True, True]
    assert truncated.tolist() == [False, True, False, False]


def thrice(values):
    for i in range(len(values)):
        values[i] *= 3.0


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", ["nothing", "half", "zeros"])
def test_kept_code_that_was_cut_short_is_made_again(ending, left):
    def run():
        values = np.ones(2)
        Kernel(thrice)(values)
        assert values.tolist() == [3.0, 3.0]

    run()
    folder = Path(numba.njit(thrice, cache=True).stats.cache_path)
    (file,) = folder.glob(f"test_kernels.thrice-*{ending}")
    whole = file.read_bytes()
    file.write_bytes({"nothing": b"", "half": whole[: len(whole) // 2], "zeros": bytes(len(whole))}[left])
    run()
    assert len(file.read_bytes()) > len(whole) // 2
    assert any(file.read_bytes())
