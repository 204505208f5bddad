"""Observations of feet, for critics."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mjsdk.env import Env, Mirror, Reflection, reflects
from mjsdk.kernels import Call, prepared_by
from mjsdk.kernels.sums import logarithms
from mjsdk.robot.selection import Sites
from mjsdk_task_velocity.kernels import heights


def _of_feet(mirror: Mirror, env: Env, feet: Sites) -> Reflection:
    return mirror.parts(feet.names)


def _of_forces(mirror: Mirror, env: Env, sensor: str) -> Reflection:
    return mirror.parts(env.sensor_parts(sensor))


def _prepare_height(env: Env, out: Tensor, feet: Sites) -> Call:
    return heights.bind(env.robot.site_pos_w, np.array(feet.ids), out)


@reflects(_of_feet)
@prepared_by(_prepare_height)
def foot_height(env: Env, feet: Sites = "@feet") -> Tensor:  # type: ignore[assignment]
    """Height of the feet's sites over the ground [m], shape (E, F).

    Args:
        feet: The feet's sites.
    """
    return env.robot.pos_of_sites_w(feet)[:, :, 2]


@reflects(_of_forces)
@prepared_by(lambda env, out, sensor: logarithms.bind(env.contact(sensor).force_w, 2, out))
def foot_force(env: Env, sensor: str = "feet_contact") -> Tensor:
    """Vertical force on the feet as log(1 + |F|) [-], shape (E, F).

    Args:
        sensor: Name of the feet's contact sensor.
    """
    return torch.log1p(env.contact(sensor).force_w[..., 2].abs())


TERMS = {"foot_force": foot_force, "foot_height": foot_height}
