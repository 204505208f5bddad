"""What a robot is asked to do and what it does, as evaluation and pictures compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk.env.commands import ResampledCommand

if TYPE_CHECKING:
    from mjsdk.env import Env
    from mjsdk.env.robot_state import RobotState

VELOCITY = "velocity"
"""`quantity` of command terms that ask for forward speed [m/s], speed to the left [m/s] and yaw rate [rad/s]."""


def velocity_term(env: Env) -> ResampledCommand | None:
    """The command term that asks for a velocity of the base; none if the task has no such command."""
    for term in env.commands.terms.values():
        if term.quantity == VELOCITY and isinstance(term, ResampledCommand):
            return term
    return None


def base_velocity(robot: RobotState) -> Tensor:
    """Forward speed [m/s], speed to the left [m/s] and yaw rate [rad/s] in the base's yaw frame, shape (E, 3)."""
    return torch.cat((robot.root_lin_vel_yaw, robot.yaw_rate.unsqueeze(-1)), -1)
