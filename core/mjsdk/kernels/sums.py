"""Sums over each world's numbers."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.kernels import Kernel

ONE = np.float32(1.0)


@Kernel.of("f4[:,:,:], f8, f4[:,::1], b1[:,::1]")
def contact_loads(force: np.ndarray, touch: float, load: np.ndarray, in_contact: np.ndarray) -> None:
    """Fill the size of each force, shape (E, F, 3) to (E, F), and whether it is above `touch`."""
    for e in range(force.shape[0]):
        for part in range(force.shape[1]):
            x, y, z = force[e, part, 0], force[e, part, 1], force[e, part, 2]
            load[e, part] = math.sqrt(x * x + y * y + z * z)
            in_contact[e, part] = load[e, part] > touch


@Kernel.of("f4[:,:], f4[:,:]", "f4[:,::1], f4[:,:]", "b1[:,::1], f4[:,:]")
def copy(values: np.ndarray, out: np.ndarray) -> None:
    """Copy rows, shape (E, n)."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[e, i] = values[e, i]


@Kernel.of("f4[:,::1], f4[:,::1], f4[:,:]")
def totals(values: np.ndarray, others: np.ndarray, out: np.ndarray) -> None:
    """Fill the sums of two arrays, shape (E, n)."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[e, i] = values[e, i] + others[e, i]


@Kernel.of("f4[:,:], f4[::1], f4[:,::1]")
def differences(values: np.ndarray, minus: np.ndarray, out: np.ndarray) -> None:
    """Fill each row of `values`, shape (E, n), less `minus`, shape (n,)."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[e, i] = values[e, i] - minus[i]


@Kernel.of("f4[:,::1], f4[:,::1], f4[::1]")
def squared_changes(now: np.ndarray, before: np.ndarray, out: np.ndarray) -> None:
    """Fill the sum of squared differences of two rows, shape (E, n) to (E,)."""
    for e in range(now.shape[0]):
        total = np.float32(0.0)
        for i in range(now.shape[1]):
            change = now[e, i] - before[e, i]
            total += change * change
        out[e] = total


@Kernel.of("f4[:,:], f4[:,::1], f4[::1]")
def beyond_limits(values: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """Fill how far each world's numbers, shape (E, n), are outside their limits, shape (n, 2), summed, shape (E,)."""
    for e in range(values.shape[0]):
        total = np.float32(0.0)
        for i in range(values.shape[1]):
            value = values[e, i]
            total += max(limits[i, 0] - value, np.float32(0.0)) + max(value - limits[i, 1], np.float32(0.0))
        out[e] = total


@Kernel.of("f4[:,:], f4[::1]")
def squares(values: np.ndarray, out: np.ndarray) -> None:
    """Fill the sum of squares of each world's numbers, shape (E, n) to (E,)."""
    for e in range(values.shape[0]):
        total = np.float32(0.0)
        for i in range(values.shape[1]):
            total += values[e, i] * values[e, i]
        out[e] = total


@Kernel.of("f4[::1], f4, f4[::1]")
def exponentials(values: np.ndarray, factor: np.float32, out: np.ndarray) -> None:
    """Fill exp(factor x value), shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = math.exp(values[e] * factor)


@Kernel.of("f4[::1], f4, f4[::1]")
def assign(values: np.ndarray, factor: np.float32, out: np.ndarray) -> None:
    """Fill factor x value, shape (E,); of true and false, 1 and 0 count."""
    for e in range(values.shape[0]):
        out[e] = factor * np.float32(values[e])


@Kernel.of("b1[::1], f4[::1]")
def opposite(values: np.ndarray, out: np.ndarray) -> None:
    """Fill 0 for true and 1 for false, shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = 0.0 if values[e] else 1.0


@Kernel.of("i8[::1], i8, b1[::1]", "f4[:], f8, b1[::1]")
def above(values: np.ndarray, limit: float, out: np.ndarray) -> None:
    """Fill whether each value is above a limit, shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = values[e] > limit


@Kernel.of("f4[:,::1], f4[::1], f4, f4[::1]")
def weighted_sums(values: np.ndarray, weights: np.ndarray, factor: np.float32, out: np.ndarray) -> bool:
    """Fill factor x sum of weight x value over the rows of `values`, shape (rows, E) to (E,).

    Returns:
        Whether all of them are finite.
    """
    for e in range(out.shape[0]):
        out[e] = 0.0
    for row in range(values.shape[0]):
        weight = weights[row] * factor
        for e in range(out.shape[0]):
            out[e] += weight * values[row, e]
    finite = True
    for e in range(out.shape[0]):
        finite &= math.isfinite(out[e])
    return finite


@Kernel.of("b1[:,::1], b1[::1], b1[::1], b1[::1], i8[::1]")
def ends(
    reasons: np.ndarray, is_time_out: np.ndarray, terminated: np.ndarray, truncated: np.ndarray, ids: np.ndarray
) -> int:
    """Fill which worlds failed or ran out of time, shape (E,) each, from reasons, shape (reasons, E).

    Returns:
        How many did either; the first so many of `ids`, shape (E,), are their numbers.
    """
    count = 0
    for e in range(terminated.shape[0]):
        failed, late = False, False
        for row in range(reasons.shape[0]):
            failed |= reasons[row, e] and not is_time_out[row]
            late |= reasons[row, e] and is_time_out[row]
        terminated[e] = failed
        truncated[e] = late and not failed
        if failed or late:
            ids[count] = e
            count += 1
    return count


@Kernel.of("f4[::1], f4")
def run_down(time_left: np.ndarray, dt: np.float32) -> bool:
    """Take `dt` from each timer, shape (E,).

    Returns:
        Whether any of them has come to 0.
    """
    due = False
    for e in range(time_left.shape[0]):
        time_left[e] -= dt
        due |= time_left[e] <= 0.0
    return due


@Kernel.of("f4[:,:,:], i8, f4[:,:]")
def logarithms(force: np.ndarray, axis: int, out: np.ndarray) -> None:
    """Fill log(1 + |f|) of one axis of each force, shape (E, F, 3) to (E, F)."""
    one = np.float32(1.0)  # beside forces of many newtons, log1p is no better than log, and slower
    for e in range(force.shape[0]):
        for part in range(force.shape[1]):
            out[e, part] = math.log(one + abs(force[e, part, axis]))
