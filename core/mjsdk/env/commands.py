"""Commands: what is asked of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from mjsdk.config.env import CommandTermConfig, ResampledCommandConfig
from mjsdk.env.guard import Guard
from mjsdk.env.mirror import Reflection
from mjsdk.env.worlds import Worlds

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
        """Advance by `dt` seconds."""
        raise NotImplementedError

    def reset(self, worlds: Worlds) -> None:
        """Start over in worlds whose episodes begin. It may set their state: what derives from it is computed after."""


class ResampledCommand(CommandTerm):
    """A command that is resampled at random intervals. Subclasses fill `command` in `resample`."""

    Config: ClassVar[type[CommandTermConfig]] = ResampledCommandConfig
    config: ResampledCommandConfig

    def __init__(self, env: Env, name: str, config: ResampledCommandConfig) -> None:
        super().__init__(env, name, config)
        self.time_left = env.buffers.new(f"command/{name}/time_left", env.num_envs)
        """Time until the next resampling [s], shape (E,)."""
        self.pinned = env.buffers.new(f"command/{name}/pinned", env.num_envs, dtype=torch.bool)
        """Worlds whose command `fix` set, shape (E,)."""
        self._countdown = env.ops.prepared(env.ops.countdown, self.time_left)

    def resample(self, worlds: Worlds) -> None:
        """Draw commands for some worlds."""
        raise NotImplementedError

    def update(self) -> None:
        """What changes in every step, after the resampling."""

    def fix(self, worlds: Worlds, values: Tensor) -> None:
        """Set the command of some worlds for good, shape (rows, size) or (size,)."""
        worlds.fill(self.pinned, True)
        worlds.fill(self.time_left, torch.inf)
        worlds.write(self.command, values)
        self.env.derived.commands_changed()

    def compute(self, dt: float) -> None:
        """Advance by `dt` seconds and resample where the countdown has expired."""
        self._draw(self.env.worlds(*self._countdown(dt)))
        self.update()

    def reset(self, worlds: Worlds) -> None:
        """Draw for worlds whose episode begins; commands that `fix` set stay."""
        self._draw(worlds.without(self.pinned))

    def _draw(self, worlds: Worlds) -> None:
        if worlds.known_empty:
            return
        low, high = self.config.resampling_time_range
        worlds.write(self.time_left, worlds.uniform(low, high))
        if self.resample(worlds) is not None:  # type: ignore[func-returns-value]
            raise TypeError("resample gave something; it must fill `command` in place and give nothing")


class Commands:
    """All command terms."""

    def __init__(self, env: Env, configs: Mapping[str, CommandTermConfig]) -> None:
        self._derived = env.derived
        guards = {name: Guard(env, "command", name, config.func) for name, config in configs.items()}
        self.terms = {name: guard.made(CommandTerm, env, name, configs[name]) for name, guard in guards.items()}
        self._guarded = [*zip(guards.values(), self.terms.values(), strict=True)]
        self._commands = {name: term.command for name, term in self.terms.items()}

    def compute(self, dt: float) -> None:
        """Advance by `dt` seconds."""
        for guard, term in self._guarded:
            guard.act(term.compute, dt)
        self._derived.commands_changed()

    def reset(self, worlds: Worlds) -> None:
        """Draw for worlds whose episode begins."""
        for guard, term in self._guarded:
            guard.act(term.reset, worlds)

    def check(self) -> None:
        """Refuse a term that put another tensor in the place of its command, which nobody would read."""
        for guard, term in self._guarded:
            if term.command is not self._commands[term.name]:
                raise guard.error("replaced its `command`, which it must fill in place")
