"""Everything that is known about settings, for `mjsdk explain`."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from mjsdk.config import schema
from mjsdk.config.computed import COMPUTED
from mjsdk.config.fields import Setting, setting_of
from mjsdk.config.presets import MEANINGS, PRESETS
from mjsdk.config.root import Config
from mjsdk.errors import ConfigError, Mistake, closest, listing
from mjsdk.terms import Term, TermRegistry
from mjsdk.terms.docs import summary

ANY = "<name>"
"""Stands for the name of an entry where there is no task to name any."""

DEFAULT = "default"
"""Origin of a value that no layer changed."""


@attrs.frozen
class Entry:
    """One setting, or one computed quantity."""

    path: str
    value: Any
    default: Any
    """`None` too where a value must be given."""
    setting: Setting
    origin: str = DEFAULT

    def as_json(self) -> dict[str, Any]:
        """Everything about it as data that any JSON reader takes."""
        about = self.setting
        return {
            "path": self.path,
            "value": _json(self.value),
            "default": _json(self.default),
            "unit": about.unit,
            "meaning": about.meaning,
            "range": _json(list(about.recommended)) if about.recommended else None,
            "advice": about.advice,
            "origin": self.origin,
            "choices": list(about.choices) or None,
        }


@attrs.frozen
class Section:
    """A group of settings."""

    path: str
    meaning: str
    func: str = ""
    """The term behind it, if there is one."""


Item = Entry | Section


@attrs.frozen
class Found:
    """What a path stands for."""

    path: str
    items: tuple[Item, ...]
    is_leaf: bool = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The settings without the sections."""
        return tuple(item for item in self.items if isinstance(item, Entry))


def catalogue(
    config: Config | None = None, origins: Mapping[str, str] | None = None, terms: TermRegistry | None = None
) -> list[Item]:
    """All sections and settings in order, then what is computed from them. Without a config, the defaults of the classes."""
    walker = _Walker(origins or {}, terms or TermRegistry(), generic=config is None)
    config = config or Config()
    return [*walker.section(Config, config, ""), *computed(config), *preset_numbers()]


def preset_numbers() -> Iterator[Item]:
    """What each preset sets, before the numbers that a task may have of its own."""
    known = {leaf.path: leaf for leaf in schema.leaves(Config())}

    def entries(name: str, base: str, values: Mapping[str, Any]) -> Iterator[Item]:
        for path, value in values.items():
            yield Entry(f"{base}.{path}", value, known[path].default, known[path].setting, f"preset {name}")

    yield Section("presets", "Named sets of settings: --preset NAME, or several joined by commas.")
    for name, values in PRESETS["cpu"].items():
        yield Section(f"presets.{name}", f"For {MEANINGS[name]}.")
        yield from entries(name, f"presets.{name}", values)
        others = {path: value for path, value in PRESETS["warp"][name].items() if values.get(path) != value}
        if others:
            yield Section(f"presets.{name}.warp", "Instead, where --physics is warp.")
            yield from entries(name, f"presets.{name}.warp", others)


def computed(config: Config) -> Iterator[Item]:
    """The computed quantities."""
    yield Section("computed", "What follows from the settings.")
    for quantity in COMPUTED:
        default, origin = quantity.value(Config()), f"computed: {quantity.formula}"
        yield Entry(quantity.path, quantity.value(config), default, quantity.setting, origin)


def related(path: str) -> list[str]:
    """Paths of the computed quantities that depend on a setting, or on any setting right in a section."""
    return [q.path for q in COMPUTED if any(given == path or given.rpartition(".")[0] == path for given in q.inputs)]


@attrs.define
class _Walker:
    origins: Mapping[str, str]
    terms: TermRegistry
    generic: bool

    def section(self, cls: type, instance: Any, path: str) -> Iterator[Item]:
        """Everything in a section; without an instance, with the defaults of its class."""
        term = self._term(cls, instance)
        for name, attribute in schema.fields(cls).items():
            here = f"{path}{name}"
            value = schema.default_of(attribute) if instance is None else getattr(instance, name)
            if name == "params" and term is not None:
                for leaf in schema.parameter_leaves(term, value, here):
                    about = leaf.setting
                    if typing.get_origin(leaf.annotation) is typing.Literal:
                        about = attrs.evolve(about, choices=tuple(map(str, typing.get_args(leaf.annotation))))
                    yield self._entry(leaf.path, leaf.value, leaf.default, about)
            else:
                yield from self._value(attribute, value, here)

    def _value(self, attribute: Any, value: Any, path: str) -> Iterator[Item]:
        section, item = schema.section_class(attribute.type), schema.item_class(attribute.type)
        about = setting_of(attribute)
        if item:
            yield Section(path, about.meaning)
            yield from self._entries(item, value, path)
        elif section and (value is not None or self.generic):
            yield Section(path, about.meaning)
            given = value if attrs.has(type(value)) else None
            yield from self.section(type(given) if given is not None else section, given, f"{path}.")
        else:
            yield self._entry(path, value, schema.default_of(attribute), about)

    def _entries(self, item: type, entries: Mapping[str, Any], path: str) -> Iterator[Item]:
        if self.generic and not entries:
            yield Section(f"{path}.{ANY}", _first_line(item))
            yield from self.section(item, None, f"{path}.{ANY}.")
        for name, entry in entries.items():
            term = self._term(type(entry), entry)
            meaning = summary(term) if term is not None else _first_line(type(entry))
            yield Section(f"{path}.{name}", meaning, getattr(entry, "func", ""))
            yield from self.section(type(entry), entry, f"{path}.{name}.")

    def _term(self, cls: type, instance: Any) -> Term | None:
        kind, func = schema.kind_of(cls), getattr(instance, "func", None)
        return self.terms.get(kind, func) if kind and func in self.terms.names(kind) else None

    def _entry(self, path: str, value: Any, default: Any, about: Setting) -> Entry:
        value, default = (None if part is attrs.NOTHING else part for part in (value, default))
        return Entry(path, value, default, about, self.origins.get(path, DEFAULT))


def find(items: Sequence[Item], path: str, *, composed: bool) -> Found:
    """What a path or the end of a path stands for: one setting, a section, or every setting that ends so.

    Raises `ConfigError` with the nearest names.
    """
    words = path.replace("-", "_").split()
    path = "_".join(words).strip(".")
    if not path:
        return Found("", tuple(items))
    if exact := _at(items, path):
        return exact
    ending = [item for item in items if f".{item.path}".endswith(f".{path}") and not item.path.startswith("presets.")]
    if len(ending) == 1:
        return _at(items, ending[0].path) or Found(path, tuple(ending))
    own = [item for item in items if isinstance(item, Entry) and not item.path.startswith("presets.")]
    found = ending or [item for item in own if all(word in item.path for word in words)]
    if found:
        return Found(path, tuple(found))
    more = "Settings of a task's terms are shown with --robot NAME --task NAME; `mjsdk list` shows the names."
    raise ConfigError([Mistake(path, _unknown(items, path))], "" if composed else more)


def _at(items: Sequence[Item], path: str) -> Found | None:
    """What is at a path, and below it; `<name>` stands for any name."""
    given = path.split(".")
    known = [(item, item.path.split(".")[: len(given)]) for item in items]
    found = [
        item
        for item, keys in known
        if len(keys) == len(given) and all(one in (other, ANY) for one, other in zip(keys, given, strict=True))
    ]
    if found and isinstance(found[0], Entry) and found[0].path.count(".") < len(given):
        return Found(found[0].path, (found[0],), is_leaf=True)
    return Found(path, tuple(found)) if found else None


def _unknown(items: Sequence[Item], path: str) -> str:
    known = [item.path for item in items if not item.path.startswith("presets.")]
    last = path.rpartition(".")[2]
    ends = {other.rpartition(".")[2]: other for other in known}
    near = closest(path, known) or closest(last, ends)
    end = near.removeprefix(", did you mean '").removesuffix("'?")
    hint = f", did you mean '{ends[end]}'?" if end in ends else near
    sections = dict.fromkeys(other.partition(".")[0] for other in known)
    return f"no such setting{hint or '.'} Sections: {listing(sections)}"


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n")[0]


def _json(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
