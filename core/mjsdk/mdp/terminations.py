"""Termination terms: `term(env, **params) -> bool Tensor (E,)`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake
from mjsdk.terms import SensorName


def time_out(env: Env) -> Tensor:
    """The episode has lasted `env.episode_length_s`."""
    return env.episode_length_buf >= env.max_episode_length


def bad_orientation(env: Env, limit_angle: float = 1.22) -> Tensor:
    """The base is tilted too far from the vertical, whatever gravity is.

    Args:
        limit_angle: Largest tilt from the vertical [rad]. Recommended: 0.5..1.57. Smaller ends hopeless episodes
            earlier.
    """
    return env.robot.down_b[:, 2] > -math.cos(limit_angle)


def root_height_below(env: Env, minimum_height: float) -> Tensor:
    """The base is too low.

    Args:
        minimum_height: Smallest height of the base over the origin [m]. Recommended: 0..3.
    """
    return env.robot.root_pos_w[:, 2] < minimum_height


class IllegalContact:
    """The robot bears on the ground with something other than the parts that may be there, and more than in passing.

    Time with such a contact counts up, time without it down again, not below 0: who kneels and shuffles is caught,
    who scuffs is not.

    Args:
        whole_sensor: Sensor of type subtreegroundcontacts on the base.
        allowed_sensor: Sensor of type groundcontacts on the geoms that may touch the ground.
        longest_s: What may add up [s]. Recommended: 0..2. Longer forgives more; 0 forgives nothing.
    """

    def __init__(self, env: Env, whole_sensor: SensorName, allowed_sensor: SensorName, longest_s: float = 0.5) -> None:
        self._whole = _contacts(env, "whole_sensor", whole_sensor, "subtreegroundcontacts")
        self._allowed = _contacts(env, "allowed_sensor", allowed_sensor, "groundcontacts")
        self._time_s = env.buffers.new(f"illegal_contact/{whole_sensor}/{allowed_sensor}/{longest_s}", env.num_envs)
        self._longest_s = longest_s

    def __call__(self, env: Env) -> Tensor:
        """Whether it has, shape (E,)."""
        touching = self._whole.sum(1) > self._allowed.sum(1)
        self._time_s.add_(torch.where(touching, env.step_dt, -env.step_dt)).clamp_(min=0.0)
        return self._time_s > self._longest_s

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""
        worlds.fill(self._time_s, 0.0)


def _contacts(env: Env, parameter: str, sensor: str, kind: str) -> Tensor:
    """How many contacts each part of a sensor has, shape (E, parts). Raises `ConfigError` if it is of another type."""
    readings = env.sensor(sensor).flatten(1)
    if env.config.scene.sensors[sensor].type != kind:
        message = f"the sensor '{sensor}' of illegal_contact must be of type {kind}"
        raise ConfigError([Mistake(parameter, message)])
    return readings


TERMS = {
    "bad_orientation": bad_orientation,
    "illegal_contact": IllegalContact,
    "root_height_below": root_height_below,
    "time_out": time_out,
}
