"""Actions: what the policy's output does to the robot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from mjsdk.config.env import ActionTermConfig
from mjsdk.env.guard import Guard
from mjsdk.env.mirror import Mirror, Reflection, reflection_like
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake
from mjsdk.scene import INITIAL

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class ActionTerm:
    """A slice of the action. Subclasses set `size` and the controls of their actuators in `apply`."""

    Config: ClassVar[type[ActionTermConfig]] = ActionTermConfig
    size: int
    """Width of the slice."""

    def __init__(self, env: Env, name: str, config: ActionTermConfig) -> None:
        self.env = env
        self.name = name
        self.config = config

    def apply(self, action: Tensor) -> None:
        """Turn the raw action, shape (E, size), into `env.actions.controls`, once per control step."""
        raise NotImplementedError

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""

    def reflection(self, mirror: Mirror) -> Reflection:
        """How the slice looks in the mirror."""
        raise ConfigError(
            [Mistake(f"env.actions.{self.name}", f"{self.config.func} cannot be mirrored; set env.mirror_clock to ''")]
        )


class Actions:
    """All action terms, and the last three raw actions."""

    def __init__(self, env: Env, configs: Mapping[str, ActionTermConfig]) -> None:
        guards = {name: Guard(env, "action", name, config.func) for name, config in configs.items()}
        self.terms = {name: guard.made(ActionTerm, env, name, configs[name]) for name, guard in guards.items()}
        self._guarded = [*zip(guards.values(), self.terms.values(), strict=True)]
        self.size = sum(term.size for term in self.terms.values())
        shape = (env.num_envs, self.size)
        self.action = env.buffers.new("action/action", *shape)
        """What the policy asked for in this step [-], not mirrored, shape (E, A)."""
        self.prev_action = env.buffers.new("action/prev_action", *shape)
        """The action of the step before, shape (E, A)."""
        self.prev_prev_action = env.buffers.new("action/prev_prev_action", *shape)
        """The action two steps before, shape (E, A)."""
        self.controls = env.buffers.new("action/controls", env.num_envs, env.model.nu)
        """What the terms tell the actuators, shape (E, actuators); others hold the initial pose."""
        self.controls.copy_(torch.from_numpy(env.model.key(INITIAL).ctrl))
        self._physics = env.physics
        self._mirror_back = env.mirror.of(self.action, self.reflection(env.mirror)) if env.mirror is not None else None

    def reflection(self, mirror: Mirror) -> Reflection:
        """How the whole action looks in the mirror."""
        parts: list[Reflection] = []
        for guard, term in self._guarded:
            with guard:
                parts.append(reflection_like(guard, term.reflection(mirror), term.size))
        return Reflection.joined(parts)

    def process(self, action: Tensor) -> None:
        """Remember the action and let the terms act on it."""
        self.prev_prev_action.copy_(self.prev_action)
        self.prev_action.copy_(self.action)
        self.action.copy_(action)
        if self._mirror_back is not None:
            self._mirror_back()
        self._apply()
        self._physics.write("ctrl", self.controls)

    def rehearse(self) -> None:
        """Let the terms act on actions of 0, to nobody's effect."""
        self._apply()

    def _apply(self) -> None:
        start = 0
        for guard, term in self._guarded:
            guard.act(term.apply, self.action[:, start : start + term.size])
            start += term.size

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""
        for tensor in (self.action, self.prev_action, self.prev_prev_action):
            worlds.fill(tensor, 0.0)
        for guard, term in self._guarded:
            guard.act(term.reset, worlds)
