"""Distances between what is commanded and what is done, computed once per step for all terms that ask."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.mdp.commands import STANDING


@attrs.frozen
class VelocityErrors:
    """How far velocity and yaw rate are from a command, shape (E,) each."""

    lin_vel: Tensor
    """Distance of the horizontal velocity, in the heading frame [m/s]."""
    ang_vel: Tensor
    """Distance of the yaw rate [rad/s]."""
    squared_lin_vel: Tensor
    squared_ang_vel: Tensor
    """Their squares [m^2/s^2], [rad^2/s^2]."""
    drift: Tensor
    """`lin_vel` where the command is to stand, and 0 elsewhere."""


def errors_of(env: Env, command: str) -> VelocityErrors:
    """The errors now; read before the next step."""

    def prepare() -> Callable[[], VelocityErrors]:
        return (env.ops.version_of(velocity_errors) or velocity_errors)(env, command)

    return env.derived.prepared(("velocity_errors", command), prepare, of_commands=True)


def velocity_errors(env: Env, command: str) -> Callable[[], VelocityErrors]:
    """What computes them."""
    asked, robot = env.command(command), env.robot

    def compute() -> VelocityErrors:
        linear, angular = asked[:, :2] - robot.root_lin_vel_yaw, asked[:, 2] - robot.yaw_rate
        squared = (linear * linear).sum(1)
        distance = squared.sqrt()
        drift = distance * (asked.abs().sum(1) <= STANDING)
        return VelocityErrors(distance, angular.abs(), squared, angular * angular, drift)

    return compute
