"""Distances between what is commanded and what is done, computed once per step for all terms that ask."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env


def squared_lin_vel_error(env: Env, command: str) -> Tensor:
    """Squared distance of the horizontal velocity from the command [m^2/s^2], in the heading frame, shape (E,)."""
    shared, key = env.robot.shared, f"lin_vel/{command}"
    if key not in shared:
        error = env.command(command)[:, :2] - env.robot.root_lin_vel_yaw
        shared[key] = (error * error).sum(1)
    return shared[key]


def squared_ang_vel_error(env: Env, command: str) -> Tensor:
    """Squared distance of the yaw rate from the command [rad^2/s^2], shape (E,)."""
    shared, key = env.robot.shared, f"ang_vel/{command}"
    if key not in shared:
        error = env.command(command)[:, 2] - env.robot.yaw_rate
        shared[key] = error * error
    return shared[key]
