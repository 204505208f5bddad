"""Layers of settings: task -> robot's and extras' adapt -> presets -> file -> flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.config import presets, schema, termchecks, yamlio
from mjsdk.config.checks import check
from mjsdk.config.convert import from_plain, show, to_plain
from mjsdk.config.judgement import check_judgement
from mjsdk.config.overrides import Merged, Override, merge, repeated, tree
from mjsdk.config.root import Config
from mjsdk.errors import ConfigError, HookError, Mistake, said
from mjsdk.terms import TermRegistry, parameters

if TYPE_CHECKING:
    from mjsdk.plugins import Session
    from mjsdk.robot.selection import ModelNames
    from mjsdk.task import TaskConfig

COMMAND_LINE = "command line"
"""Origin of what is composed: robot, task, extras and preset."""

_WHOSE = ("robot", "task", "extras", "preset")
"""Root settings that the command line decides, not a file."""


@attrs.frozen
class Composed:
    """Settings after all layers."""

    config: Config
    origins: dict[str, str]
    """Where each value that is not the default came from, by dotted path: `task <name>`, `preset cpu`, `flag`..."""
    warnings: list[str]
    """What is outside its sane range, with advice."""
    removed: dict[str, str] = attrs.field(factory=dict)
    """Entries that a layer took away, by dotted path, and which layer did."""


def compose(
    session: Session,
    *,
    preset: str | None = None,
    device: str = "cpu",
    file: Path | None = None,
    overrides: Sequence[Override] = (),
) -> Composed:
    """All settings of a training. `device` chooses the preset `cpu` or `gpu` unless `preset` names one of them.

    Raises `ConfigError` with every mistake that was found.
    """
    task = session.task()
    given = yamlio.load_file(Path(file)) if file is not None else {}
    names = presets.chosen(preset or _preset_of(given), device, task.presets)
    layers = _Layers(session.terms())
    layers.start(session, task, names)
    layers.origins["preset"] = COMMAND_LINE if preset else "file" if _preset_of(given) else f"device {device}"
    layers.adapt(session)
    for name in names:
        with _blaming_task(session):
            numbers = presets.numbers(name, session.robot(), task.presets)
        layers.add(tree(numbers.items()), f"preset {name}")
    layers.add(_own(given, layers.data, layers.mistakes), f"file {Path(file).name}" if file is not None else "file")
    layers.add(_own(tree(overrides), layers.data, layers.mistakes), "flag", typed=True)
    composed = layers.finish(session)
    return attrs.evolve(composed, warnings=[*repeated(overrides), *composed.warnings])


def overridden(data: dict[str, Any], given: Iterable[tuple[Mapping[str, Any], bool]], session: Session) -> Config:
    """Complete plain settings with nested ones merged into them, in place, and checked; the bool says who were `typed`.

    Raises `ConfigError` with every mistake that was found.
    """
    terms, foreign = session.terms(), list[Mistake]()
    mistakes = [
        mistake
        for each, typed in given
        for mistake in merge(data, _own(each, data, foreign), terms, typed=typed).mistakes
    ] + foreign
    try:
        config = from_plain(data, terms)
        mistakes += check(config, terms, robot=session.robot()).mistakes
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(unique(mistakes))
    return config


def adapted(session: Session, task: TaskConfig) -> Config:
    """The settings of a task, as robot and extras have edited them."""
    layers = _Layers(session.terms())
    layers.start(session, task)
    return layers.adapt(session)


@attrs.define
class _Layers:
    terms: TermRegistry
    data: dict[str, Any] = attrs.field(factory=dict)
    """All settings as plain data, so far."""
    origins: dict[str, str] = attrs.field(factory=dict)
    removed: dict[str, str] = attrs.field(factory=dict)
    mistakes: list[Mistake] = attrs.field(factory=list)
    sound: dict[str, Any] = attrs.field(factory=dict)
    """The data before people's own layers: falls in where theirs are mistaken, so that the checks can go on."""

    def start(self, session: Session, task: TaskConfig, names: Sequence[str] = ()) -> None:
        """Take the first layer as it is."""
        with _blaming_task(session):
            self.data = to_plain(_bare(session, task, names))
            paths = flat(self.data)
        self.origins = {path: f"task {task.name}" if "." in path else COMMAND_LINE for path in paths}

    def adapt(self, session: Session) -> Config:
        """Let the robot and the extras edit numbers."""
        with _blaming_task(session):
            config = from_plain(self.data, self.terms)
        self.sound = deepcopy(self.data)
        session.adapt(config, lambda plugin: self._adapted(config, f"{plugin.kind} {plugin.name}"))
        return config

    def _adapted(self, config: Config, origin: str) -> None:
        with _blaming(f"the hook mjsdk_adapt of {origin}"):
            self.replace(to_plain(config), origin)
            from_plain(self.data, self.terms)

    def replace(self, data: dict[str, Any], origin: str) -> None:
        """Take edited settings, noting what changed."""
        before, self.data = flat(self.data), data
        after = flat(data)
        self.origins = {
            path: self.origins[path] if path in before and same(before[path], value) else origin
            for path, value in after.items()
        }
        self.sound = deepcopy(data)

    def add(self, given: Mapping[str, Any], origin: str, *, typed: bool = False) -> None:
        """Merge a layer of people's settings."""
        before = flat(self.data)
        merged = merge(self.data, given, self.terms, typed=typed)
        self.mistakes += merged.mistakes
        self.removed |= dict.fromkeys(merged.removed, origin)
        self._note(before, merged, origin, typed)

    def _note(self, before: Mapping[str, Any], merged: Merged, origin: str, typed: bool) -> None:
        after = flat(self.data)
        changed = {path for path, value in after.items() if path not in before or not same(before[path], value)}
        changed |= set(merged.paths) & set(after) if typed else set()
        self.origins = {path: origin if path in changed else self.origins.get(path, origin) for path in after}

    def finish(self, session: Session) -> Composed:
        """Check everything and make it a configuration."""
        config, found = salvage(self.data, self.sound, self.terms)
        names, doubts = _robot_parts(session, config)
        result = check(config, self.terms, names=names, robot=session.robot())
        mistakes = [*self.mistakes, *found, *result.mistakes]
        if mistakes:
            raise ConfigError(unique(self._with_origin(mistake) for mistake in mistakes))
        check_judgement(session, config, names)
        removed = {path: origin for path, origin in self.removed.items() if path not in dict(schema.entries(config))}
        return Composed(config, _told(config, self.origins, self.terms), [*doubts, *result.warnings], removed)

    def _with_origin(self, mistake: Mistake) -> Mistake:
        """Say where a mistaken value is from, unless it was typed just now."""
        origin = self.origins.get(mistake.path.partition("[")[0])
        if origin in (None, "flag", COMMAND_LINE):
            return mistake
        return attrs.evolve(mistake, message=f"{mistake.message} (from {origin})")


@contextmanager
def _blaming(whose: str) -> Iterator[None]:
    """Say on mistakes that they are not the user's."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            error.mistakes, f"This comes from {whose}, not from your settings; tell its authors."
        ) from error
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


def salvage(data: dict[str, Any], sound: Mapping[str, Any], terms: TermRegistry) -> tuple[Config, list[Mistake]]:
    """The settings and the mistakes in them; mistaken values are replaced by sound ones so that checks can go on."""
    try:
        return from_plain(data, terms), []
    except ConfigError as error:
        repaired = deepcopy(data)
        for mistake in error.mistakes:
            _repair(repaired, sound, mistake.path.partition("[")[0].split("."))
        return _second(repaired, sound, terms), list(error.mistakes)


def _second(repaired: dict[str, Any], sound: Mapping[str, Any], terms: TermRegistry) -> Config:
    try:
        return from_plain(repaired, terms)
    except ConfigError:
        return from_plain(sound, terms)


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


def unique(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Mistakes without repetitions, in order."""
    return list(dict.fromkeys(mistakes))


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain settings as values by dotted path; maps that are one value stay whole, parameters of terms do not."""
    return dict(_flat(Config, data, ""))


def _flat(cls: type, data: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    legal = schema.fields(cls)
    for name, value in data.items():
        annotation = legal[name].type if name in legal else None
        yield from _flat_value(annotation, value, f"{path}{name}", name == "params" and "func" in data)


def _flat_value(annotation: Any, value: Any, path: str, is_params: bool) -> Iterator[tuple[str, Any]]:
    section, item = schema.section_class(annotation), schema.item_class(annotation)
    if not isinstance(value, Mapping):
        yield path, value
    elif section:
        yield from _flat(section, value, f"{path}.")
    elif item:
        for key, entry in value.items():
            yield from (
                _flat(item, entry, f"{path}.{key}.") if isinstance(entry, Mapping) else [(f"{path}.{key}", entry)]
            )
    elif is_params:
        yield from ((f"{path}.{key}", parameter) for key, parameter in value.items())
    else:
        yield from _open_map(annotation, value, path)


def _open_map(annotation: Any, value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """A map that is one value, or settings of a command or action that only its own class describes."""
    if annotation is not None:
        yield path, value
        return
    for key, item in value.items():
        yield from _open_map(None, item, f"{path}.{key}") if isinstance(item, Mapping) else [(f"{path}.{key}", item)]


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal; 1 and true are not."""
    return (
        type(one) is type(other) and one == other if isinstance(one, bool) or isinstance(other, bool) else one == other
    )


def _told(config: Config, origins: Mapping[str, str], terms: TermRegistry) -> dict[str, str]:
    """Origins of the values that are not the default."""
    told: dict[str, str] = {}
    for leaf in schema.leaves(config):
        default = None if leaf.default is attrs.NOTHING else to_plain(leaf.default)
        if not is_params(leaf.path) and not same(to_plain(leaf.value), default):
            told[leaf.path] = _origin(leaf.path, origins)
    for path, entry, term in termchecks.function_terms(config.env, terms):
        legal = parameters(term)
        for name, value in entry.params.items():
            if name not in legal or not same(value, legal[name].default):
                told[f"{path}.params.{name}"] = _origin(f"{path}.params.{name}", origins)
    return told


def is_params(path: str) -> bool:
    """Whether a path is that of all parameters of a term."""
    return path.endswith(".params")


def _origin(path: str, origins: Mapping[str, str]) -> str:
    below = (origin for other, origin in origins.items() if other.startswith(f"{path}."))
    return origins.get(path) or next(below, "")


def _bare(session: Session, task: TaskConfig, names: Sequence[str]) -> Config:
    from mjsdk.plugins import installed

    shared = [(ref.kind, ref.name) for ref in installed()]
    specs = {
        ref: ref.name if shared.count((ref.kind, ref.name)) == 1 and not ref.local else ref.spec for ref in session.refs
    }
    return Config(
        robot=specs[session.robot_ref],
        task=specs[session.task_ref],
        extras=[spec for ref, spec in specs.items() if ref.kind == "extra"],
        preset=",".join(names),
        env=task.env,
        agent=task.agent,
    )


def _preset_of(given: Mapping[str, Any]) -> str | None:
    preset = given.get("preset")
    return preset if isinstance(preset, str) else None


def _own(given: Mapping[str, Any], data: Mapping[str, Any], mistakes: list[Mistake]) -> dict[str, Any]:
    """Settings of a file or flags without those about what is composed, which must agree with what is in `data`."""
    for name in ("robot", "task"):
        if given.get(name) and not _agree(given[name], data[name]):
            message = f"these settings are for {show(given[name])}, not {data[name]}; remove that line to use them here"
            mistakes.append(Mistake(name, message))
    extras = given.get("extras") or []
    for extra in extras if isinstance(extras, list) else [extras]:
        if not any(_agree(extra, loaded) for loaded in data["extras"]):
            mistakes.append(Mistake("extras", f"{show(extra)} is not loaded; a new training needs --with {extra}"))
    return {name: value for name, value in given.items() if name not in _WHOSE}


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
