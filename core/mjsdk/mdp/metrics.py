"""Metric terms: `term(env, **params) -> Tensor (E,)`, logged as the true mean over steps and worlds."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.mdp.errors import squared_ang_vel_error, squared_lin_vel_error


def lin_vel_error(env: Env, command: str) -> Tensor:
    """Distance of the horizontal velocity from the command [m/s], in the base's heading frame.

    Args:
        command: Name of the command.
    """
    return squared_lin_vel_error(env, command).sqrt()


def ang_vel_error(env: Env, command: str) -> Tensor:
    """Distance of the yaw rate from the command [rad/s].

    Args:
        command: Name of the command.
    """
    return squared_ang_vel_error(env, command).sqrt()


TERMS = {"ang_vel_error": ang_vel_error, "lin_vel_error": lin_vel_error}
