"""Whether terms exist, take the parameters they are given, and find their parts in the model."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mjsdk.config import schema
from mjsdk.config.convert import make_converter, mistakes_of
from mjsdk.config.env import EnvConfig, SensorConfig, TermConfig
from mjsdk.config.fields import Setting
from mjsdk.errors import MissingRole, Mistake, SelectionError, closest, listing
from mjsdk.robot import Roles
from mjsdk.robot.selection import ModelNames, PerJoint, Selection, resolve
from mjsdk.terms import Parameter, Term, TermRegistry, parameters
from mjsdk.terms.docs import parameter_settings

_SIMPLE = (int, float, bool, str, type(None), Any)


def given_parameters(env: EnvConfig, terms: TermRegistry) -> Iterator[tuple[str, Parameter, Any, Setting]]:
    """Parameters that settings give to terms, as (path of the term, parameter, value, what is known about it)."""
    for path, entry, term in function_terms(env, terms):
        known, legal = parameter_settings(term), parameters(term)
        for name in (name for name in entry.params if name in legal):
            yield path, legal[name], entry.params[name], known.get(name, Setting(""))


def check_terms(
    env: EnvConfig, terms: TermRegistry, names: ModelNames | None, roles: Roles | None
) -> Iterator[Mistake]:
    """Everything that is wrong with terms and sensors."""
    structure = make_converter(terms).structure
    yield from _check_references(env, terms)
    for path, entry in schema.entries(env, "env."):
        kind = schema.kind_of(type(entry))
        if kind and isinstance(entry, TermConfig):
            yield from _check_term(path, entry, kind, terms, structure, names, roles)
        elif kind and entry.func not in terms.names(kind):
            yield _unknown(path, entry.func, kind, terms)
        elif names is not None and roles is not None:
            yield from _check_parts(path, entry, names, roles)


def function_terms(env: EnvConfig, terms: TermRegistry) -> Iterator[tuple[str, TermConfig, Term]]:
    """Entries with parameters whose term exists, as (path, entry, term)."""
    for path, entry in schema.entries(env, "env."):
        kind = schema.kind_of(type(entry))
        if kind and isinstance(entry, TermConfig) and entry.func in terms.names(kind):
            yield path, entry, terms.get(kind, entry.func)


def _unknown(path: str, func: str, kind: str, terms: TermRegistry) -> Mistake:
    legal = terms.names(kind)
    return Mistake(
        f"{path}.func", f"no {kind} term '{func}'{closest(func, legal) or '.'} Legal: {listing(sorted(legal))}"
    )


def _check_term(
    path: str,
    entry: TermConfig,
    kind: str,
    terms: TermRegistry,
    structure: Callable[[Any, Any], Any],
    names: ModelNames | None,
    roles: Roles | None,
) -> Iterator[Mistake]:
    if entry.func not in terms.names(kind):
        yield _unknown(path, entry.func, kind, terms)
        return
    legal = parameters(terms.get(kind, entry.func))
    for name in entry.params:
        if name not in legal:
            takes = f"Legal: {listing(legal)}" if legal else "It takes none."
            yield Mistake(
                f"{path}.params.{name}",
                f"'{entry.func}' takes no parameter '{name}'{closest(name, legal) or '.'} {takes}",
            )
    for name, parameter in legal.items():
        yield from _check_parameter(f"{path}.params.{name}", entry, parameter, structure, names, roles)


def _check_parameter(
    path: str,
    entry: TermConfig,
    parameter: Parameter,
    structure: Callable[[Any, Any], Any],
    names: ModelNames | None,
    roles: Roles | None,
) -> Iterator[Mistake]:
    if parameter.name not in entry.params and parameter.required:
        yield Mistake(path, f"must be given: '{entry.func}' needs it")
        return
    value = entry.params.get(parameter.name, parameter.default)
    wrong = list(_wrong_type(path, value, parameter, structure))
    yield from wrong
    if not wrong and names is not None and roles is not None:
        yield from _unresolved(path, value, parameter.annotation, names, roles)


def _wrong_type(path: str, value: Any, parameter: Parameter, structure: Callable[[Any, Any], Any]) -> Iterator[Mistake]:
    annotation = written_as(parameter.annotation)
    if annotation is None or value is parameter.default:
        return
    try:
        structure(value, annotation)
    except Exception as error:  # cattrs raises groups of anything that its hooks raise
        yield from mistakes_of(error, path)


def written_as(annotation: Any) -> Any:
    """The type that a setting for a parameter of that annotation has, or None if anything may be right."""
    if isinstance(annotation, type) and issubclass(annotation, Selection):
        return str | list[str]
    if annotation is PerJoint:
        return float | dict[str, float]
    return annotation if _is_simple(annotation) else None


def _is_simple(annotation: Any) -> bool:
    """Whether plain data can be held against a type: scalars, and lists, maps and unions of them."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return False
    if annotation in _SIMPLE or typing.get_origin(annotation) is typing.Literal:
        return True
    arms, arguments = schema.union_arms(annotation), typing.get_args(annotation)
    if len(arms) > 1:
        return all(_is_simple(arm) for arm in arms)
    container = typing.get_origin(annotation)
    is_container = isinstance(container, type) and issubclass(container, (Sequence, Mapping))
    return is_container and all(part is Ellipsis or _is_simple(part) for part in arguments)


def _unresolved(path: str, value: Any, annotation: Any, names: ModelNames, roles: Roles) -> Iterator[Mistake]:
    try:
        resolve(annotation, value, names, roles)
    except (SelectionError, MissingRole) as error:
        yield Mistake(path, str(error))


def _check_parts(path: str, entry: Any, names: ModelNames, roles: Roles) -> Iterator[Mistake]:
    """Sensors must be on something; the settings of actions and commands may check themselves by a method `mistakes`."""
    if isinstance(entry, SensorConfig):
        from mjsdk.scene.sensors import sensor_parts

        yield from _unresolved(f"{path}.on", entry.on, sensor_parts(entry), names, roles)
    elif callable(getattr(entry, "mistakes", None)):
        for below, message in entry.mistakes(names, roles):
            yield Mistake(f"{path}.{below}" if below else path, message)


def _check_references(env: EnvConfig, terms: TermRegistry) -> Iterator[Mistake]:
    """What settings and parameters name by annotation must be there; a default that is empty names nothing."""
    legal = {
        "command": list(env.commands),
        "action": list(env.actions),
        "sensor": list(env.scene.sensors),
        "setting": _settings(env, terms),
    }
    for path, given, kind in _references(env, terms):
        if given not in legal[kind]:
            hint = closest(given, legal[kind]) or "."
            names = f" Legal: {listing(legal[kind])}" if kind != "setting" else " It is a path below env."
            yield Mistake(path, f"there is no {kind} '{given}'{hint}{names}")


def _references(env: EnvConfig, terms: TermRegistry) -> Iterator[tuple[str, str, str]]:
    """All texts that name something, as (path, text, kind of what they name)."""
    named = [(leaf.path, leaf.value, leaf.default, leaf.names) for leaf in schema.leaves(env, "env.")]
    for path, entry, term in function_terms(env, terms):
        named += [
            (f"{path}.params.{name}", entry.params.get(name, parameter.default), parameter.default, parameter.names)
            for name, parameter in parameters(term).items()
        ]
    for path, value, default, kind in named:
        if kind and not value == default == "":
            yield from ((path, text, kind) for text in schema.scalars(value) if isinstance(text, str))


_READ_EVERY_STEP = ("rewards.", "terminations.", "metrics.")
"""Sections whose function terms read their parameters at every step."""


def _settings(env: EnvConfig, terms: TermRegistry) -> list[str]:
    """Paths below `env` of everything that may change while training goes on: see `mjsdk.env.changes`."""
    paths = [leaf.path for leaf in schema.leaves(env) if leaf.path.startswith("commands.")]
    paths += [f"rewards.{name}.weight" for name in env.rewards]
    for path, _, term in function_terms(env, terms):
        below = path.removeprefix("env.")
        if below.startswith(_READ_EVERY_STEP) and not inspect.isclass(term):
            paths += [f"{below}.params.{name}" for name in parameters(term)]
    return paths
