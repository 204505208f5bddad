"""The gait clock: the rhythm that feet step in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs
import mujoco
import torch
from torch import Tensor

from mjsdk.config.env import CommandTermConfig
from mjsdk.config.fields import setting
from mjsdk.env.commands import CommandTerm
from mjsdk.env.mirror import HALF_TURN
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.mdp.commands import STANDING, commanded_speed
from mjsdk.scene import INITIAL
from mjsdk.terms import CommandName

if TYPE_CHECKING:
    from mjsdk.env.env import Env


@attrs.define(kw_only=True)
class GaitClockConfig(CommandTermConfig):
    """The rhythm of walking."""

    frequency: float = setting(
        0.0,
        "Steps of one foot per second; 0 for the robot's own gait.",
        unit="Hz",
        bounds=(0.0, 10.0),
        recommended=(0.0, 4.0),
    )
    swing: float = setting(
        0.5, "Part of the cycle in which a foot is in the air.", recommended=(0.3, 0.6), bounds=(0.05, 0.95)
    )
    velocity_command: CommandName = setting("", "Name of the command that says when to stand; empty to march always.")
    recovery_tilt: float = setting(
        0.0,
        "Tilt of the base at which a robot that should stand steps all the same, to catch itself; 0 for never.",
        unit="rad",
        bounds=(0.0, 1.0),
        recommended=(0.0, 0.4),
        advice="Well above the tilt that exploration makes, or the robot never learns to stand.",
    )


class GaitClock(CommandTerm):
    """A clock for stepping: sine and cosine of the phase, both 0 while the robot stands as commanded.

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
        """Phase of each world in cycles, [0, 1), shape (E,)."""
        self.moving = env.buffers.new(f"command/{name}/moving", env.num_envs, dtype=torch.bool)
        """Worlds that step, shape (E,)."""
        self.step_commanded = env.buffers.new(f"command/{name}/step_commanded", env.num_envs, dtype=torch.bool)
        """Worlds that are commanded to step; others that step end a step or catch themselves, shape (E,)."""
        self.foot_phase = env.buffers.new(f"command/{name}/foot_phase", env.num_envs, len(offsets))
        """Phase of each foot in cycles, [0, 1); it swings while below the share `swing`. Shape (E, F)."""
        # The cosine is the sine a quarter ahead.
        self._angles = torch.tensor([0.0, torch.pi / 2.0], device=env.device)
        self._turn = torch.tensor(2.0 * torch.pi, device=env.device)
        self._side = _side_of_first_step(env, offsets) if config.recovery_tilt else 0.0

    @property
    def frequency(self) -> float:
        """Steps of one foot per second, of the settings or else of the robot [Hz]."""
        return self.config.frequency or self._own_frequency

    def compute(self, dt: float) -> None:
        """Advance by `dt` seconds. Commanded to stand, a world ends the step that it is in and then holds its phase."""
        self._advance(self.frequency * dt)

    def _advance(self, progress: float) -> None:
        """Advance the clocks by `progress` cycles."""
        active = self._request_steps()
        self.phase.add_(self.moving, alpha=progress)
        beyond = torch.remainder(self.phase, 0.5)
        continues = (beyond >= progress).logical_or_(active)
        self.phase.sub_(beyond.masked_fill_(continues, 0.0)).remainder_(1.0)
        self.moving.logical_and_(continues).logical_or_(active)
        torch.sub(self.phase.unsqueeze(1), self._offsets, out=self.foot_phase).remainder_(1.0)
        torch.addcmul(self._angles, self.phase.unsqueeze(1), self._turn, out=self.command)
        self.command.sin_().mul_(self.moving.unsqueeze(1))

    def reset(self, worlds: Worlds) -> None:
        """Begin with a step of either side."""
        worlds.write(self.phase, (worlds.rand() >= 0.5).float().mul_(0.5))
        worlds.fill(self.moving, False)

    def _request_steps(self) -> Tensor:
        """Find the worlds that are commanded to step; those and the ones that step to recover, shape (E,)."""
        name = self.config.velocity_command
        if not name:
            return self.step_commanded.fill_(True)
        torch.gt(commanded_speed(self.env, name), STANDING, out=self.step_commanded)
        return self.step_commanded | self._falling() if self.config.recovery_tilt else self.step_commanded

    def _falling(self) -> Tensor:
        """Worlds whose base is tilted too far, as an IMU measures it, shape (E,). Who stood begins on that side."""
        across = self.env.robot.projected_gravity_b[:, :2]
        falling = (across * across).sum(1) > math.sin(self.config.recovery_tilt) ** 2
        if self._side:
            begins = falling & ~(self.moving | self.step_commanded)
            torch.where(begins, (across[:, 1] * self._side < 0.0) * 0.5, self.phase, out=self.phase)
        return falling


def _side_of_first_step(env: Env, offsets: Sequence[float]) -> float:
    """Which side swings at phase 0 of a robot in its initial pose: 1 left, -1 right, 0 both or unknown."""
    sites = env.roles["feet"].sites if "feet" in env.roles else ()
    if len(sites) != len(offsets):
        return 0.0
    data = mujoco.MjData(env.model)
    mujoco.mj_resetDataKeyframe(env.model, data, env.model.key(INITIAL).id)
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
