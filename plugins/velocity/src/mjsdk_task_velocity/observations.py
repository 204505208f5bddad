"""Observations of feet, for critics."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.env import Env
from mjsdk.env.mirror import Mirror, Reflection, reflects
from mjsdk.kernels.sums import logarithms
from mjsdk.selection import Sites


def _of_feet(mirror: Mirror, env: Env, feet: Sites) -> Reflection:
    return mirror.parts(feet.names)


def _of_forces(mirror: Mirror, env: Env, sensor: str) -> Reflection:
    return mirror.parts(env.sensor_parts(sensor))


@reflects(_of_feet)
def foot_height(env: Env, feet: Sites = "@feet") -> Tensor:  # type: ignore[assignment]
    """Height of the feet's sites over the ground [m], shape (E, F).

    Args:
        feet: The feet's sites.
    """
    return env.robot.pos_of_sites_w(feet)[:, :, 2]


@reflects(_of_forces)
def foot_force(env: Env, sensor: str = "feet_contact") -> Tensor:
    """Vertical force on the feet as log(1 + |F|) [-], shape (E, F).

    Args:
        sensor: Name of the feet's contact sensor.
    """
    force = env.contact(sensor).force_w
    if not kernels.used_on(env.device):
        return torch.log1p(force[..., 2].abs())
    out = force.new_empty(force.shape[:2])
    logarithms(kernels.array(force), 2, kernels.array(out))
    return out


TERMS = {"foot_force": foot_force, "foot_height": foot_height}
