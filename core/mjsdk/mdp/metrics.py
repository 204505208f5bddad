"""Metric terms: `term(env, **params) -> Tensor (E,)`, logged as the true mean over steps and worlds."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env


def lin_vel_error(env: Env, command: str) -> Tensor:
    """Distance of the horizontal velocity from the command [m/s], in the base's heading frame.

    Args:
        command: Name of the command.
    """
    return (env.command(command)[:, :2] - env.robot.root_lin_vel_yaw).square().sum(1).sqrt_()


def ang_vel_error(env: Env, command: str) -> Tensor:
    """Distance of the yaw rate from the command [rad/s].

    Args:
        command: Name of the command.
    """
    return (env.command(command)[:, 2] - env.robot.yaw_rate).abs()


TERMS = {"ang_vel_error": ang_vel_error, "lin_vel_error": lin_vel_error}
