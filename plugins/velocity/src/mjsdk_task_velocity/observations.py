"""Observations of feet, for critics."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env import Env, reflects
from mjsdk.robot.selection import Sites
from mjsdk.terms import SensorName


@reflects(lambda mirror, env, feet: mirror.parts(feet.names))
def foot_height(env: Env, feet: Sites = "@feet") -> Tensor:  # type: ignore[assignment]
    """Height of the feet's sites over the ground [m], shape (E, F).

    Args:
        feet: The feet's sites.
    """
    return env.robot.pos_of_sites_w(feet)[:, :, 2]


@reflects(lambda mirror, env, sensor: mirror.parts(env.sensor_parts(sensor)))
def foot_force(env: Env, sensor: SensorName = "feet_contact") -> Tensor:
    """Vertical force on the feet as log(1 + |F|) [-], shape (E, F).

    Args:
        sensor: Name of the feet's contact sensor.
    """
    return torch.log1p(env.contact(sensor).force_w[..., 2].abs())


TERMS = {"foot_force": foot_force, "foot_height": foot_height}
