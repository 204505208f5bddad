"""Observations: what the networks see."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mjsdk.config.env import ObservationGroupConfig, ObservationTermConfig
from mjsdk.env.memory import Memory
from mjsdk.env.mirror import Mirror, Reflection
from mjsdk.env.terms import BoundTerm, values_of
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class Observations:
    """All groups, side by side in one tensor. A term that several groups share is computed once per step."""

    def __init__(self, env: Env, groups: Mapping[str, ObservationGroupConfig]) -> None:
        self._mirror = env.mirror
        self.groups = {name: ObservationGroup(env, name, config) for name, config in groups.items()}
        widths = [group.width for group in self.groups.values()]
        self._raw = env.zeros(env.num_envs, sum(widths))
        for group, part in zip(self.groups.values(), self._raw.split(widths, 1), strict=True):
            group.use(part)
        self._sort([each for group in self.groups.values() for each in group.terms_and_columns()])
        sizes = {name: group.size for name, group in self.groups.items()}
        self._remembers = any(group.remembers for group in self.groups.values())
        self._now = env.zeros(env.num_envs, sum(sizes.values())) if self._remembers else self._raw
        self._groups = {name: self._now[:, where] for name, where in _slices(sizes).items()}
        self._reflect = None
        if env.mirror is not None:
            reflections = [group.reflection(env.mirror) for group in self.groups.values()]
            self._reflect = env.mirror.of(self._now, Reflection.joined(reflections))
        self.last: dict[str, Tensor] = {}
        """The observations of the last step, by group, shape (E, D)."""

    def _sort(self, terms: Sequence[tuple[str, BoundTerm, Tensor]]) -> None:
        """Tell terms that fill their columns themselves from those whose values are copied, once for all groups."""
        self._filling = [(term, columns) for _, term, columns in terms if term.fill(columns)]
        filled = {id(columns) for _, columns in self._filling}
        copied = [each for each in terms if id(each[2]) not in filled]
        shared: dict[str, tuple[BoundTerm, Tensor]] = {}
        for key, term, columns in copied:
            shared.setdefault(key, (term, columns))
        places = {key: place for place, key in enumerate(shared)}
        self._copied = [*shared.values()]
        self._places = [(columns, places[key]) for key, _, columns in copied]

    def reseed(self) -> None:
        """Restart the noise, with seeds from the environment's generator."""
        for group in self.groups.values():
            group.reseed()

    def compute(self) -> None:
        """Take in the present state."""
        if self._mirror is not None:
            self._mirror.update_active()
        values_of(self._filling)
        values = values_of(self._copied)
        if values and not self._filling:
            torch.cat([values[place] for _, place in self._places], 1, out=self._raw)
        else:
            for columns, place in self._places:
                columns.copy_(values[place])
        groups = [group.finish() for group in self.groups.values()]
        if self._remembers:
            torch.cat(groups, 1, out=self._now)
        if self._reflect is not None:
            self._reflect()

    def snapshot(self) -> dict[str, Tensor]:
        """What was computed last, by group: tensors of their own, that no later step changes."""
        self.last = {name: values.clone() for name, values in self._groups.items()}
        return self.last

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""
        for group in self.groups.values():
            group.reset(worlds)


class ObservationGroup:
    """Terms, one after the other: term, noise, clip, scale, delay, history, mirror.

    Noise, clipping and scaling are done for the whole group at once, mirroring for all groups.
    """

    def __init__(self, env: Env, name: str, config: ObservationGroupConfig) -> None:
        self._env = env
        self._name = name
        self._terms = {
            key: BoundTerm(env, "observation", f"{name}.terms.{key}", term) for key, term in config.terms.items()
        }
        self._keys = {key: f"{term.func} {term.params}" for key, term in config.terms.items()}
        widths = {key: self._width(key) for key in self._terms}
        self._raw_slices = _slices(widths)
        self.width = sum(widths.values())
        """Numbers that the terms give, before delay and history."""
        self._shape(name, config, widths)
        self._memory = {
            key: Memory(env, f"observation/{name}/{key}", term, widths[key], config.enable_corruption)
            for key, term in config.terms.items()
            if term.delay_max_lag or term.history_length > 1
        }
        self._history = {key: term.history_length for key, term in config.terms.items()}
        sizes = {key: width * self._history[key] for key, width in widths.items()}
        self.slices = _slices(sizes)
        """Where each term stands in the observation."""
        self.size = sum(sizes.values())
        """Width D of the observation."""
        stateful = [term for term in self._terms.values() if term.stateful]
        self._stateful: list[Memory | BoundTerm] = [*self._memory.values(), *stateful]

    @property
    def remembers(self) -> bool:
        """Whether any term is delayed or has a history."""
        return bool(self._memory)

    def use(self, values: Tensor) -> None:
        """Take the terms' numbers from `values`, shape (E, width), from now on."""
        env, self._values, self._add_uniform = self._env, values, None
        if self._uniform is not None:
            self._seed = env.buffers.new(f"observation/{self._name}/noise", 1, dtype=torch.long)
            noise = (values, self._uniform, self._seed, env.generator)
            self._add_uniform = env.ops.prepared(env.ops.add_noise, *noise)
            self.reseed()

    def terms_and_columns(self) -> Iterator[tuple[str, BoundTerm, Tensor]]:
        """Each term with a key, the same for terms that compute the same, and with the columns that it fills."""
        for key, where in self._raw_slices.items():
            yield self._keys[key], self._terms[key], self._values[:, where]

    def reseed(self) -> None:
        """Restart the noise, with a seed from the environment's generator."""
        if self._uniform is not None:
            self._seed.random_(generator=self._env.generator)

    def finish(self) -> Tensor:
        """What becomes of the terms' numbers, which are changed in place: shape (E, D)."""
        out = self._values
        if self._add_uniform is not None:
            self._add_uniform()
        if self._gaussian is not None:
            out.addcmul_(torch.empty_like(out).normal_(generator=self._env.generator), self._gaussian)
        if self._clip is not None:
            out.clamp_(*self._clip)
        if self._scale is not None:
            out.mul_(self._scale)
        return self._remembered(out) if self._memory else out

    def reset(self, worlds: Worlds) -> None:
        """Forget the past of some worlds."""
        for part in self._stateful:
            part.reset(worlds)

    def reflection(self, mirror: Mirror) -> Reflection:
        """How the observation looks in the mirror."""
        widths = {key: where.stop - where.start for key, where in self._raw_slices.items()}
        repeated = ([term.reflection(mirror, widths[key])] * self._history[key] for key, term in self._terms.items())
        return Reflection.joined(list(itertools.chain.from_iterable(repeated)))

    def _remembered(self, present: Tensor) -> Tensor:
        parts = {key: present[:, where] for key, where in self._raw_slices.items()}
        return torch.cat([self._memory[key](part) if key in self._memory else part for key, part in parts.items()], -1)

    def _width(self, key: str) -> int:
        term = self._terms[key]
        value = term()
        with term.guard:
            width = value.shape[1] if isinstance(value, Tensor) and value.ndim == 2 else 1
            term.guard.want_like(value, torch.empty(self._env.num_envs, width, device=self._env.device))
        return width

    def _shape(self, name: str, config: ObservationGroupConfig, widths: Mapping[str, int]) -> None:
        device = self._env.device
        terms = config.terms
        noisy = config.enable_corruption
        self._uniform = _vector([_noise(terms[k], "uniform") * noisy for k in terms], widths, 0.0, device)
        self._gaussian = _vector([_noise(terms[k], "gaussian") * noisy for k in terms], widths, 0.0, device)
        low = _vector([(terms[k].clip or [-torch.inf])[0] for k in terms], widths, -torch.inf, device)
        high = _vector([(terms[k].clip or [torch.inf])[-1] for k in terms], widths, torch.inf, device)
        self._clip = None if low is None and high is None else (low, high)
        self._scale = _vector([terms[k].scale for k in terms], widths, 1.0, device, f"env.observations.{name}.terms")


def _slices(widths: Mapping[str, int]) -> dict[str, slice]:
    slices, start = {}, 0
    for key, width in widths.items():
        slices[key] = slice(start, start + width)
        start += width
    return slices


def _noise(term: ObservationTermConfig, kind: str) -> float:
    return term.noise.scale if term.noise is not None and term.noise.type == kind else 0.0


def _vector(
    values: list[float] | list[float | list[float]],
    widths: Mapping[str, int],
    neutral: float,
    device: str,
    path: str = "",
) -> Tensor | None:
    """One number per element of the group, shape (D,), or None if all are neutral."""
    parts: list[float] = []
    for value, (key, width) in zip(values, widths.items(), strict=True):
        repeated = [value] * width if isinstance(value, (int, float)) else value
        if len(repeated) != width:
            raise ConfigError([Mistake(f"{path}.{key}.scale", f"has {len(repeated)} numbers for {width} elements")])
        parts += repeated
    return None if all(part == neutral for part in parts) else torch.tensor(parts, device=device)
