"""Distances between what is commanded and what is done, computed once per step for all terms that ask."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.env import Env
from mjsdk.kernels import Call
from mjsdk.kernels.base import velocity_errors
from mjsdk.mdp.commands import STANDING


class VelocityErrors:
    """How far velocity and yaw rate are from a command, shape (E,) each.

    `drift` is the first of them where the robot is told to stand, and 0 elsewhere.
    """

    def __init__(self, env: Env, command: str) -> None:
        self._rows = kernels.zeros(5, env.num_envs, device=env.device)
        self.lin_vel, self.ang_vel, self.squared_lin_vel, self.squared_ang_vel, self.drift = self._rows.unbind(0)
        self._command = env.command(command)
        self.derived = env.robot.derive(self._calculation(env), from_commands=True)

    def _calculation(self, env: Env) -> Call:
        robot = env.robot
        if kernels.used_on(env.device):
            motion = (robot.root_lin_vel_yaw, robot.yaw_rate)
            compute = velocity_errors.bind(self._command, *motion, STANDING, self._rows)
            return lambda: (robot.yaw_rate, compute())  # asking for the motion brings it up to date
        return lambda: self._compute(robot.root_lin_vel_yaw, robot.yaw_rate)

    def _compute(self, lin_vel: Tensor, yaw_rate: Tensor) -> None:
        linear, angular = self._command[:, :2] - lin_vel, self._command[:, 2] - yaw_rate
        self.squared_lin_vel.copy_((linear * linear).sum(1))
        self.squared_ang_vel.copy_(angular * angular)
        self._rows[:2] = self._rows[2:4].sqrt()
        torch.mul(self.lin_vel, self._command.abs().sum(1) <= STANDING, out=self.drift)


def errors_of(env: Env, command: str) -> VelocityErrors:
    """The errors now: velocity [m/s] in the heading frame, yaw rate [rad/s]; read before the next step."""
    key = f"velocity_errors/{command}"
    if key not in env.workspace:
        env.workspace[key] = VelocityErrors(env, command)
    errors: VelocityErrors = env.workspace[key]
    errors.derived.update()
    return errors


def squared_lin_vel_error(env: Env, command: str) -> Tensor:
    """Squared distance of the horizontal velocity from the command [m^2/s^2], in the heading frame, shape (E,)."""
    return errors_of(env, command).squared_lin_vel


def squared_ang_vel_error(env: Env, command: str) -> Tensor:
    """Squared distance of the yaw rate from the command [rad^2/s^2], shape (E,)."""
    return errors_of(env, command).squared_ang_vel
