"""Settings from their layers: task -> robot's and extras' adapt -> presets -> file -> flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.config import presets, schema, yamlio
from mjsdk.config.checks import check, check_physics
from mjsdk.config.convert import from_plain, show, to_plain
from mjsdk.config.evaluation import check_evaluation
from mjsdk.config.overrides import Override, merge, repeated, tree
from mjsdk.config.root import Config
from mjsdk.errors import ConfigError, HookError, Mistake, MjsdkError, said

if TYPE_CHECKING:
    from mjsdk.plugins import Session
    from mjsdk.robot.selection import ModelNames
    from mjsdk.task import TaskConfig

COMMAND_LINE = "command line"
"""Origin of what is composed: robot, task, extras and preset."""

_COMMAND_LINE_ONLY = ("robot", "task", "extras", "preset")
"""Root settings that the command line decides, not a file."""


@attrs.frozen(kw_only=True)
class Given:
    """What people set, from the weakest to the strongest."""

    preset: str | None = None
    file: Path | None = None
    overrides: Sequence[Override] = ()

    @cached_property
    def of_file(self) -> dict[str, Any]:
        """The settings in the file, which is read once. Raises `ConfigError` if it cannot be."""
        return yamlio.load_file(self.file) if self.file is not None else {}

    def get(self, path: str, default: Any = None) -> Any:
        """A setting that is needed before all of them are composed, as it was given."""
        for layer in (tree(self.overrides), self.of_file):
            value: Any = layer
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                return value
        return default


@attrs.frozen
class Composed:
    """Settings after all layers."""

    config: Config
    origins: dict[str, str]
    """Where each value that is not the default came from, by dotted path: `task <name>`, `preset cpu`, `flag`..."""
    warnings: list[str]
    """What is outside its recommended range, with advice."""
    removed: dict[str, str] = attrs.field(factory=dict)
    """Entries that a layer took away, by dotted path, and which layer did."""


def compose(
    session: Session,
    *,
    preset: str | None = None,
    device: str = "cpu",
    physics: str = "cpu",
    file: Path | None = None,
    overrides: Sequence[Override] = (),
) -> Composed:
    """All settings of a training. `device` chooses the preset `cpu` or `gpu` unless `preset` names one of them.

    Presets have numbers of their own for each `physics`, `cpu` or `warp`, which must have all that the settings ask for.
    Raises `ConfigError` with every mistake that was found.
    """
    return compose_given(session, Given(preset=preset, file=file, overrides=overrides), device, physics)


def compose_given(session: Session, given: Given, device: str, physics: str) -> Composed:
    """All settings of a training, as `compose` gives them."""
    task, named = session.task(), given.of_file.get("preset")
    named = named if isinstance(named, str) else None
    names = presets.chosen(given.preset or named, device, task.presets)
    settings = Settings.of_task(session, task, names, physics)
    settings.origins["preset"] = COMMAND_LINE if given.preset else "file" if named else f"device {device}"
    settings.adapt()
    settings.apply_given(given, names, task.presets)
    composed = settings.composed()
    return attrs.evolve(composed, warnings=[*repeated(given.overrides), *composed.warnings])


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    return deepcopy(dict(data))


@attrs.define
class Settings:
    """Settings as they come together: layers in; a checked configuration, origins and all mistakes out."""

    session: Session
    data: dict[str, Any] = attrs.field(converter=_own)
    """All settings as plain data, so far."""
    origins: dict[str, str] = attrs.field(factory=dict)
    """The layer that each value is from, by dotted path, as far as it is known."""
    removed: dict[str, str] = attrs.field(factory=dict)
    """Entries that a layer took away, by dotted path, and which layer did."""
    mistakes: list[Mistake] = attrs.field(factory=list)
    """What is wrong with the layers so far."""
    physics: str = "cpu"
    """What steps the worlds, `cpu` or `warp`: presets go by it, and the settings are held against it."""
    _sound: dict[str, Any] = attrs.field(factory=dict, init=False)
    """The data before people's own layers: falls in where theirs are mistaken, so that the checks can continue."""

    @classmethod
    def of_task(cls, session: Session, task: TaskConfig, names: Sequence[str] = (), physics: str = "cpu") -> Settings:
        """Those of a task, for presets of these names and a physics."""
        plugins = session.names()
        config = Config(
            robot=plugins[session.robot_ref],
            task=plugins[session.task_ref],
            extras=[name for ref, name in plugins.items() if ref.kind == "extra"],
            preset=",".join(names),
            env=task.env,
            agent=task.agent,
        )
        with _blaming_task(session):
            data = to_plain(config)
            paths = schema.flat(data)
        origins = {path: f"task {task.name}" if "." in path else COMMAND_LINE for path in paths}
        return cls(session, data, origins, physics=physics)

    def adapt(self) -> Config:
        """Let the robot and the extras edit numbers; returns what they made of them."""
        with _blaming_task(self.session):
            config = from_plain(self.data, self.session.terms())
        self.session.adapt(config, lambda plugin: self._adapted(config, f"{plugin.kind} {plugin.name}"))
        return config

    def _adapted(self, config: Config, origin: str) -> None:
        before = schema.flat(self.data)
        with _blaming(f"the hook mjsdk_adapt of {origin}"):
            self.data = to_plain(config)
            self._note(before, origin)
            from_plain(self.data, self.session.terms())

    def apply_given(self, given: Given, names: Iterable[str], task_presets: Mapping[str, presets.Preset]) -> None:
        """Merge all that people set, the presets by their names."""
        for name in names:
            with _blaming_task(self.session):
                numbers = presets.numbers(name, self.session.robot(), task_presets, self.physics)
            self.apply(tree(numbers.items()), f"preset {name}")
        if given.file is not None:
            self.apply(given.of_file, f"file {given.file.name}")
        self.apply(tree(given.overrides), "flag", typed=True)

    def apply(self, given: Mapping[str, Any], origin: str, *, typed: bool = False) -> None:
        """Merge a layer of nested settings; values that were `typed` are fitted to what a setting takes."""
        self._sound = self._sound or deepcopy(self.data)
        before = schema.flat(self.data)
        merged = merge(self.data, self._without_plugins(given), self.session.terms(), typed=typed)
        self.mistakes += merged.mistakes
        self.removed |= dict.fromkeys(merged.removed, origin)
        self._note(before, origin, merged.paths if typed else ())

    def _without_plugins(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A layer without what the command line decides, which must agree with what is composed."""
        for name in ("robot", "task"):
            if given.get(name) and not _agree(given[name], self.data[name]):
                message = f"these settings are for {show(given[name])}, not {self.data[name]}; "
                self.mistakes.append(Mistake(name, message + "remove that line to use them here"))
        extras = given.get("extras") or []
        for extra in extras if isinstance(extras, list) else [extras]:
            if not any(_agree(extra, loaded) for loaded in self.data["extras"]):
                message = f"{show(extra)} is not loaded; a new training needs --with {extra}"
                self.mistakes.append(Mistake("extras", message))
        return {name: value for name, value in given.items() if name not in _COMMAND_LINE_ONLY}

    def _note(self, before: Mapping[str, Any], origin: str, given: Iterable[str] = ()) -> None:
        """Note where what changed, and what is `given` anyhow, is from."""
        after = schema.flat(self.data)
        changed = {path for path, value in after.items() if path not in before or not schema.same(before[path], value)}
        self.origins = {path: self.origins[path] for path in after if path in self.origins}
        self.origins |= dict.fromkeys([*changed, *(path for path in given if path in after)], origin)

    def config(self) -> Config:
        """The configuration, checked without the robot's model. Raises `ConfigError` with every mistake."""
        return self._checked(with_model=False)[0]

    def composed(self) -> Composed:
        """The configuration, checked with the robot's model, and all that is known of it. Raises `ConfigError`."""
        config, names, warnings = self._checked(with_model=True)
        check_evaluation(self.session, config, names)
        there = dict(schema.entries(config))
        removed = {path: origin for path, origin in self.removed.items() if path not in there}
        return Composed(config, self._changed_origins(config), warnings, removed)

    def _checked(self, *, with_model: bool) -> tuple[Config, ModelNames | None, list[str]]:
        config, found = self._converted()
        mistakes, warnings, names = [*self.mistakes, *found], list[str](), None
        if config is not None:
            if with_model:
                names, warnings = _robot_parts(self.session, config)
            result = check(config, self.session.terms(), names=names, robot=self.session.robot())
            mistakes += [*result.mistakes, *check_physics(config, self.physics)]
            warnings = [*warnings, *result.warnings]
        if config is None or mistakes:
            raise ConfigError(list(dict.fromkeys(map(self._with_origin, mistakes))))
        return config, names, warnings

    def _converted(self) -> tuple[Config | None, list[Mistake]]:
        """The configuration and the mistakes in it; mistaken values are replaced by sound ones, if all are sound then."""
        terms, sound = self.session.terms(), self._sound or self.data
        try:
            return from_plain(self.data, terms), []
        except ConfigError as error:
            mistakes = list(error.mistakes)
        repaired = deepcopy(self.data)
        for mistake in mistakes:
            _repair(repaired, sound, mistake.path.partition("[")[0].split("."))
        for data in (repaired, sound):
            with suppress(ConfigError):
                return from_plain(data, terms), mistakes
        return None, mistakes

    def _with_origin(self, mistake: Mistake) -> Mistake:
        """Say where a mistaken value is from, unless it was typed just now."""
        origin = self.origins.get(mistake.path.partition("[")[0])
        if origin in (None, "flag", COMMAND_LINE):
            return mistake
        return attrs.evolve(mistake, message=f"{mistake.message} (from {origin})")

    def _changed_origins(self, config: Config) -> dict[str, str]:
        """Origins of the values that are not the default."""
        changed = {}
        for leaf in schema.every_leaf(config, self.session.terms()):
            if leaf.given and not schema.same(leaf.value, leaf.default):
                below = (origin for other, origin in self.origins.items() if other.startswith(f"{leaf.path}."))
                changed[leaf.path] = self.origins.get(leaf.path) or next(below, "")
        return changed


@contextmanager
def _blaming(whose: str) -> Iterator[None]:
    """Say on mistakes that they are not the user's."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            error.mistakes, f"This comes from {whose}, not from your settings; tell its authors."
        ) from error
    except MjsdkError:  # of another plugin, which says so itself
        raise
    except (Exception, SystemExit) as error:  # objects of a plugin that stand where plain data is meant to
        raise HookError(f"the settings of {whose} cannot be read: {said(error)}") from error


def _blaming_task(session: Session) -> AbstractContextManager[None]:
    return _blaming(f"task '{session.task_ref.name}' ({session.task_ref.package})")


def as_yaml(composed: Composed) -> str:
    """The settings as a file for `--config`, with the origin of each value that is not the default."""
    data = to_plain(composed.config)
    for path in composed.removed:
        *parents, name = path.split(".")
        node = data
        for parent in parents:
            node = node[parent]
        node[name] = None
    return yamlio.annotated(data, {**composed.origins, **composed.removed})


def _repair(data: Any, sound: Any, keys: Sequence[str]) -> None:
    """Put the sound value at a path, or take the value or the entry away if there is none."""
    key, *rest = keys
    if not isinstance(data, dict) or key not in data:
        return
    if isinstance(sound, Mapping) and key in sound:
        if rest and isinstance(data[key], dict) and rest[0] in data[key]:
            _repair(data[key], sound[key], rest)
        else:
            data[key] = deepcopy(sound[key])
    else:
        del data[key]


def _agree(one: Any, other: Any) -> bool:
    """Whether two names of plugins may mean the same: the package before the colon may be left out."""
    return str(one).rpartition(":")[2] == str(other).rpartition(":")[2]


def _robot_parts(session: Session, config: Config) -> tuple[ModelNames, list[str]]:
    """Names of the robot's parts, from its model on the ground, and what is odd as episodes begin."""
    from mjsdk.robot.selection import ModelNames
    from mjsdk.scene import on_ground, robot_alone
    from mjsdk.scene.entities import find_robot
    from mjsdk.scene.facts import odd_pose

    pose, collisions = config.env.scene.pose, config.env.scene.collisions
    alone = robot_alone(session, collisions if collisions in session.robot().collisions else "")
    model = on_ground(session, alone)
    names = ModelNames.of(model, find_robot(model, session.robot()).joints)
    return names, [*alone.warnings(session.robot_ref.label), *odd_pose(session, model, pose, collisions)]
