"""The gait clock: the rhythm that feet step in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs
import mujoco
import numpy as np
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.config.env import CommandTermConfig
from mjsdk.config.fields import setting
from mjsdk.env.commands import CommandTerm
from mjsdk.env.mirror import HALF_TURN
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.kernels.gait import advance, begin, tell_to_step
from mjsdk.mdp.commands import STANDING, commanded_speed
from mjsdk.terms import CommandName

if TYPE_CHECKING:
    from mjsdk.env.env import Env


@attrs.define(kw_only=True)
class GaitClockConfig(CommandTermConfig):
    """The rhythm of walking."""

    frequency: float = setting(
        0.0, "Steps of one foot per second; 0 for the robot's own gait.", unit="Hz", legal=(0.0, 10.0), sane=(0.0, 4.0)
    )
    swing: float = setting(0.5, "Part of the cycle in which a foot is in the air.", sane=(0.3, 0.6), legal=(0.05, 0.95))
    velocity_command: CommandName = setting("", "Name of the command that says when to stand; empty to march always.")
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
        self.swing = torch.full((1,), config.swing, device=env.device)
        """Part of the cycle in which a foot is in the air [-], shape (1,)."""
        # The cosine is the sine a quarter ahead.
        self._angles = torch.tensor([0.0, torch.pi / 2.0], device=env.device)
        self._turn = torch.tensor(2.0 * torch.pi, device=env.device)
        self._swing = config.swing
        self._side = _side_of_first_step(env, offsets) if config.catch_lean else 0.0
        self._nothing = kernels.zeros(env.num_envs, 3, device=env.device)
        self._wanted = kernels.zeros(env.num_envs, device=env.device, dtype=torch.bool)
        clock = (self._wanted, self._offsets, self.phase, self.moving, self.foot_phase, self.command)
        self._arrays = tuple(map(kernels.array, clock)) if kernels.used_on(env.device) else ()

    @property
    def frequency(self) -> float:
        """Steps of one foot per second, of the settings or else of the robot [Hz]."""
        return self.config.frequency or self._own_frequency

    def compute(self, dt: float) -> None:
        """Go on by `dt` seconds. Told to stand, a world ends the step that it is in and then holds its phase."""
        progress = self.frequency * dt
        if self.config.swing != self._swing:
            self._follow_settings()
        if self._arrays:
            self._tell_by_kernel()
            wanted, *clock = self._arrays
            advance(wanted, np.float32(progress), *clock)
        else:
            self._tell()
            self._advance(progress)

    def _follow_settings(self) -> None:
        self._swing = self.config.swing
        self.swing.fill_(self._swing)

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
    base = env.scene.entity.base
    axis = data.xmat[base].reshape(3, 3)[:, 1]
    left = [float(axis @ (data.site(name).xpos - data.xpos[base])) for name in sites]
    first = sum(y if offset < 0.5 else -y for y, offset in zip(left, offsets, strict=True))
    return math.copysign(1.0, first) if abs(first) > 0.5 * max(map(abs, left)) else 0.0


def gait_clock(env: Env, name: str, path: str) -> GaitClock:
    """The gait clock of that name, for terms that follow it. Raises `ConfigError` for `path` if it is none."""
    term = env.commands.terms.get(name)
    if not isinstance(term, GaitClock):
        clocks = [key for key, other in env.commands.terms.items() if isinstance(other, GaitClock)]
        raise ConfigError([Mistake(path, f"'{name}' is no gait clock. Legal: {listing(clocks)}")])
    return term


TERMS = {"gait_clock": GaitClock}
