"""Metric terms: `term(env, **params) -> Tensor (E,)`, logged as the true mean over steps and worlds."""

from __future__ import annotations

from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.mdp.errors import errors_of
from mjsdk.terms import CommandName


def lin_vel_error(env: Env, command: CommandName) -> Tensor:
    """Distance of the horizontal velocity from the command [m/s], in the base's heading frame.

    Args:
        command: Name of the command.
    """
    return errors_of(env, command).lin_vel


def ang_vel_error(env: Env, command: CommandName) -> Tensor:
    """Distance of the yaw rate from the command [rad/s].

    Args:
        command: Name of the command.
    """
    return errors_of(env, command).ang_vel


TERMS = {"ang_vel_error": ang_vel_error, "lin_vel_error": lin_vel_error}
