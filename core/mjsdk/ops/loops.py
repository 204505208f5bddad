"""Loops over worlds, compiled by numba: arrays and nothing else. `mjsdk.ops.protocol` says what they compute."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.ops.loop import Loop


@Loop.of("f4[:,:], f4[:,:], f4[::1], f4[:,::1]")
def base_motion(pose: np.ndarray, velocity: np.ndarray, gravity_w: np.ndarray, out: np.ndarray) -> None:
    """Fill directions of gravity and down, velocities in two frames, and the yaw rate, of free bases."""
    gx, gy, gz = gravity_w[0], gravity_w[1], gravity_w[2]
    tiny = np.float32(1e-24)
    for e in range(pose.shape[0]):
        w, x, y, z = pose[e, 3], pose[e, 4], pose[e, 5], pose[e, 6]
        vx, vy, vz = velocity[e, 0], velocity[e, 1], velocity[e, 2]
        xx, xy, xz = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        yx, yy, yz = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        zx, zy, zz = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        out[e, 0] = gx * xx + gy * yx + gz * zx
        out[e, 1] = gx * xy + gy * yy + gz * zy
        out[e, 2] = gx * xz + gy * yz + gz * zz
        out[e, 3], out[e, 4], out[e, 5] = -zx, -zy, -zz
        out[e, 6] = xx * vx + yx * vy + zx * vz
        out[e, 7] = xy * vx + yy * vy + zy * vz
        out[e, 8] = xz * vx + yz * vy + zz * vz
        # An x axis that is vertical has no heading: zeros, not NaN.
        inverse = 1.0 / math.sqrt(max(xx * xx + yx * yx, tiny))
        out[e, 9] = (xx * vx + yx * vy) * inverse
        out[e, 10] = (xx * vy - yx * vx) * inverse
        out[e, 11] = zx * velocity[e, 3] + zy * velocity[e, 4] + zz * velocity[e, 5]


@Loop.of("f4[:,:,:], f8, f4[:,::1], b1[:,::1]")
def contact_loads(force: np.ndarray, touch: float, load: np.ndarray, in_contact: np.ndarray) -> None:
    """Fill the size of each force, and whether it is above `touch`."""
    for e in range(force.shape[0]):
        for part in range(force.shape[1]):
            x, y, z = force[e, part, 0], force[e, part, 1], force[e, part, 2]
            load[e, part] = math.sqrt(x * x + y * y + z * z)
            in_contact[e, part] = load[e, part] > touch


@Loop.of("i8[::1], f4[::1], f8")
def countdown(ids: np.ndarray, time_left: np.ndarray, dt: float) -> int:
    """Take `dt` from each timer; how many have expired: the first so many of `ids` are their worlds."""
    count = 0
    for e in range(time_left.shape[0]):
        time_left[e] -= np.float32(dt)
        if time_left[e] <= 0.0:
            ids[count] = e
            count += 1
    return count


@Loop.of("i8[::1], b1[:,::1], i8, b1[::1], b1[::1]")
def end_episodes(
    ids: np.ndarray, reasons: np.ndarray, failures: int, terminated: np.ndarray, truncated: np.ndarray
) -> int:
    """Fill which worlds failed or ran out of time; how many did: the first so many of `ids` are their numbers."""
    count, last = 0, reasons.shape[0] - 1
    for e in range(terminated.shape[0]):
        failed, late = reasons[last, e], False
        for row in range(last):
            if row < failures:
                failed |= reasons[row, e]
            else:
                late |= reasons[row, e]
        terminated[e] = failed
        truncated[e] = late and not failed
        if failed or late:
            ids[count] = e
            count += 1
    return count


@Loop.of("f4[:,::1], f4[::1], f4[::1], f4[:,::1], f4[:,::1]")
def log_step(values: np.ndarray, weights: np.ndarray, total: np.ndarray, sums: np.ndarray, now: np.ndarray) -> None:
    """Add a step to sums of terms, and to returns and lengths of episodes."""
    for row in range(values.shape[0]):
        for e in range(values.shape[1]):
            sums[row, e] += weights[row] * values[row, e]
    for e in range(total.shape[0]):
        now[2, e] += total[e]
        now[3, e] += 1.0


@Loop.of("i8[::1], b1[::1], b1[:,::1], f4[:,::1], f4[::1], f4[::1]")
def log_ends(
    ids: np.ndarray, failed: np.ndarray, why: np.ndarray, now: np.ndarray, counts: np.ndarray, ended: np.ndarray
) -> None:
    """Add episodes to the sums of those that ended, and begin new ones."""
    for e in ids:
        for row in range(why.shape[0]):
            counts[row] += why[row, e]
        now[1, e] = 1.0 if failed[e] else 0.0
        for row in range(now.shape[0]):
            ended[row] += now[row, e]
            if row:
                now[row, e] = 0.0


@Loop.of("f4[:,::1], f4[::1], b1[::1], f4[::1], f8")
def weighted_sum(values: np.ndarray, weights: np.ndarray, unstable: np.ndarray, total: np.ndarray, dt: float) -> bool:
    """Fill the weighted sums of columns; whether all of them are finite."""
    for e in range(total.shape[0]):
        total[e] = 0.0
    for row in range(values.shape[0]):
        weight = weights[row] * np.float32(dt)
        for e in range(total.shape[0]):
            total[e] += weight * values[row, e]
    finite = True
    for e in range(total.shape[0]):
        finite &= math.isfinite(total[e])
        if unstable[e]:
            total[e] = 0.0
    return finite


@Loop.of("f8[:,:], f4[:,:], i8[::1], f4[:,:]", "f8[:,:], f4[:,:], i8[::1], f4[:,::1]")
def write_rows(state: np.ndarray, bound: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    """Copy rows, shape (n, k), to the rows `ids` of both arrays."""
    for row in range(ids.shape[0]):
        for i in range(rows.shape[1]):
            state[ids[row], i] = rows[row, i]
            bound[ids[row], i] = rows[row, i]


@Loop.of(
    *("f8[:,::1], i8[::1], f8[:,:]", "f4[:,::1], i8[::1], f8[:,:]"),
    *("f8[:,::1], i8[::1], f8[:,::1]", "f4[:,::1], i8[::1], f8[:,::1]"),
)
def restore(values: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    """Copy a row for each, shape (n, k), or one for all, shape (1, k), to the rows `ids` of `values`."""
    for row in range(ids.shape[0]):
        for i in range(rows.shape[1]):
            values[ids[row], i] = rows[min(row, rows.shape[0] - 1), i]


@Loop.of("f4[:,::1], b1[:,::1], i8[::1], f4[::1]")
def reflect(values: np.ndarray, active: np.ndarray, sources: np.ndarray, signs: np.ndarray) -> None:
    """Mirror rows in the worlds that are active."""
    row = np.empty(signs.shape[0], np.float32)
    for e in range(values.shape[0]):
        if active[e, 0]:
            for i in range(row.shape[0]):
                row[i] = values[e, i]
            for i in range(row.shape[0]):
                values[e, i] = signs[i] * row[sources[i]]


@Loop.of("f4[:,:], f4[::1], u8[::1]")
def add_noise(values: np.ndarray, scale: np.ndarray, state: np.ndarray) -> None:
    """Add noise between -scale and scale to the columns of `values`.

    The numbers are those of splitmix64 (Steele, Lea and Flood, 2014), of which each gives two of 24 bits; `state`,
    shape (1,), continues.
    """
    seed, mixed = state[0], np.uint64(0)
    unit, one, fresh = np.float32(2.0**-23), np.float32(1.0), False
    for i in range(scale.shape[0]):
        if scale[i] == 0.0:
            continue
        for e in range(values.shape[0]):
            if fresh:
                mixed <<= np.uint64(32)
            else:
                seed += np.uint64(0x9E3779B97F4A7C15)
                mixed = (seed ^ (seed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                mixed ^= mixed >> np.uint64(31)
            fresh = not fresh
            values[e, i] += (np.float32(mixed >> np.uint64(40)) * unit - one) * scale[i]
    state[0] = seed
