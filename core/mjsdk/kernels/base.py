"""How the base moves, and how well it follows."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.kernels import Kernel


@Kernel.of(
    "f4[:,::1], f4[:,::1], i8, i8, f4[::1], f4[:,::1], f4[:,::1], f4[:,::1], f4[:,::1], f4[::1]",
)
def base_motion(
    qpos: np.ndarray,
    qvel: np.ndarray,
    place: int,
    speed: int,
    gravity_w: np.ndarray,
    gravity: np.ndarray,
    down: np.ndarray,
    lin_vel_b: np.ndarray,
    lin_vel_yaw: np.ndarray,
    yaw_rate: np.ndarray,
) -> None:
    """Fill the last five arrays, shape (E, 3) thrice, (E, 2), (E,), from positions and velocities of a free base.

    It begins at the columns `place` of `qpos` and `speed` of `qvel`. `gravity_w` is the direction of gravity in the
    world, shape (3,).
    """
    gx, gy, gz = gravity_w[0], gravity_w[1], gravity_w[2]
    tiny = np.float32(1e-24)
    for e in range(qpos.shape[0]):
        w, x, y, z = qpos[e, place + 3], qpos[e, place + 4], qpos[e, place + 5], qpos[e, place + 6]
        vx, vy, vz = qvel[e, speed], qvel[e, speed + 1], qvel[e, speed + 2]
        xx, xy, xz = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        yx, yy, yz = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        zx, zy, zz = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        down[e, 0], down[e, 1], down[e, 2] = -zx, -zy, -zz
        gravity[e, 0] = gx * xx + gy * yx + gz * zx
        gravity[e, 1] = gx * xy + gy * yy + gz * zy
        gravity[e, 2] = gx * xz + gy * yz + gz * zz
        lin_vel_b[e, 0] = xx * vx + yx * vy + zx * vz
        lin_vel_b[e, 1] = xy * vx + yy * vy + zy * vz
        lin_vel_b[e, 2] = xz * vx + yz * vy + zz * vz
        # An x axis that is vertical has no heading: zeros, not NaN.
        inverse = 1.0 / math.sqrt(max(xx * xx + yx * yx, tiny))
        lin_vel_yaw[e, 0] = (xx * vx + yx * vy) * inverse
        lin_vel_yaw[e, 1] = (xx * vy - yx * vx) * inverse
        yaw_rate[e] = zx * qvel[e, speed + 3] + zy * qvel[e, speed + 4] + zz * qvel[e, speed + 5]


@Kernel.of("f4[:,::1], f4[:,::1], f4[::1], f8, f4[:,::1]")
def velocity_errors(
    command: np.ndarray, lin_vel_yaw: np.ndarray, yaw_rate: np.ndarray, standing: np.float32, rows: np.ndarray
) -> None:
    """Fill distances of velocity and yaw rate from a command (forward, left, yaw), their squares, and the first again
    where the numbers of the command add up to no more than `standing` in size; shape (5, E).
    """
    for e in range(command.shape[0]):
        forward, left = command[e, 0] - lin_vel_yaw[e, 0], command[e, 1] - lin_vel_yaw[e, 1]
        turn = command[e, 2] - yaw_rate[e]
        square = forward * forward + left * left
        rows[0, e], rows[1, e] = math.sqrt(square), abs(turn)
        rows[2, e], rows[3, e] = square, turn * turn
        asked = abs(command[e, 0]) + abs(command[e, 1]) + abs(command[e, 2])
        rows[4, e] = rows[0, e] if asked <= standing else 0.0
