"""Termination terms: `term(env, **params) -> bool Tensor (E,)`."""

from __future__ import annotations

import math

from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.kernels import Call, prepared_by
from mjsdk.kernels.sums import above


@prepared_by(lambda env, out: above.bind(env.episode_length_buf, env.max_episode_length - 1, out))
def time_out(env: Env) -> Tensor:
    """The episode has lasted `env.episode_length_s`."""
    return env.episode_length_buf >= env.max_episode_length


def _prepare_orientation(env: Env, out: Tensor, limit_angle: float) -> Call:
    return above.bind(env.robot.projected_gravity_b[:, 2], -math.cos(limit_angle), out)


@prepared_by(_prepare_orientation)
def bad_orientation(env: Env, limit_angle: float = 1.22) -> Tensor:
    """The base is tilted too far.

    Args:
        limit_angle: Largest tilt from the vertical [rad]. Sane: 0.5..1.57. Smaller ends hopeless episodes earlier.
    """
    return env.robot.projected_gravity_b[:, 2] > -math.cos(limit_angle)


def root_height_below(env: Env, minimum_height: float) -> Tensor:
    """The base is too low.

    Args:
        minimum_height: Smallest height of the base over the origin [m]. Sane: 0..3.
    """
    return env.robot.root_pos_w[:, 2] < minimum_height


TERMS = {"bad_orientation": bad_orientation, "root_height_below": root_height_below, "time_out": time_out}
