"""Command terms: what is asked of a policy, resampled at random intervals."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import attrs
import torch
from torch import Tensor

from mjsdk.config.env import CommandTermConfig, ResampledCommandConfig
from mjsdk.config.fields import setting
from mjsdk.env.commands import ResampledCommand
from mjsdk.env.mirror import PLANAR
from mjsdk.env.rotations import wrap_angle
from mjsdk.env.worlds import Worlds

if TYPE_CHECKING:
    from mjsdk.env.env import Env
    from mjsdk.robot import Roles
    from mjsdk.robot.selection import ModelNames


@attrs.define(kw_only=True)
class VelocityRanges:
    """Smallest and largest velocity of each kind."""

    lin_vel_x: list[float] = setting(
        factory=lambda: [-1.0, 1.0],
        meaning="Forward velocity.",
        unit="m/s",
        recommended=(-3.0, 3.0),
        bounds=(-100.0, 100.0),
        advice="Widen in stages: a policy that cannot stand does not learn to run.",
    )
    lin_vel_y: list[float] = setting(
        factory=lambda: [-0.5, 0.5],
        meaning="Velocity to the left.",
        unit="m/s",
        recommended=(-1.5, 1.5),
        bounds=(-100.0, 100.0),
    )
    ang_vel_z: list[float] = setting(
        factory=lambda: [-1.0, 1.0],
        meaning="Yaw rate; also bounds what heading_command asks for.",
        unit="rad/s",
        recommended=(-3.0, 3.0),
        bounds=(-100.0, 100.0),
    )
    heading: list[float] = setting(
        factory=lambda: [-3.14, 3.14],
        meaning="Direction to face in the world (heading_command).",
        unit="rad",
        bounds=(-3.15, 3.15),
    )


@attrs.define(kw_only=True)
class UniformVelocityConfig(ResampledCommandConfig):
    """Forward, sideways and yaw velocity."""

    ranges: VelocityRanges = setting(factory=VelocityRanges, meaning="What is drawn from.")
    heading_command: bool = setting(True, "Let some worlds hold a direction instead of a yaw rate.")
    heading_control_stiffness: float = setting(
        0.5,
        "Yaw rate per error of direction.",
        unit="1/s",
        recommended=(0.1, 2.0),
        exclusive_min=0.0,
        advice="Higher turns harder towards the direction.",
    )
    rel_standing_envs: float = setting(
        0.1,
        "Share of commands that are: stand still.",
        bounds=(0.0, 1.0),
        recommended=(0.0, 0.3),
        advice="Without any, the policy marches on the spot when commanded to stand.",
    )
    rel_heading_envs: float = setting(
        0.3, "Share of commands that hold a direction (heading_command).", bounds=(0.0, 1.0)
    )
    rel_forward_envs: float = setting(
        0.2,
        "Share of commands that are: straight on, forward or backward, neither sideways nor turning.",
        bounds=(0.0, 1.0),
    )
    rel_turn_envs: float = setting(0.0, "Share of commands that are: turn on the spot.", bounds=(0.0, 1.0))

    def mistakes(self, names: ModelNames, roles: Roles) -> list[tuple[str, str]]:
        """Shares that cannot be: pairs of setting and message."""
        total = self.rel_standing_envs + self.rel_heading_envs + self.rel_forward_envs + self.rel_turn_envs
        if total > 1.0 + 1e-9:
            return [("rel_standing_envs", f"the shares rel_*_envs add up to {total:g}; their sum must be at most 1")]
        return []


STANDING = 0.05
"""Commanded speed up to which a robot should stand."""


def commanded_speed(env: Env, command: str) -> Tensor:
    """How much motion is asked for, shape (E,): the sum of the sizes of all numbers of the command."""
    return env.command(command).abs().sum(1)


_HEADING = 1
_PARTS = [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
"""Which of forward, left and yaw are asked for: standing, holding a direction, straight on, turning, anything."""


class UniformVelocity(ResampledCommand):
    """Velocities drawn uniformly. One draw decides what kind of command it is, so that the kinds exclude each other."""

    Config: ClassVar[type[CommandTermConfig]] = UniformVelocityConfig
    config: UniformVelocityConfig
    size = 3
    reflection = PLANAR
    quantity = "velocity"

    def __init__(self, env: Env, name: str, config: UniformVelocityConfig) -> None:
        super().__init__(env, name, config)
        self._mode = env.buffers.new(f"command/{name}/mode", env.num_envs, dtype=torch.long)
        self._heading = env.buffers.new(f"command/{name}/heading", env.num_envs)
        self._parts = torch.tensor(_PARTS, device=env.device)
        self._low, self._high = env.zeros(4), env.zeros(4)
        self._modes = env.zeros(4)
        self._settings: list[tuple[float, ...]] = []

    def resample(self, worlds: Worlds) -> None:
        """Draw the kind and the numbers."""
        self._follow_settings()
        random = worlds.rand(5)
        drawn = torch.lerp(self._low, self._high, random[:, :4])
        mode = torch.bucketize(random[:, 4].contiguous(), self._modes, right=True)
        worlds.write(self.command, drawn[:, :3] * self._parts.index_select(0, mode))
        if self.config.heading_command:
            worlds.write(self._heading, drawn[:, 3])
            worlds.write(self._mode, mode)

    def _follow_settings(self) -> None:
        """Take over what a curriculum has changed."""
        ranges = self.config.ranges
        bounds = [*zip(ranges.lin_vel_x, ranges.lin_vel_y, ranges.ang_vel_z, ranges.heading, strict=True)]
        heading = self.config.rel_heading_envs if self.config.heading_command else 0.0
        shares = (self.config.rel_standing_envs, heading, self.config.rel_forward_envs, self.config.rel_turn_envs)
        settings = [*bounds, tuple(itertools.accumulate(shares))]
        if settings != self._settings:
            self._settings = settings
            for tensor, numbers in zip((self._low, self._high, self._modes), settings, strict=True):
                for place, number in zip(tensor, numbers, strict=True):
                    place.fill_(number)

    def update(self) -> None:
        """Turn worlds that hold a direction towards it."""
        if not self.config.heading_command:
            return
        holding = (self._mode == _HEADING) & ~self.pinned
        error = wrap_angle(self._heading - self.env.robot.heading_w)
        rate = (self.config.heading_control_stiffness * error).clamp(*self.config.ranges.ang_vel_z)
        self.command[:, 2] = torch.where(holding, rate, self.command[:, 2])


TERMS = {"uniform_velocity": UniformVelocity}
