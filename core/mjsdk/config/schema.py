"""The shape of the settings: which parts are sections, entries of a manager, or plain values."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from mjsdk.config import env as envs
from mjsdk.config.fields import Setting, setting_of
from mjsdk.config.root import Config
from mjsdk.errors import SelectionError, listing
from mjsdk.terms import Term, TermRegistry, parameters
from mjsdk.terms.docs import parameter_settings
from mjsdk.terms.references import named_by

KIND_OF: dict[type, str] = {
    envs.ObservationTermConfig: "observation",
    envs.RewardTermConfig: "reward",
    envs.TerminationTermConfig: "termination",
    envs.EventTermConfig: "event",
    envs.CommandTermConfig: "command",
    envs.ActionTermConfig: "action",
    envs.CurriculumTermConfig: "curriculum",
    envs.MetricTermConfig: "metric",
}
"""Kind of term that an entry of a manager is, by its base class."""

OPEN = (envs.CommandTermConfig, envs.ActionTermConfig)
"""Classes whose settings depend on the term that `func` names."""


@attrs.frozen
class Leaf:
    """One setting that holds a value rather than further settings."""

    path: str
    value: Any
    setting: Setting
    annotation: Any
    default: Any
    """Value without any layer; `attrs.NOTHING` where one must be given."""
    names: str
    """The kind of what its text names, such as `command`, by annotation."""
    given: bool = True
    """False for a parameter of a term that stays at its default."""


@functools.cache
def fields(cls: Any) -> dict[str, attrs.Attribute[Any]]:
    """Settings of a class by name, in order, with their types resolved."""
    attrs.resolve_types(cls, include_extras=False)
    return {attribute.name: attribute for attribute in attrs.fields(cls)}


@functools.cache
def _names(cls: Any) -> dict[str, str]:
    """The kind of what the text of each setting names, by the annotations of a class."""
    return {name: named_by(hint) for name, hint in typing.get_type_hints(cls, include_extras=True).items()}


def default_of(attribute: attrs.Attribute[Any]) -> Any:
    """The default value of a setting, or `attrs.NOTHING`."""
    default: Any = attribute.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def section_class(annotation: Any) -> type | None:
    """The attrs class behind `X` or `X | None`, if it is one."""
    arms = union_arms(annotation)
    return next((arm for arm in arms if isinstance(arm, type) and attrs.has(arm)), None)


def item_class(annotation: Any) -> type | None:
    """The attrs class `X` behind `dict[str, X]`, if it is one."""
    if typing.get_origin(annotation) is not dict:
        return None
    item = typing.get_args(annotation)[1]
    return item if isinstance(item, type) and attrs.has(item) else None


def union_arms(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, or the type itself."""
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else (annotation,)


def is_list(annotation: Any) -> bool:
    """Whether a type is a list of any length."""
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Sequence) and not issubclass(origin, tuple)


def is_map(annotation: Any) -> bool:
    """Whether a type is a map."""
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def kind_of(cls: type) -> str | None:
    """Kind of term that a class configures, if it does."""
    return next((kind for base, kind in KIND_OF.items() if issubclass(cls, base)), None)


def entry_class(base: type, data: Mapping[str, Any], terms: TermRegistry) -> type:
    """The class of one entry: for commands and actions the one that belongs to its `func`. Raises `SelectionError`."""
    func = data.get("func")
    if base not in OPEN or not isinstance(func, str):
        return base
    term = terms.get(KIND_OF[base], func)
    cls = getattr(term, "Config", None)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise SelectionError(f"the term '{func}' has no class attribute `Config` derived from {base.__name__}")
    return cls


def leaves(section: Any, path: str = "") -> Iterator[Leaf]:
    """All settings below an attrs instance, in order; `params` of terms are one leaf each."""
    cls: Any = type(section)
    for name, attribute in fields(cls).items():
        value, here = getattr(section, name), f"{path}{name}"
        if attrs.has(type(value)):
            yield from leaves(value, f"{here}.")
        elif item_class(attribute.type):
            for key, entry in value.items():
                yield from leaves(entry, f"{here}.{key}.")
        else:
            yield Leaf(here, value, setting_of(attribute), attribute.type, default_of(attribute), _names(cls)[name])


def every_leaf(config: Config, terms: TermRegistry) -> Iterator[Leaf]:
    """All settings that hold a value, with the parameters of terms, whether given or not."""
    yield from (leaf for leaf in leaves(config) if not leaf.path.endswith(".params"))
    for path, entry, term in function_terms(config.env, terms):
        yield from parameter_leaves(term, entry.params, f"{path}.params")


def function_terms(env: envs.EnvConfig, terms: TermRegistry) -> Iterator[tuple[str, envs.TermConfig, Term]]:
    """Entries with parameters whose term exists, as (path, entry, term)."""
    for path, entry in entries(env, "env."):
        kind = kind_of(type(entry))
        if kind and isinstance(entry, envs.TermConfig) and entry.func in terms.names(kind):
            yield path, entry, terms.get(kind, entry.func)


def parameter_leaves(term: Term, given: Mapping[str, Any], path: str) -> Iterator[Leaf]:
    """The parameters that a term takes, with what is `given` for them."""
    known = parameter_settings(term)
    for name, parameter in parameters(term).items():
        default = attrs.NOTHING if parameter.required else parameter.default
        value, setting = given.get(name, default), known.get(name, Setting(""))
        yield Leaf(f"{path}.{name}", value, setting, parameter.annotation, default, parameter.names, name in given)


def put(section: Any, path: str, value: Any) -> None:
    """Give the setting at a dotted path below an attrs instance a value."""
    *parents, name = path.split(".")
    for parent in parents:
        section = getattr(section, parent)
    setattr(section, name, value)


def entries(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All entries of managers below an attrs instance as (path, entry): terms, observation groups, sensors."""
    for name, attribute in fields(config.__class__).items():
        value, here = getattr(config, name), f"{path}{name}"
        if item_class(attribute.type):
            for key, entry in value.items():
                yield f"{here}.{key}", entry
                yield from entries(entry, f"{here}.{key}.")
        elif attrs.has(type(value)):
            yield from entries(value, f"{here}.")


_OPEN = object()
"""Type of what only the class of a command or action describes: maps in it are sections."""


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain settings as values by dotted path; maps that are one value stay whole, parameters of terms do not."""
    return dict(_flat(data, Config, ""))


def _flat(value: Any, annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = _below(annotation) if isinstance(value, Mapping) else None
    if below is None:
        yield path, value
        return
    for key, part in value.items():
        yield from _flat(part, below(key), f"{path}.{key}" if path else key)


def _below(annotation: Any) -> Callable[[str], Any] | None:
    """The types of what a map of that type holds, by key; none if the map is one value."""
    section, item = section_class(annotation), item_class(annotation)
    if section:
        legal = fields(section)
        return lambda key: legal[key].type if key in legal else _OPEN
    if item or annotation is _OPEN:
        return lambda _: item or _OPEN
    return (lambda _: Any) if annotation == dict[str, Any] else None


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal; 1 and true are not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def scalars(value: Any) -> Iterator[Any]:
    """A value itself, or all that its lists and maps hold."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from scalars(item)
    else:
        yield value


def numbers(value: Any) -> Iterator[float]:
    """All numbers in a value: itself, its elements, or the values of a map."""
    return (item for item in scalars(value) if isinstance(item, (int, float)) and not isinstance(item, bool))


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
    Any: "anything",
}
_PLURALS = {int: "whole numbers", float: "numbers", bool: "switches", str: "texts"}


def describe(annotation: Any) -> str:
    """What a type takes, in words: `a list of numbers`."""
    arms = union_arms(annotation)
    if len(arms) > 1:
        return " or ".join(describe(arm) for arm in arms)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return f"one of {listing(str(choice) for choice in arguments)}"
    if origin is tuple and Ellipsis not in arguments:
        return f"a list of {len(arguments)} {_PLURALS.get(arguments[0], 'values')}"
    if is_map(annotation):
        return f"a map to {_PLURALS.get(arguments[1], 'values')}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"a list of {_PLURALS.get(arguments[0], 'values')}"
    if isinstance(annotation, type) and attrs.has(annotation):
        return f"a section with {listing(fields(annotation))}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))
