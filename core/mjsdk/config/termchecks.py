"""Whether terms exist, take the parameters they are given, and find their parts in the model."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mjsdk.config import schema
from mjsdk.config.convert import make_converter, mistakes_of
from mjsdk.config.env import EnvConfig, SensorConfig, TermConfig
from mjsdk.config.root import Config
from mjsdk.errors import MissingRole, Mistake, SelectionError, closest, listing
from mjsdk.robot import Roles
from mjsdk.robot.selection import ModelNames, PerJoint, Selection, resolve, select
from mjsdk.terms import Parameter, Term, TermRegistry, parameters
from mjsdk.terms.docs import outdated

_SIMPLE = (int, float, bool, str, type(None), Any)


def check_terms(
    env: EnvConfig, terms: TermRegistry, names: ModelNames | None, roles: Roles | None
) -> Iterator[Mistake]:
    """Everything that is wrong with terms and sensors."""
    for path, entry in schema.entries(env, "env."):
        kind = schema.kind_of(type(entry))
        legal = terms.names(kind) if kind else ()
        if kind and entry.func not in legal:
            hint = f"{closest(entry.func, legal) or '.'} Legal: {listing(sorted(legal))}"
            yield Mistake(f"{path}.func", f"no {kind} term '{entry.func}'{hint}")
        elif kind and isinstance(entry, TermConfig):
            yield from resolve_parameters(path, entry.func, terms.get(kind, entry.func), entry.params, names, roles)[1]
        elif names is not None and roles is not None:
            yield from _check_parts(path, entry, names, roles)


def resolve_parameters(
    path: str,
    func: str,
    term: Term,
    given: Mapping[str, Any],
    names: ModelNames | None,
    roles: Roles | None,
) -> tuple[dict[str, Any], list[Mistake]]:
    """What a term is called with for the parameters that are `given`, and everything that is wrong with these.

    Patterns and roles become parts of the model with these `names`, by annotation; without, they stay as they are.
    `path` of the entry and `func`, the term's name, are for the mistakes.
    """
    legal, values, mistakes = parameters(term), dict[str, Any](), list[Mistake]()
    for name in given:
        if name not in legal:
            takes = f"Legal: {listing(legal)}" if legal else "It takes none."
            message = f"'{func}' takes no parameter '{name}'{closest(name, legal) or '.'} {takes}"
            mistakes.append(Mistake(f"{path}.params.{name}", message))
    for name, parameter in legal.items():
        here = f"{path}.params.{name}"
        if parameter.required and name not in given:
            mistakes.append(Mistake(here, f"must be given: '{func}' needs it"))
            continue
        values[name] = value = given.get(name, parameter.default)
        wrong = list(_wrong_type(here, value, parameter))
        if not wrong and names is not None and roles is not None:
            try:
                values[name] = resolve(parameter.annotation, value, names, roles)
            except (SelectionError, MissingRole) as error:
                wrong = [Mistake(here, str(error))]
        mistakes += wrong
    return values, mistakes


def _wrong_type(path: str, value: Any, parameter: Parameter) -> Iterator[Mistake]:
    annotation = written_as(parameter.annotation)
    if annotation is None or value is parameter.default:
        return
    try:
        make_converter().structure(value, annotation)
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


def _check_parts(path: str, entry: Any, names: ModelNames, roles: Roles) -> Iterator[Mistake]:
    """Sensors must be on something; the settings of actions and commands may check themselves by a method `mistakes`."""
    if isinstance(entry, SensorConfig):
        try:
            select(entry.parts, entry.on, names, roles)
        except (SelectionError, MissingRole) as error:
            yield Mistake(f"{path}.on", str(error))
    elif callable(getattr(entry, "mistakes", None)):
        for below, message in entry.mistakes(names, roles):
            yield Mistake(f"{path}.{below}" if below else path, message)


def check_references(env: EnvConfig, terms: TermRegistry, leaves: Iterable[schema.Leaf]) -> Iterator[Mistake]:
    """What settings name by their annotations must be there; a default that is empty names nothing."""
    legal = {
        "command": list(env.commands),
        "action": list(env.actions),
        "sensor": list(env.scene.sensors),
        "setting": changeable(env, terms),
    }
    for leaf in leaves:
        if not leaf.names or leaf.value == leaf.default == "":
            continue
        there = legal[leaf.names]
        for given in schema.scalars(leaf.value):
            if isinstance(given, str) and given not in there:
                names = "It is a path below env." if leaf.names == "setting" else f"Legal: {listing(there)}"
                yield Mistake(leaf.path, f"there is no {leaf.names} '{given}'{closest(given, there) or '.'} {names}")


def outdated_docs(env: EnvConfig, terms: TermRegistry) -> list[str]:
    """One warning per term whose docstring gives ranges under the names that they had before."""
    changes = {entry.func: outdated(term) for _, entry, term in schema.function_terms(env, terms)}
    return [f"the docstring of term {func} is not understood: {change}" for func, change in changes.items() if change]


def changed_by_curriculum(env: EnvConfig, terms: TermRegistry) -> dict[str, set[str]]:
    """Paths below `env` of the settings that each term of the curriculum changes, by its name."""
    changed: dict[str, set[str]] = {name: set() for name in env.curriculum}
    for leaf in schema.every_leaf(Config(env=EnvConfig(curriculum=env.curriculum)), terms):
        if leaf.names == "setting":
            changed[leaf.path.split(".")[2]].update(
                part for part in schema.scalars(leaf.value) if isinstance(part, str)
            )
    return changed


_READ_EVERY_STEP = ("rewards.", "terminations.", "metrics.")
"""Sections whose function terms read their parameters at every step."""


def changeable(env: EnvConfig, terms: TermRegistry) -> list[str]:
    """Paths below `env` of everything that may change during training: see `mjsdk.env.changes`."""
    paths = [
        leaf.path
        for leaf in schema.leaves(EnvConfig(commands=env.commands))
        if leaf.path.startswith("commands.") and not leaf.names and not leaf.path.endswith(".func")
    ]
    paths += [f"rewards.{name}.weight" for name in env.rewards]
    for path, _, term in schema.function_terms(env, terms):
        below = path.removeprefix("env.")
        if below.startswith(_READ_EVERY_STEP) and not inspect.isclass(term):
            paths += [f"{below}.params.{name}" for name in parameters(term)]
    return paths
