"""Rows of chosen worlds."""

from __future__ import annotations

import numpy as np

from mjsdk.kernels import Kernel


@Kernel
def write_all(state: np.ndarray, bound: np.ndarray, values: np.ndarray) -> None:
    """Copy `values`, shape (E, n), to both arrays: physics keeps its state in double precision and as terms read it."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            state[e, i] = values[e, i]
            bound[e, i] = values[e, i]


@Kernel.of("f8[:,:], f4[:,:], i8[::1], f4[:,::1]", "f8[:,:], f4[:,:], i8[::1], f4[:,:]")
def write_rows(state: np.ndarray, bound: np.ndarray, ids: np.ndarray, values: np.ndarray) -> None:
    """Copy `values`, shape (m, n), to the rows `ids`, shape (m,), of both arrays."""
    for k in range(ids.shape[0]):
        for i in range(values.shape[1]):
            state[ids[k], i] = values[k, i]
            bound[ids[k], i] = values[k, i]


@Kernel.of("f8[:,::1], i8[::1], f8[::1]", "f4[:,::1], i8[::1], f4[::1]")
def restore(values: np.ndarray, ids: np.ndarray, row: np.ndarray) -> None:
    """Copy one row, shape (n,), to the rows `ids` of `values`, shape (E, n)."""
    for k in range(ids.shape[0]):
        for i in range(row.shape[0]):
            values[ids[k], i] = row[i]


@Kernel.of("f4[::1], f8, f8, i8[::1], f4[::1]")
def draw_timers(random: np.ndarray, low: float, high: float, ids: np.ndarray, time_left: np.ndarray) -> None:
    """Set the timers of the worlds `ids` between two times, with `random` from 0 to 1, shape (m,)."""
    for k in range(ids.shape[0]):
        time_left[ids[k]] = low + (high - low) * random[k]


@Kernel.of("i8[::1], b1[::1], b1[:,::1], f4[:,::1], f4[::1], f4[::1]")
def close_episodes(
    ids: np.ndarray, failed: np.ndarray, why: np.ndarray, now: np.ndarray, reasons: np.ndarray, ended: np.ndarray
) -> None:
    """Add the episodes of the worlds `ids` to the sums of those that ended, and begin new ones.

    `now`, shape (4, E): 1, whether it failed, return, length. `why`, shape (reasons, E).
    """
    for k in range(ids.shape[0]):
        e = ids[k]
        for row in range(why.shape[0]):
            reasons[row] += why[row, e]
        now[1, e] = 1.0 if failed[e] else 0.0
        for row in range(now.shape[0]):
            ended[row] += now[row, e]
            if row:
                now[row, e] = 0.0


@Kernel.of("i4[::1]")
def any_of(values: np.ndarray) -> bool:
    """Whether any of some numbers, shape (n,), is not 0."""
    found = False
    for i in range(values.shape[0]):
        found |= values[i] != 0
    return found


@Kernel.of("i8[::1], i8[::1]")
def count_step(episode_length: np.ndarray, counters: np.ndarray) -> None:
    """Add 1 to everything: the ages of episodes, shape (E,), and a number, shape (1,)."""
    counters[0] += 1
    for e in range(episode_length.shape[0]):
        episode_length[e] += 1


@Kernel.of("f4[:,::1], f4[::1], f4[:,::1], f4[::1], f4[:,::1], i8[::1]")
def log_step(
    values: np.ndarray,
    weights: np.ndarray,
    sums: np.ndarray,
    total: np.ndarray,
    now: np.ndarray,
    steps: np.ndarray,
) -> None:
    """Add a step: weight x value to `sums`, shape (terms, E), `total`, shape (E,), and 1 to return and length in `now`,
    shape (4, E), and 1 to `steps`, shape (1,).
    """
    steps[0] += 1
    for row in range(values.shape[0]):
        for e in range(values.shape[1]):
            sums[row, e] += weights[row] * values[row, e]
    for e in range(total.shape[0]):
        now[2, e] += total[e]
        now[3, e] += 1.0
