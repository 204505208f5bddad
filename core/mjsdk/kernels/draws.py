"""Random poses and commands, from numbers between 0 and 1."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.kernels import Kernel


@Kernel.of("f4[:,::1], f4[:], f4[::1], f4[::1], f4[:,::1], f4[:,::1]")
def upright_pose(
    random: np.ndarray, low: np.ndarray, width: np.ndarray, pos: np.ndarray, qpos: np.ndarray, qvel: np.ndarray
) -> None:
    """Fill position and orientation, shape (n, 7), and velocity, shape (n, 6), of bases that turn but do not tilt.

    `random`, shape (n, 12), stands for x, y, z, roll, pitch, yaw and their rates between `low` and `low + width`.
    """
    for k in range(random.shape[0]):
        for i in range(3):
            qpos[k, i] = pos[i] + low[i] + random[k, i] * width[i]
            qpos[k, 3 + i] = 0.0
        half = np.float32(0.5) * (low[5] + random[k, 5] * width[5])
        qpos[k, 3], qpos[k, 6] = math.cos(half), math.sin(half)
        for i in range(6):
            qvel[k, i] = low[6 + i] + random[k, 6 + i] * width[6 + i]


@Kernel.of("f4[:,::1], f4[::1], f4[::1], f4[:,::1], f4[:,::1]")
def between(random: np.ndarray, low: np.ndarray, width: np.ndarray, bounds: np.ndarray, out: np.ndarray) -> None:
    """Fill numbers between `low` and `low + width`, shape (n,), and inside `bounds`, shape (2, n); shape (m, n)."""
    for k in range(random.shape[0]):
        for i in range(random.shape[1]):
            out[k, i] = min(max(low[i] + random[k, i] * width[i], bounds[0, i]), bounds[1, i])


@Kernel.of("f4[:,::1], f4[:], f4[::1], f4[::1], f4[:,::1], i8[::1], f4[:,::1]")
def one_of_the_kinds(
    random: np.ndarray,
    low: np.ndarray,
    width: np.ndarray,
    shares: np.ndarray,
    parts: np.ndarray,
    ids: np.ndarray,
    command: np.ndarray,
) -> None:
    """Fill the rows `ids`, shape (n,), of `command`, shape (E, m), each with a command of one kind.

    The kind is i where the last number of `random`, shape (n, 5), is first below shares[i]; it leaves `parts`, shape
    (kinds, m), of the numbers that the others stand for.
    """
    for k in range(ids.shape[0]):
        kind = 0
        while kind < shares.shape[0] and random[k, 4] >= shares[kind]:
            kind += 1
        for i in range(command.shape[1]):
            command[ids[k], i] = (low[i] + random[k, i] * width[i]) * parts[kind, i]
