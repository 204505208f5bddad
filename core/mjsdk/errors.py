"""Everything mjsdk raises on purpose.

* MjsdkError                 one clear message; the command line prints it and exits with 2
  x PluginError              about installed or local plugins
    - UnknownPlugin          no plugin has that name
    - AmbiguousPlugin        several packages provide that name
    - BrokenPlugin           a plugin fails to import, or its hooks are wrong
    - IncompatiblePlugin     a plugin was made for another mjsdk
    - HookError              a hook raised, or returned something else than it must
  x ConfigError              settings that cannot work, all of them at once
  x MissingRole              a robot lacks a part that a task asks for
  x SelectionError           a name or pattern that matches nothing in the model
  x SceneError               a model that cannot be built
  x PhysicsError             a backend that is missing or cannot continue
  x Diverged                 a training whose numbers are no longer finite
  x LostRank                 a training on many processes, one of which has ended
  x RunError                 about run folders
    - UnknownRun             no such run
    - BrokenRun              a run folder or a checkpoint that cannot be read
    - RunInUse               a run that another process trains
    - UntrustedCode          a run folder brings code that this user does not know
    - StorageError           a file that could not be written
  x RenderError              no picture can be drawn on this machine
  x MissingDependency        an optional package is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from traceback import walk_tb
from types import FrameType
from typing import Any

import attrs


class MjsdkError(Exception):
    """Base of all errors that mjsdk raises on purpose."""


class PluginError(MjsdkError):
    """A plugin cannot be used."""


class UnknownPlugin(PluginError):
    """No installed plugin has that name."""


class AmbiguousPlugin(PluginError):
    """Several installed packages provide a plugin of that name."""


class BrokenPlugin(PluginError):
    """A plugin fails to import, or what it declares is wrong."""


class IncompatiblePlugin(PluginError):
    """A plugin was made for another version of mjsdk."""


class HookError(PluginError):
    """A plugin's hook raised, or returned something else than it must."""


@attrs.frozen
class Mistake:
    """One thing that is wrong in a configuration."""

    path: str
    """Dotted path of the setting, such as `env.scene.num_envs`."""
    message: str
    """What is wrong, which value, what is legal."""

    def __str__(self) -> str:
        return f"{shortened(self.path)}: {shortened(self.message, 1000)}"


_MOST_MISTAKES = 20
"""Mistakes that are listed: what fits on a screen."""


class ConfigError(MjsdkError):
    """Settings that cannot work. Lists every mistake that was found, not just the first."""

    def __init__(self, mistakes: Sequence[Mistake], hint: str = "") -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        lines = ["1 mistake in the settings:" if count == 1 else f"{count} mistakes in the settings:"]
        lines += [f"  {mistake}" for mistake in self.mistakes[:_MOST_MISTAKES]]
        lines += [f"  and {count - _MOST_MISTAKES} more"] if count > _MOST_MISTAKES else []
        super().__init__("\n".join([*lines, hint] if hint else lines))


def refuse(mistakes: Sequence[Mistake], hint: str = "") -> None:
    """Raise `ConfigError` if there are mistakes."""
    if mistakes:
        raise ConfigError(mistakes, hint)


class MissingRole(MjsdkError):
    """A robot has no body part of that role."""


class SelectionError(MjsdkError):
    """A name or pattern matches nothing in the model."""


class SceneError(MjsdkError):
    """Robot, terrain and sensors cannot be made into one model."""


class PhysicsError(MjsdkError):
    """A physics backend is missing or cannot continue."""


class Diverged(MjsdkError):
    """A training whose numbers are no longer finite; its checkpoints still are."""


class LostRank(MjsdkError):
    """A training on many processes, one of which has ended."""


class RunError(MjsdkError):
    """A run folder cannot be used."""


class UnknownRun(RunError):
    """There is no such run."""


class BrokenRun(RunError):
    """A run folder or one of its files is incomplete, damaged or from something else."""


class RunInUse(RunError):
    """Another process trains in the run folder."""


class UntrustedCode(RunError):
    """A run brings or names code that was not used in a training here."""


class StorageError(RunError):
    """A file could not be written; what was there before is untouched."""


class RenderError(MjsdkError):
    """No picture can be drawn on this machine."""


class MissingDependency(MjsdkError):
    """An optional package is not installed."""


def closest(name: str, legal: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the legal name nearest to `name`, or nothing."""
    matches = difflib.get_close_matches(name, list(legal), n=1, cutoff=0.6)
    return f", did you mean '{matches[0]}'?" if matches else ""


def listing(names: Iterable[str]) -> str:
    """`a, b, c` in the order given, or `(none)`."""
    return ", ".join(names) or "(none)"


def shortened(text: str, longest: int = 200) -> str:
    """The text itself, or its beginning and end around how many characters it has, at most `longest`."""
    if len(text) <= longest:
        return text
    gap = f" ... {len(text)} characters ... "
    head = (longest - len(gap)) * 2 // 3
    return text[:head] + gap + text[len(text) - (longest - len(gap) - head) :]


def said(error: BaseException) -> str:
    """Kind and text of whatever a plugin raised, on one short line."""
    try:
        text = str.__str__(str(error))  # plain text, even of a class of its own
    except KeyboardInterrupt:
        raise
    except BaseException as worse:
        text = f"(its text cannot be read: {type(worse).__name__})"
    kind = type(error).__name__
    return one_line(f"{kind}: {text}" if text else kind)


def frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Frames and lines that an error came through, whatever its own class says of them."""
    return walk_tb(vars(BaseException)["__traceback__"].__get__(error))


def one_line(text: str) -> str:
    """A text of unknown origin as one short line of characters that can be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in shortened(text, 500)).split())


def a_kind(value: Any) -> str:
    """`None`, `an int`, `a dict`: what kind of thing a plugin gave."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[:1] in tuple('aeiou') else 'a'} {name}"
