"""Random states and actions for tests, in pairs of worlds that are mirror images of each other."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env import Env, Mirror, Reflection, ResampledCommand
from mjsdk.env.mirror import AXIAL, POLAR
from mjsdk.env.rotations import quat_from_euler

_QUATERNION = Reflection.of_signs(1.0, -1.0, 1.0, -1.0)


class Pairs:
    """World 2 i + 1 of an environment is the mirror image of world 2 i, or the same where the robot has no mirror."""

    def __init__(self, env: Env, clock: str, seed: int = 0) -> None:
        self._env, self._random = env, torch.Generator().manual_seed(seed)
        self._count = env.num_envs // 2
        self.mirror = Mirror(env, clock) if env.scene.robot.mirror else None
        """The robot's mirror, if it has one."""
        self._of_joints = self.mirror.joints(range(len(env.names.joints))) if self.mirror else None

    def scatter(self) -> None:
        """Random joints, bases, encoders and commands: half of the bases upright, a quarter upside down."""
        robot = self._env.robot
        low, high = robot.joint_pos_limits.clamp(-3.0, 3.0).unbind(1)
        pos = (robot.default_joint_pos + self._draw(*(high - low).tolist())).clamp(low, high)
        speed = self._draw(*[6.0] * len(low))
        robot.write_joints(self._env.all_worlds, self._pair(pos, self._of_joints), self._pair(speed, self._of_joints))
        if robot.has_free_base:
            self._scatter_base()
        self._env.physics.forward()
        robot.encoder_bias.copy_(self._pair(self._draw(*[0.02] * len(low)), self._of_joints))
        for command in self._env.commands.terms.values():
            if isinstance(command, ResampledCommand):
                asked = self._draw(*[1.0] * command.size) * (self._draw(1.0) > -0.4)
                command.fix(self._env.all_worlds, self._pair(asked, command.reflection))

    def action(self) -> Tensor:
        """Random actions, shape (E, A)."""
        action = torch.randn(self._count, self._env.num_actions, generator=self._random)
        return self._pair(action, self._env.actions.reflection(self.mirror) if self.mirror else None)

    def _scatter_base(self) -> None:
        number = torch.arange(self._count)
        lying = (number % 4 == 3).unsqueeze(1)
        tilt = self._draw(0.6, 0.6, 3.1) * torch.stack((number % 2, number % 2, torch.ones_like(number)), 1)
        pos = torch.tensor(self._env.scene.initial.pos) * torch.where(lying, 0.5, 1.0) + self._draw(0.3, 0.3, 0.04)
        self._env.robot.write_root(
            self._env.all_worlds,
            self._pair(pos, POLAR),
            self._pair(quat_from_euler(*(tilt + lying * torch.tensor([3.1, 0.0, 0.0])).unbind(1)), _QUATERNION),
            self._pair(self._draw(0.8, 0.8, 0.5), POLAR),
            self._pair(self._draw(1.0, 1.0, 1.0), AXIAL),
        )

    def _draw(self, *sizes: float) -> Tensor:
        """Numbers up to each size either way, shape (pairs, sizes)."""
        return (torch.rand(self._count, len(sizes), generator=self._random) * 2.0 - 1.0) * torch.tensor(sizes)

    def _pair(self, values: Tensor, reflection: Reflection | None) -> Tensor:
        """Each row and its image, shape (pairs, D) to (E, D)."""
        return torch.stack((values, images(values, reflection) if self.mirror else values), 1).flatten(0, 1)


def images(values: Tensor, reflection: Reflection | None) -> Tensor:
    """Mirror images of vectors, shape (..., D)."""
    if reflection is None:
        return values
    sources, signs = reflection.tensors(str(values.device))
    return values[..., sources] * signs
