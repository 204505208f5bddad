"""Loops over worlds for some terms, compiled by numba: arrays and nothing else. The terms say what they compute."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.ops.loop import Loop


@Loop.of("f4[::1], f4[::1], b1[::1], b1[::1], f4[:,::1], f4[:,::1], f8, f4[:,::1], f8, f4[:,:], f8, f8")
def advance(
    offsets: np.ndarray,
    phase: np.ndarray,
    moving: np.ndarray,
    step_commanded: np.ndarray,
    foot_phase: np.ndarray,
    command: np.ndarray,
    side: float,
    twist: np.ndarray,
    standing: float,
    gravity: np.ndarray,
    lean: float,
    progress: float,
) -> None:
    """Let gait clocks continue by `progress` cycles where the command adds up to more than `standing`, or the robot
    falls.

    Those fall whose squared sine of the tilt is beyond `lean`; who stood then begins on the side that it falls to.
    """
    half, one, turn, quarter = np.float32(0.5), np.float32(1.0), np.float32(2.0 * math.pi), np.float32(0.5 * math.pi)
    ahead = np.float32(progress)
    for e in range(phase.shape[0]):
        size = np.float32(0.0)
        for i in range(twist.shape[1]):
            size += abs(twist[e, i])
        step_commanded[e] = size > standing
        left = gravity[e, 1]
        falling = gravity[e, 0] * gravity[e, 0] + left * left > lean
        if falling and side != 0.0 and not moving[e] and not step_commanded[e]:
            phase[e] = 0.5 if left * side < 0.0 else 0.0
        active = falling or step_commanded[e]
        now = phase[e]
        if moving[e]:
            now += ahead
        # A remainder takes far longer than the rest, and few numbers are so large that one is needed.
        beyond = now if now < half else now - half if now < one else now % half
        continues = beyond >= ahead or active
        if not continues:
            now -= beyond
        if now >= one:
            now %= one
        phase[e] = now
        moving[e] = (moving[e] and continues) or active
        for foot in range(offsets.shape[0]):
            behind = now - offsets[foot]
            foot_phase[e, foot] = behind if 0.0 <= behind < one else behind % one
        command[e, 0] = math.sin(now * turn) if moving[e] else 0.0
        command[e, 1] = math.sin(now * turn + quarter) if moving[e] else 0.0


@Loop.of("f4[::1], f4[::1], f4[:,::1], i8[::1], b1[::1], f4[:,::1], f4[:,::1], f4[:,::1], f4[:,::1], f4[:,::1], f8, f8")
def stepping_targets(
    offset: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    joints: np.ndarray,
    moving: np.ndarray,
    foot_phase: np.ndarray,
    lift: np.ndarray,
    step: np.ndarray,
    target: np.ndarray,
    action: np.ndarray,
    standing: float,
    swing: float,
) -> None:
    """Fill what the open-loop step adds, `step`, and the `target` of each joint, shape (E, J) each.

    The bump of a foot that swings is max(0, (sin(pi phase / swing) - 0.2) / 0.8). `joints`, shape (J,), are the columns
    of the joints in `bias`.
    """
    half_turn, low, inverse = np.float32(math.pi / swing), np.float32(0.2), np.float32(1.0 / 0.8)
    for e in range(action.shape[0]):
        size = np.float32(1.0) if moving[e] else np.float32(standing)
        for j in range(offset.shape[0]):
            step[e, j] = 0.0
            target[e, j] = offset[j] + action[e, j] * size * scale[j] - bias[e, joints[j]]
        for foot in range(lift.shape[0]):
            if moving[e] and foot_phase[e, foot] < swing:
                bump = (np.float32(math.sin(foot_phase[e, foot] * half_turn)) - low) * inverse
                if bump > 0.0:
                    for j in range(offset.shape[0]):
                        step[e, j] += bump * lift[foot, j]
        for j in range(offset.shape[0]):
            target[e, j] += step[e, j]


@Loop.of("f4[:,:], f4[::1]")
def squares(values: np.ndarray, out: np.ndarray) -> None:
    """Fill the sum of squares of each world's numbers, shape (E, n) to (E,)."""
    for e in range(values.shape[0]):
        total = np.float32(0.0)
        for i in range(values.shape[1]):
            total += values[e, i] * values[e, i]
        out[e] = total


@Loop.of("f4[:,::1], f4[:,::1], f4[::1]")
def squared_changes(now: np.ndarray, before: np.ndarray, out: np.ndarray) -> None:
    """Fill the sum of squared differences of two rows, shape (E, n) to (E,)."""
    for e in range(now.shape[0]):
        total = np.float32(0.0)
        for i in range(now.shape[1]):
            total += (now[e, i] - before[e, i]) * (now[e, i] - before[e, i])
        out[e] = total


@Loop.of("f4[:,:], f4[:,:]", "f4[:,::1], f4[:,:]", "b1[:,::1], f4[:,:]")
def copy(values: np.ndarray, out: np.ndarray) -> None:
    """Fill columns with values, shape (E, n)."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[e, i] = values[e, i]


@Loop.of("f4[::1], f4[::1]")
def copy_row(values: np.ndarray, out: np.ndarray) -> None:
    """Fill values, shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = values[e]


@Loop.of("f4[:,:], f4[:], f4[:,:], b1, f4[:,:]", "f4[:,:], f4[::1], f4[:,::1], b1, f4[:,:]")
def joint_errors(position: np.ndarray, default: np.ndarray, bias: np.ndarray, biased: bool, out: np.ndarray) -> None:
    """Fill how far joints are from their default position, shape (E, J), plus what encoders read too much."""
    for e in range(out.shape[0]):
        if biased:
            for i in range(out.shape[1]):
                out[e, i] = position[e, i] - default[i] + bias[e, i]
        else:
            for i in range(out.shape[1]):
                out[e, i] = position[e, i] - default[i]


@Loop.of("f4[:], f8, b1[::1]", "i8[::1], i8, b1[::1]")
def above(values: np.ndarray, limit: float, out: np.ndarray) -> None:
    """Fill whether values are above a limit, shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = values[e] > limit


@Loop.of("f4[::1], f8, f4[::1]")
def exponentials(values: np.ndarray, factor: float, out: np.ndarray) -> None:
    """Fill exp(factor x value), shape (E,)."""
    for e in range(values.shape[0]):
        out[e] = math.exp(values[e] * np.float32(factor))


@Loop.of("f4[::1], f4[::1], f8[:,:], i8[::1], f4[:,::1], f4[:,::1]")
def upright_root(
    low: np.ndarray, high: np.ndarray, start: np.ndarray, ids: np.ndarray, random: np.ndarray, base: np.ndarray
) -> None:
    """Fill pose and velocity, shape (n, 7 + 6), of bases that turn but do not tilt.

    `random`, shape (n, 12), stands for x, y, z, roll, pitch, yaw and their rates between `low` and `high`, relative to
    the rows `ids` of `start`, shape (E, 7).
    """
    for k in range(random.shape[0]):
        w, x, y, z = start[ids[k], 3], start[ids[k], 4], start[ids[k], 5], start[ids[k], 6]
        for i in range(3):
            base[k, i] = start[ids[k], i] + low[i] + random[k, i] * (high[i] - low[i])
        for i in range(6):
            base[k, 7 + i] = low[6 + i] + random[k, 6 + i] * (high[6 + i] - low[6 + i])
        half = np.float32(0.5) * (low[5] + random[k, 5] * (high[5] - low[5]))
        c, s = math.cos(half), math.sin(half)
        base[k, 3], base[k, 4], base[k, 5], base[k, 6] = c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w


@Loop.of("f4[:,:], f4[:,::1], f4[::1]")
def beyond_limits(values: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """Fill how far each world's numbers, shape (E, n), are outside their limits, shape (n, 2), summed, shape (E,)."""
    for e in range(values.shape[0]):
        total = np.float32(0.0)
        for i in range(values.shape[1]):
            value = values[e, i]
            total += max(limits[i, 0] - value, np.float32(0.0)) + max(value - limits[i, 1], np.float32(0.0))
        out[e] = total


@Loop.of("f4[:,::1], f4[:,:], f4[:], f8, f4[:,::1]")
def velocity_errors(
    command: np.ndarray, lin_vel_yaw: np.ndarray, yaw_rate: np.ndarray, standing: float, rows: np.ndarray
) -> None:
    """Fill distances of velocity and yaw rate from a command, their squares, and drift, shape (5, E)."""
    for e in range(command.shape[0]):
        forward, left = command[e, 0] - lin_vel_yaw[e, 0], command[e, 1] - lin_vel_yaw[e, 1]
        turn = command[e, 2] - yaw_rate[e]
        square = forward * forward + left * left
        rows[0, e], rows[1, e] = math.sqrt(square), abs(turn)
        rows[2, e], rows[3, e] = square, turn * turn
        asked = abs(command[e, 0]) + abs(command[e, 1]) + abs(command[e, 2])
        rows[4, e] = rows[0, e] if asked <= standing else 0.0


@Loop.of("f4[::1], f4[::1], f4[::1], f4[::1], f4[:,::1]")
def spread(low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray, random: np.ndarray) -> None:
    """Turn random numbers between 0 and 1, shape (n, k), into such between `low` and `high`, within other bounds."""
    for k in range(random.shape[0]):
        for i in range(random.shape[1]):
            random[k, i] = min(max(low[i] + random[k, i] * (high[i] - low[i]), least[i]), most[i])


@Loop.of("f4[::1], f4[::1], f4[::1], f4[:,::1], f4[:,::1], f4[::1], i8[::1], i8[::1], f4[:,::1]")
def resample_velocity(
    low: np.ndarray,
    high: np.ndarray,
    shares: np.ndarray,
    parts: np.ndarray,
    command: np.ndarray,
    heading: np.ndarray,
    mode: np.ndarray,
    ids: np.ndarray,
    random: np.ndarray,
) -> None:
    """Fill the rows `ids` of `command`, shape (E, 3), of `heading` and `mode`, shape (E,), by numbers from 0 to 1.

    The last of the five numbers of a row decides the mode: the first one whose accumulated share is above it; the mode
    decides which parts of the command are asked for, shape (modes, 3).
    """
    for k in range(ids.shape[0]):
        e, kind = ids[k], 0
        while kind < shares.shape[0] and random[k, 4] >= shares[kind]:
            kind += 1
        for i in range(3):
            command[e, i] = (low[i] + random[k, i] * (high[i] - low[i])) * parts[kind, i]
        heading[e] = low[3] + random[k, 3] * (high[3] - low[3])
        mode[e] = kind
