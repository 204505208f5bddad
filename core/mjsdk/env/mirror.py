"""Left-right symmetry: the mirror image of what a robot feels and does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from mjsdk.errors import ConfigError, Mistake, SceneError
from mjsdk.scene.mirror import joint_partners, partner

if TYPE_CHECKING:
    from mjsdk.env.env import Env
    from mjsdk.env.guard import Guard


@attrs.frozen
class Reflection:
    """How a vector of D numbers looks in the mirror: element i is `signs[i]` times element `sources[i]`."""

    sources: tuple[int, ...]
    signs: tuple[float, ...]

    @classmethod
    def of_signs(cls, *signs: float) -> Reflection:
        """Each element keeps its place and may change its sign."""
        return cls(tuple(range(len(signs))), signs)

    @classmethod
    def joined(cls, parts: Sequence[Reflection]) -> Reflection:
        """Several vectors, one after the other."""
        sources: list[int] = []
        for part in parts:
            start = len(sources)
            sources += [start + source for source in part.sources]
        return cls(tuple(sources), tuple(sign for part in parts for sign in part.signs))

    def tensors(self, device: str) -> tuple[Tensor, Tensor]:
        """Sources and signs, shape (D,) each."""
        return torch.tensor(self.sources, device=device), torch.tensor(self.signs, device=device)


POLAR = Reflection.of_signs(1.0, -1.0, 1.0)
"""Positions, velocities, forces: y changes its sign."""
AXIAL = Reflection.of_signs(-1.0, 1.0, -1.0)
"""Angular velocities: x and z change their signs."""
PLANAR = Reflection.of_signs(1.0, -1.0, -1.0)
"""Velocity commands: forward, to the left, yaw rate."""
HALF_TURN = Reflection.of_signs(-1.0, -1.0)
"""Sine and cosine of a clock: half a cycle on."""


class Mirror:
    """The mirror image of a robot whose parts come in pairs, across the vertical plane through its x axis.

    In the second half of a gait clock's cycle the networks see the mirrored world, and what they answer is mirrored
    back: they only ever learn one side. That makes the policy exactly symmetric, at no cost in samples or networks.
    """

    def __init__(self, env: Env, clock: str) -> None:
        self._env = env
        if clock not in env.commands.terms or not hasattr(env.commands.terms[clock], "phase"):
            raise ConfigError(
                [Mistake("env.mirror_clock", f"'{clock}' is no command with a phase, such as a gait_clock")]
            )
        self._clock = env.commands.terms[clock]
        self._joints = Reflection(*joint_partners(env.model, env.scene.entity, env.scene.robot))
        self.active = env.zeros(env.num_envs, 1, dtype=torch.bool)
        """Worlds that the networks see mirrored, shape (E, 1)."""
        self.update_active()

    def update_active(self) -> None:
        """Update which worlds the networks see mirrored. What they answer is about worlds as they saw them."""
        torch.ge(self._clock.phase.unsqueeze(1), 0.5, out=self.active)  # type: ignore[attr-defined]

    def of(self, values: Tensor, reflection: Reflection) -> Callable[[], None]:
        """What mirrors a tensor of shape (E, D) in place, in the worlds that are seen mirrored, again and again."""
        ops = self._env.ops
        return ops.prepared(ops.reflect, values, self.active, *reflection.tensors(self._env.device))

    def joints(self, ids: Sequence[int]) -> Reflection:
        """Reflection of numbers about the joints `ids`, which must contain the partner of each."""
        place = {joint: i for i, joint in enumerate(ids)}
        try:
            sources = tuple(place[self._joints.sources[joint]] for joint in ids)
        except KeyError as error:
            names = self._env.names.joints
            raise SceneError(
                f"cannot mirror these joints: the partner '{names[error.args[0]]}' is not among them"
            ) from None
        return Reflection(sources, tuple(self._joints.signs[joint] for joint in ids))

    def parts(self, names: Sequence[str]) -> Reflection:
        """Reflection of one number per part."""
        partners = [partner(name, self._env.scene.robot.mirror, names) for name in names]
        return Reflection(tuple(names.index(name) for name in partners), (1.0,) * len(names))


Declaration = Callable[..., Reflection]
"""`(mirror, env, **params) -> Reflection` of an observation term's output."""


def reflects(declaration: Declaration | Reflection) -> Callable[[Any], Any]:
    """Decorator of an observation term: how its output looks in the mirror."""

    def mark(term: Any) -> Any:
        term.reflection = declaration
        return term

    return mark


def reflection_of(term: Any, mirror: Mirror, env: Env, params: dict[str, Any], path: str) -> Reflection:
    """The reflection that a term declares. Raises `ConfigError` if it declares none."""
    declared = getattr(term, "reflection", None)
    if declared is None:
        message = (
            "does not say how it looks in the mirror: decorate it with mjsdk.env.reflects, or empty env.mirror_clock"
        )
        raise ConfigError([Mistake(path, message)])
    return declared if isinstance(declared, Reflection) else declared(mirror, env, **params)


def reflection_like(guard: Guard, given: Any, size: int) -> Reflection:
    """The reflection of `size` numbers that a term gave. Raises `HookError` for anything else: it is an index."""
    fits = isinstance(given, Reflection) and len(given.signs) == size and sorted(given.sources) == list(range(size))
    if not fits:
        raise guard.refusal(given, f"a Reflection of {size} numbers, each the image of another one or of itself")
    return given
