"""Commands: what is asked of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from mjsdk.config.env import CommandTermConfig, DrawnCommandConfig
from mjsdk.env.guard import Guard
from mjsdk.env.mirror import Reflection
from mjsdk.env.timers import due, wind_up

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class CommandTerm:
    """Something that the policy is asked for. Subclasses set `size` and fill `command` in `compute`, in place."""

    Config: ClassVar[type[CommandTermConfig]] = CommandTermConfig
    size: ClassVar[int]
    """Width of the command."""
    reflection: ClassVar[Reflection] = Reflection((), ())
    """How the command looks in the mirror."""
    quantity: ClassVar[str] = ""
    """What is asked for, if evaluation and pictures should know: `velocity` for (forward m/s, left m/s, yaw rate
    rad/s)."""

    def __init__(self, env: Env, name: str, config: CommandTermConfig) -> None:
        self.env = env
        self.name = name
        self.config = config
        self.command = env.buffers.new(f"command/{name}/command", env.num_envs, self.size)
        """What is asked for now, shape (E, size)."""

    def compute(self, dt: float) -> None:
        """Go on by `dt` seconds."""
        raise NotImplementedError

    def reset(self, ids: Tensor) -> None:
        """Begin anew in the worlds `ids`, shape (n,), whose episodes begin."""


class DrawnCommand(CommandTerm):
    """A command that is drawn anew every now and then. Subclasses fill `command` in `resample`."""

    Config: ClassVar[type[CommandTermConfig]] = DrawnCommandConfig
    config: DrawnCommandConfig

    def __init__(self, env: Env, name: str, config: DrawnCommandConfig) -> None:
        super().__init__(env, name, config)
        self.time_left = env.buffers.new(f"command/{name}/time_left", env.num_envs)
        """Time until the next draw [s], shape (E,)."""
        self.pinned = env.buffers.new(f"command/{name}/pinned", env.num_envs, dtype=torch.bool)
        """Worlds whose command `fix` set, shape (E,)."""

    def resample(self, ids: Tensor) -> None:
        """Draw commands for the worlds `ids`, shape (n,)."""
        raise NotImplementedError

    def update(self) -> None:
        """What changes in every step; after the draws."""

    def fix(self, ids: Tensor, values: Tensor) -> None:
        """Set the command of the worlds `ids` for good, shape (n, size) or (size,)."""
        self.pinned[ids] = True
        self.time_left[ids] = torch.inf
        self.command[ids] = values
        self.env.robot.commands_changed()

    def compute(self, dt: float) -> None:
        """Go on by `dt` seconds and draw what is due."""
        ids = due(self.time_left, dt)
        if ids is not None:
            self._draw(ids)
        self.update()

    def reset(self, ids: Tensor) -> None:
        """Draw for worlds whose episode begins; commands that `fix` set stay."""
        free = ids[~self.pinned[ids]] if self.pinned.any() else ids
        if len(free):
            self._draw(free)

    def _draw(self, ids: Tensor) -> None:
        wind_up(self.env, self.time_left, self.config.resampling_time_range, ids)
        if self.resample(ids) is not None:  # type: ignore[func-returns-value]
            raise TypeError("resample gave something; it must fill `command` in place and give nothing")


class Commands:
    """All command terms."""

    def __init__(self, env: Env, configs: Mapping[str, CommandTermConfig]) -> None:
        self._robot = env.robot
        self.terms: dict[str, CommandTerm] = {}
        self._guarded: list[tuple[Guard, Any]] = []
        for name, config in configs.items():
            guard = Guard(env, "command", name, config.func)
            with guard:
                self.terms[name] = guard.made(CommandTerm, env, name, config)
            self._guarded.append((guard, self.terms[name]))
        self._commands = {name: term.command for name, term in self.terms.items()}

    def compute(self, dt: float) -> None:
        """Go on by `dt` seconds."""
        for guard, term in self._guarded:
            guard.act(term.compute, dt)
        self._robot.commands_changed()

    def reset(self, ids: Tensor) -> None:
        """Draw for worlds whose episode begins."""
        for guard, term in self._guarded:
            guard.act(term.reset, ids)

    def check(self) -> None:
        """Refuse a term that put another tensor in the place of its command, which nobody would read."""
        for guard, term in self._guarded:
            if term.command is not self._commands[term.name]:
                raise guard.error("replaced its `command`, which it must fill in place")
