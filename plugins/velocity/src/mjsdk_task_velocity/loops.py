"""Loops over worlds for some terms, compiled by numba: arrays and nothing else. The terms say what they compute."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.ops.loop import Loop


@Loop.of(
    "f4[:,::1], f4[::1], b1[::1], b1[:,::1], f4[:,::1], f4[:,:,::1], i8[::1], f4[:,:,:], f8, f8, f8, f8, f4[::1]",
)
def gait_reward(
    foot_phase: np.ndarray,
    swing: np.ndarray,
    commanded: np.ndarray,
    in_contact: np.ndarray,
    load: np.ndarray,
    sites: np.ndarray,
    feet: np.ndarray,
    velocity: np.ndarray,
    heavy: float,
    rest: float,
    height: float,
    slip: float,
    out: np.ndarray,
) -> None:
    """Fill the reward of the gait, shape (E,); `swing` has one number."""
    half, one = np.float32(0.5), np.float32(1.0)
    share, per_height, per_speed = one / np.float32(feet.shape[0]), np.float32(0.5 / height), np.float32(1 / slip**2)
    for e in range(foot_phase.shape[0]):
        total = np.float32(0.0)
        for foot in range(feet.shape[0]):
            touching = one if in_contact[e, foot] else np.float32(0.0)
            if commanded[e] and foot_phase[e, foot] < swing[0]:
                lift = (sites[e, feet[foot], 2] - np.float32(rest)) * per_height
                total += min(max(lift, np.float32(0.0)), half) + half - half * touching
                if load[e, foot] > heavy:
                    total -= half
            else:
                x, y = velocity[e, foot, 0], velocity[e, foot, 1]
                total += np.float32(math.exp(-(x * x + y * y) * per_speed)) * touching
        out[e] = total * share


@Loop.of("f4[:,:,::1], i8[::1], i8[::1], f4[::1], f4[::1]")
def crowding(sites: np.ndarray, first: np.ndarray, second: np.ndarray, inverse: np.ndarray, out: np.ndarray) -> None:
    """Fill how far pairs of sites are nearer than 1 / inverse, shape (pairs,), as shares of that; sums, shape (E,)."""
    for e in range(sites.shape[0]):
        total = np.float32(0.0)
        for pair in range(first.shape[0]):
            x = sites[e, first[pair], 0] - sites[e, second[pair], 0]
            y = sites[e, first[pair], 1] - sites[e, second[pair], 1]
            distance = np.float32(math.sqrt(x * x + y * y))
            total += max(np.float32(1.0) - distance * inverse[pair], np.float32(0.0))
        out[e] = total


@Loop.of("f4[:,:], f4[::1], f4[:,::1], i8[::1], f4[:,::1], f4[::1], f4[:,::1], f4[::1]")
def posture(
    pos: np.ndarray,
    default: np.ndarray,
    step: np.ndarray,
    columns: np.ndarray,
    command: np.ndarray,
    from_speed: np.ndarray,
    factors: np.ndarray,
    out: np.ndarray,
) -> None:
    """Fill exp(sum of factor x error^2), shape (E,), with the row of `factors`, shape (gaits, J), for the speed.

    The error is that of positions, shape (E, J), from the default, without the open-loop `step`, of which joint j has
    column `columns[j]`; -1 for none.
    """
    for e in range(pos.shape[0]):
        speed = np.float32(0.0)
        for i in range(command.shape[1]):
            speed += abs(command[e, i])
        gait = 0
        while gait < from_speed.shape[0] and speed > from_speed[gait]:
            gait += 1
        total = np.float32(0.0)
        for j in range(pos.shape[1]):
            beside = pos[e, j] - default[j]
            if columns[j] >= 0:
                beside -= step[e, columns[j]]
            total += factors[gait, j] * beside * beside
        out[e] = math.exp(total)


@Loop.of("f4[:,:,::1], i8[::1], f8, f4[::1]")
def uprightness(quat: np.ndarray, bodies: np.ndarray, factor: float, out: np.ndarray) -> None:
    """Fill exp(factor x sum of s (1 - s)), shape (E,), with s = x^2 + y^2 of the quaternions, shape (E, n, 4)."""
    for e in range(quat.shape[0]):
        total = np.float32(0.0)
        for k in range(bodies.shape[0]):
            x, y = quat[e, bodies[k], 1], quat[e, bodies[k], 2]
            half = x * x + y * y
            total += half - half * half
        out[e] = math.exp(total * np.float32(factor))


@Loop.of("f4[:,:,:], f4[:,:]")
def log_force(force: np.ndarray, out: np.ndarray) -> None:
    """Fill log(1 + |vertical force|), shape (E, F)."""
    for e in range(out.shape[0]):
        for foot in range(out.shape[1]):
            out[e, foot] = math.log1p(abs(force[e, foot, 2]))


@Loop.of("f4[:,:,::1], i8[::1], f4[:,:]")
def heights(sites: np.ndarray, feet: np.ndarray, out: np.ndarray) -> None:
    """Fill the heights of some sites, shape (E, F)."""
    for e in range(out.shape[0]):
        for foot in range(out.shape[1]):
            out[e, foot] = sites[e, feet[foot], 2]
