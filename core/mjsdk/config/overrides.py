"""Settings given by people: dotted flags, files and presets, merged into plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import yaml

from mjsdk.config import schema, yamlio
from mjsdk.config.convert import no_such, show
from mjsdk.config.root import Config
from mjsdk.errors import Mistake, SelectionError, closest, listing, refuse
from mjsdk.terms import TermRegistry

Override = tuple[str, Any]
"""A dotted path and its value."""

_NEGATIVE = re.compile(r"-(\d|\.\d|\.?inf)")


class TypedInt(int):
    """A whole number from the command line, and what was typed."""

    text: str


class TypedFloat(float):
    """A number from the command line, and what was typed."""

    text: str


def parse_flags(args: Sequence[str]) -> list[Override]:
    """Dotted flags as (path, value): `--a.b-c 1`, `--a.b=c`, `--a.on`; values are YAML, or numbers joined by commas.

    Dashes in names mean underscores. A flag without a value means true. Raises `ConfigError`.
    """
    overrides: list[Override] = []
    mistakes: list[Mistake] = []
    rest = list(args)
    while rest:
        token = rest.pop(0)
        if not token.startswith("--") or token == "--":
            mistakes.append(Mistake(token, "is not a setting; settings are given as `--path.to.setting value`"))
            continue
        name, equals, text = token[2:].partition("=")
        if not equals and rest and (not rest[0].startswith("-") or rest[0] == "-" or _NEGATIVE.match(rest[0])):
            text, equals = rest.pop(0), "="
        if name.count(".") > yamlio.DEEPEST // 2:
            mistakes.append(Mistake(token, "has more parts than any setting's path"))
        overrides.append((name.replace("-", "_"), parse_value(text) if equals else True))
    refuse(mistakes)
    return overrides


def parse_value(text: str) -> Any:
    """The value that `text` on the command line stands for; text that is not YAML is plain text."""
    try:
        value = yamlio.load(text) if text.strip() else text
    except yaml.YAMLError:
        return text
    if type(value) in (int, float):
        typed = (TypedInt if type(value) is int else TypedFloat)(value)
        typed.text = text
        return typed
    if isinstance(value, str) and "," in value:
        numbers = [_number(part) for part in value.split(",")]
        return value if None in numbers else numbers
    return value


def _number(text: str) -> int | float | None:
    try:
        value = yamlio.load(text.strip())
    except yaml.YAMLError:
        return None
    return value if type(value) in (int, float) else None


def repeated(overrides: Iterable[Override]) -> list[str]:
    """A warning for each setting that is given twice with different values."""
    last: dict[str, Any] = {}
    warnings = []
    for path, value in ((path, plain_number(value)) for path, value in overrides):
        if path in last and last[path] != value:
            warnings.append(f"{path} is given more than once: {show(value)} counts, not {show(last[path])}")
        last[path] = value
    return warnings


def tree(overrides: Iterable[Override]) -> dict[str, Any]:
    """Overrides as nested data; of two values for one setting the last wins."""
    root: dict[str, Any] = {}
    for path, value in overrides:
        *parents, leaf = path.split(".")
        node = root
        for parent in parents:
            if not isinstance(node.get(parent), dict):
                node[parent] = {}
            node = node[parent]
        node[leaf] = value
    return root


def merge(data: dict[str, Any], given: Mapping[str, Any], terms: TermRegistry, *, typed: bool = False) -> Merger:
    """Merge nested settings into complete plain data, in place.

    Sections and entries of managers merge by key, and so do parameters of terms; any other value replaces what was there.
    `null` for an entry removes it. A new `func` starts without the parameters of the old one. `typed` values come from a
    command line: they are fitted to what the setting takes.
    """
    merger = Merger(terms, typed)
    merger.section(Config, data, given, "")
    return merger


@attrs.define
class Merger:
    """Merges given settings into plain data, and what came of it."""

    terms: TermRegistry
    typed: bool
    paths: list[str] = attrs.field(factory=list)
    """Settings that were given."""
    removed: list[str] = attrs.field(factory=list)
    """Entries that were taken away."""
    mistakes: list[Mistake] = attrs.field(factory=list)

    def section(self, cls: type, data: dict[str, Any], given: Mapping[str, Any], path: str) -> None:
        """Merge into a section of that class."""
        legal = schema.fields(cls)
        for name, value in given.items():
            if name in legal:
                self.value(legal[name].type, data, name, value, f"{path}{name}")
            else:
                self.mistake(f"{path}{name}", no_such(cls, data, str(name), self.terms))

    def value(self, annotation: Any, holder: dict[str, Any], name: str, value: Any, path: str) -> None:
        """Merge one given value, which may itself be a section or a map of entries."""
        section, item = schema.section_class(annotation), schema.item_class(annotation)
        if section and isinstance(value, Mapping):
            if not isinstance(holder.get(name), dict):
                holder[name] = {}
            self.section(section, holder[name], value, f"{path}.")
        elif item and isinstance(value, Mapping):
            self.entries(item, holder.setdefault(name, {}), value, f"{path}.")
        elif name == "params" and isinstance(value, Mapping):
            holder.setdefault("params", {}).update({key: plain_number(parameter) for key, parameter in value.items()})
            self.paths += [f"{path}.{key}" for key in value]
        elif self.typed and value is True and not {bool, Any}.intersection(schema.union_arms(annotation)):
            self.paths.append(path)
            self.mistake(path, f"takes {schema.describe(annotation)}; its value is missing (a flag alone means true)")
        else:
            holder[name] = fitted(value, annotation) if self.typed else value
            self.paths.append(path)

    def entries(self, item: type, data: dict[str, Any], given: Mapping[str, Any], path: str) -> None:
        """Merge entries of a manager; those that are given as null go."""
        kind = schema.kind_of(item)
        for name, value in given.items():
            here, hint = f"{path}{name}", closest(name, data) or "."
            if value is None and name in data:
                del data[name]
                self.removed.append(here)
            elif value is None:
                self.mistake(here, f"there is nothing of that name to remove{hint} There are: {listing(data)}")
            elif not isinstance(value, Mapping):
                self.mistake(here, f"takes {schema.describe(item)}, or null to remove it")
            elif name in data or kind is None or "func" in value:
                self.entry(item, data.setdefault(name, {}), value, f"{here}.")
            else:
                new = f"To add a term of that name, give its func. Terms: {listing(data)}"
                self.mistake(here, f"no {kind} term '{name}'{hint} {new}")

    def entry(self, item: type, data: dict[str, Any], given: Mapping[str, Any], path: str) -> None:
        """Merge one entry, which a new `func` starts afresh."""
        changes_func = "func" in given and "func" in data and given["func"] != data["func"]
        try:
            cls = schema.entry_class(item, {**data, **given}, self.terms)
        except SelectionError as error:
            self.mistake(f"{path}func", str(error))
            return
        if changes_func:
            for name in [name for name in data if name not in schema.fields(cls)]:
                del data[name]
            if "params" in data:
                data["params"] = {}
        self.section(cls, data, given, path)

    def mistake(self, path: str, message: str) -> None:
        """Note a mistake and continue."""
        self.mistakes.append(Mistake(path, message))


def plain_number(value: Any) -> Any:
    """A value without the memory of how it was typed."""
    if isinstance(value, TypedInt):
        return int(value)
    return float(value) if isinstance(value, TypedFloat) else value


def fitted(value: Any, annotation: Any) -> Any:
    """A value from the command line as the setting takes it: `12` for text is text, one number for a list is a list."""
    arms = schema.union_arms(annotation)
    if str in arms:
        return getattr(value, "text", ",".join(map(str, value)) if isinstance(value, list) else value)
    if isinstance(value, str) and value.lower() == "none" and type(None) in arms:
        return None
    value = plain_number(value)
    takes_one = not any(map(schema.is_list, arms)) or bool({int, float, bool} & set(arms))
    if takes_one or value is None or value is True or isinstance(value, (list, dict)):
        return value
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else [value]
