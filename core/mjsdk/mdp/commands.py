"""Command terms: what is asked of a policy, drawn anew every now and then."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs
import mujoco
import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.config.env import CommandTermConfig, DrawnCommandConfig
from mjsdk.config.fields import setting
from mjsdk.env.commands import CommandTerm, DrawnCommand
from mjsdk.env.mirror import HALF_TURN, PLANAR
from mjsdk.env.rotations import wrap_angle
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.kernels.draws import one_of_the_kinds
from mjsdk.kernels.gait import advance, begin, tell_to_step

if TYPE_CHECKING:
    from mjsdk.env.env import Env
    from mjsdk.robot import Roles
    from mjsdk.selection import ModelNames


@attrs.define(kw_only=True)
class VelocityRanges:
    """Smallest and largest velocity of each kind."""

    lin_vel_x: list[float] = setting(
        factory=lambda: [-1.0, 1.0],
        meaning="Forward velocity.",
        unit="m/s",
        sane=(-3.0, 3.0),
        advice="Widen in stages: a policy that cannot stand does not learn to run.",
    )
    lin_vel_y: list[float] = setting(
        factory=lambda: [-0.5, 0.5], meaning="Velocity to the left.", unit="m/s", sane=(-1.5, 1.5)
    )
    ang_vel_z: list[float] = setting(
        factory=lambda: [-1.0, 1.0],
        meaning="Yaw rate; also bounds what heading_command asks for.",
        unit="rad/s",
        sane=(-3.0, 3.0),
    )
    heading: list[float] = setting(
        factory=lambda: [-3.14, 3.14],
        meaning="Direction to face in the world (heading_command).",
        unit="rad",
        legal=(-3.15, 3.15),
    )


@attrs.define(kw_only=True)
class UniformVelocityConfig(DrawnCommandConfig):
    """Forward, sideways and yaw velocity."""

    ranges: VelocityRanges = setting(factory=VelocityRanges, meaning="What is drawn from.")
    heading_command: bool = setting(True, "Let some worlds hold a direction instead of a yaw rate.")
    heading_control_stiffness: float = setting(
        0.5,
        "Yaw rate per error of direction.",
        unit="1/s",
        sane=(0.1, 2.0),
        above=0.0,
        advice="Higher turns harder towards the direction.",
    )
    rel_standing_envs: float = setting(
        0.1,
        "Share of commands that are: stand still.",
        legal=(0.0, 1.0),
        sane=(0.0, 0.3),
        advice="Without any, the policy marches on the spot when told to stand.",
    )
    rel_heading_envs: float = setting(
        0.3, "Share of commands that hold a direction (heading_command).", legal=(0.0, 1.0)
    )
    rel_forward_envs: float = setting(
        0.2,
        "Share of commands that are: straight on, forward or backward, neither sideways nor turning.",
        legal=(0.0, 1.0),
    )
    rel_turn_envs: float = setting(0.0, "Share of commands that are: turn on the spot.", legal=(0.0, 1.0))

    def mistakes(self, names: ModelNames, roles: Roles) -> list[tuple[str, str]]:
        """Shares that cannot be: pairs of setting and message."""
        total = self.rel_standing_envs + self.rel_heading_envs + self.rel_forward_envs + self.rel_turn_envs
        if total > 1.0 + 1e-9:
            return [("rel_standing_envs", f"the shares rel_*_envs add up to {total:g}; their sum must be at most 1")]
        return []


STANDING = 0.05
"""Commanded speed up to which a robot is told to stand."""


def commanded_speed(env: Env, command: str) -> Tensor:
    """How much motion is asked for, shape (E,): the sum of the sizes of all numbers of the command."""
    return env.command(command).abs().sum(1)


_HEADING = 1
_PARTS = [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
"""Which of forward, left and yaw are asked for: standing, holding a direction, straight on, turning, anything."""


class UniformVelocity(DrawnCommand):
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
        self._bounds = _Bounds(config, env.device)

    def resample(self, ids: Tensor) -> None:
        """Draw the kind and the numbers."""
        bounds = self._bounds = self._bounds.of(self.config)
        random = self.env.rand(len(ids), 5)
        if kernels.used_on(self.env.device) and not self.config.heading_command:
            tensors = (random, bounds.low, bounds.width, bounds.modes, self._parts, ids, self.command)
            one_of_the_kinds(*map(kernels.array, tensors))
        else:
            self._choose(ids, random, bounds)

    def _choose(self, ids: Tensor, random: Tensor, bounds: _Bounds) -> None:
        mode = torch.bucketize(random[:, 4].contiguous(), bounds.modes, right=True)
        drawn = torch.addcmul(bounds.low, random[:, :4], bounds.width)
        self.command.index_copy_(0, ids, drawn[:, :3] * self._parts.index_select(0, mode))
        if self.config.heading_command:
            self._heading.index_copy_(0, ids, drawn[:, 3])
            self._mode.index_copy_(0, ids, mode)

    def update(self) -> None:
        """Turn worlds that hold a direction towards it."""
        if not self.config.heading_command:
            return
        holding = (self._mode == _HEADING) & ~self.pinned
        error = wrap_angle(self._heading - self.env.robot.heading_w)
        rate = (self.config.heading_control_stiffness * error).clamp(*self.config.ranges.ang_vel_z)
        self.command[:, 2] = torch.where(holding, rate, self.command[:, 2])


class _Bounds:
    """What a velocity command draws between, as tensors that are made anew only when the settings have changed."""

    def __init__(self, config: UniformVelocityConfig, device: str) -> None:
        self._made_from = self._settings(config)
        ranges, shares = self._made_from
        self._device = device
        self.low, high = torch.tensor(ranges, device=device).unbind(1)
        """Smallest forward, left and yaw velocity and heading, shape (4,)."""
        self.width = high - self.low
        self.modes = torch.tensor(list(itertools.accumulate(shares)), device=device)
        """Where each kind of command ends between 0 and 1."""

    def of(self, config: UniformVelocityConfig) -> _Bounds:
        """The bounds of these settings: the same ones unless a curriculum has changed them."""
        return self if self._settings(config) == self._made_from else _Bounds(config, self._device)

    @staticmethod
    def _settings(config: UniformVelocityConfig) -> tuple[list[list[float]], tuple[float, ...]]:
        ranges = config.ranges
        heading_share = config.rel_heading_envs if config.heading_command else 0.0
        shares = (config.rel_standing_envs, heading_share, config.rel_forward_envs, config.rel_turn_envs)
        return [[*r] for r in (ranges.lin_vel_x, ranges.lin_vel_y, ranges.ang_vel_z, ranges.heading)], shares


@attrs.define(kw_only=True)
class GaitClockConfig(CommandTermConfig):
    """The rhythm of walking."""

    frequency: float = setting(
        0.0, "Steps of one foot per second; 0 for the robot's own gait.", unit="Hz", legal=(0.0, 10.0), sane=(0.0, 4.0)
    )
    swing: float = setting(0.5, "Part of the cycle in which a foot is in the air.", sane=(0.3, 0.6), legal=(0.05, 0.95))
    velocity_command: str = setting("", "Name of the command that says when to stand; empty to march always.")
    catch_lean: float = setting(
        0.0,
        "Tilt of the base at which a robot that is told to stand steps all the same, to catch itself; 0 for never.",
        unit="rad",
        legal=(0.0, 1.0),
        sane=(0.0, 0.4),
        advice="Well above the tilt that exploration makes, or the robot never learns to stand.",
    )


class GaitClock(CommandTerm):
    """A clock for stepping: sine and cosine of the phase, both 0 while the robot stands as told.

    The phase of foot i is the clock's minus the offset that the robot's gait gives to it; the foot swings while that is
    below the share `swing`. Half a cycle is a step.
    """

    Config: ClassVar[type[CommandTermConfig]] = GaitClockConfig
    config: GaitClockConfig
    size = 2
    reflection = HALF_TURN

    def __init__(self, env: Env, name: str, config: GaitClockConfig) -> None:
        super().__init__(env, name, config)
        gait = env.gait
        offsets = gait.offsets if gait else (0.0,)
        self._own_frequency = gait.frequency if gait else 1.5
        self._offsets = torch.tensor(offsets, device=env.device)
        self.phase = env.buffers.new(f"command/{name}/phase", env.num_envs)
        """Where in the cycle each world is, from 0 to 1, shape (E,)."""
        self.moving = env.buffers.new(f"command/{name}/moving", env.num_envs, dtype=torch.bool)
        """Worlds that step, shape (E,)."""
        self.told = env.buffers.new(f"command/{name}/told", env.num_envs, dtype=torch.bool)
        """Worlds that are told to: those that step besides end a step or catch themselves, shape (E,)."""
        self.foot_phase = env.buffers.new(f"command/{name}/foot_phase", env.num_envs, len(offsets))
        """Phase of each foot from 0 to 1; it swings while below the share `swing`. Shape (E, F)."""
        # The cosine is the sine a quarter ahead.
        self._angles = torch.tensor([0.0, torch.pi / 2.0], device=env.device)
        self._turn = torch.tensor(2.0 * torch.pi, device=env.device)
        self._side = _side_of_first_step(env, offsets) if config.catch_lean else 0.0
        self._nothing = kernels.zeros(env.num_envs, 3, device=env.device)
        self._wanted = kernels.zeros(env.num_envs, device=env.device, dtype=torch.bool)
        clock = (self._wanted, self._offsets, self.phase, self.moving, self.foot_phase, self.command)
        self._arrays = tuple(map(kernels.array, clock)) if kernels.used_on(env.device) else ()

    def compute(self, dt: float) -> None:
        """Go on by `dt` seconds. Told to stand, a world ends the step that it is in and then holds its phase."""
        progress = (self.config.frequency or self._own_frequency) * dt
        if self._arrays:
            self._tell_by_kernel()
            wanted, *clock = self._arrays
            advance(wanted, np.float32(progress), *clock)
        else:
            self._tell()
            self._advance(progress)

    def _advance(self, progress: float) -> None:
        self.phase.add_(self.moving, alpha=progress)
        beyond = torch.remainder(self.phase, 0.5)
        goes_on = (beyond >= progress).logical_or_(self._wanted)
        self.phase.sub_(beyond.masked_fill_(goes_on, 0.0)).remainder_(1.0)
        self.moving.logical_and_(goes_on).logical_or_(self._wanted)
        torch.sub(self.phase.unsqueeze(1), self._offsets, out=self.foot_phase).remainder_(1.0)
        torch.addcmul(self._angles, self.phase.unsqueeze(1), self._turn, out=self.command)
        self.command.sin_().mul_(self.moving.unsqueeze(1))

    def reset(self, ids: Tensor) -> None:
        """Begin with a step of either side."""
        random = self.env.rand(len(ids))
        if self._arrays:
            begin(random.numpy(), ids.numpy(), self.phase.numpy(), self.moving.numpy())
            return
        self.phase.index_copy_(0, ids, (random >= 0.5).float().mul_(0.5))
        self.moving.index_fill_(0, ids, False)

    def _tell(self) -> None:
        """Find the worlds that are told to step, and those that want to."""
        name = self.config.velocity_command
        if name:
            torch.gt(commanded_speed(self.env, name), STANDING, out=self.told)
        else:
            self.told.fill_(True)
        if name and self.config.catch_lean:
            torch.logical_or(self.told, self._falling(), out=self._wanted)
        else:
            self._wanted.copy_(self.told)

    def _tell_by_kernel(self) -> None:
        name, lean = self.config.velocity_command, self.config.catch_lean
        twist = self.env.command(name) if name else self._nothing
        gravity = self.env.robot.projected_gravity_b if name and lean else self._nothing
        threshold = STANDING if name else -1.0
        limit = math.sin(lean) ** 2 if name and lean else math.inf
        wanted, _, phase, moving, *_ = self._arrays
        about = (kernels.array(self.told), moving, phase, wanted)
        tell_to_step(kernels.array(twist), threshold, kernels.array(gravity), limit, self._side, *about)

    def _falling(self) -> Tensor:
        """Worlds whose base is tilted too far, as an IMU measures it, shape (E,). Who stood begins on that side."""
        across = self.env.robot.projected_gravity_b[:, :2]
        falling = (across * across).sum(1) > math.sin(self.config.catch_lean) ** 2
        if self._side:
            begins = (falling > (self.moving | self.told)).nonzero().squeeze(1)
            if len(begins):
                other_side = across[:, 1].index_select(0, begins) * self._side < 0.0
                self.phase.index_copy_(0, begins, other_side.float().mul_(0.5))
        return falling


def _side_of_first_step(env: Env, offsets: Sequence[float]) -> float:
    """Which side swings at phase 0 of a robot in its initial pose: 1 left, -1 right, 0 both or unknown."""
    sites = env.roles["feet"].sites if "feet" in env.roles else ()
    if len(sites) != len(offsets):
        return 0.0
    data = mujoco.MjData(env.model)
    mujoco.mj_resetDataKeyframe(env.model, data, env.model.key("initial").id)
    mujoco.mj_kinematics(env.model, data)
    left = [float(data.site(name).xpos[1] - data.qpos[1]) for name in sites]
    first = sum(y if offset < 0.5 else -y for y, offset in zip(left, offsets, strict=True))
    return math.copysign(1.0, first) if abs(first) > 0.5 * max(map(abs, left)) else 0.0


def gait_clock(env: Env, name: str, path: str) -> GaitClock:
    """The gait clock of that name, for terms that follow it. Raises `ConfigError` for `path` if it is none."""
    term = env.commands.terms.get(name)
    if not isinstance(term, GaitClock):
        clocks = [key for key, other in env.commands.terms.items() if isinstance(other, GaitClock)]
        raise ConfigError([Mistake(path, f"'{name}' is no gait clock. Legal: {listing(clocks)}")])
    return term


TERMS = {"gait_clock": GaitClock, "uniform_velocity": UniformVelocity}
