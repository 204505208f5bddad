"""Terms by name, and what their signatures say about them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from mjsdk.errors import SelectionError, closest, listing
from mjsdk.terms.references import named_by, without_reference

CONFIG_SECTIONS = {
    "observation": "observations",
    "reward": "rewards",
    "termination": "terminations",
    "event": "events",
    "command": "commands",
    "action": "actions",
    "curriculum": "curriculum",
    "metric": "metrics",
}
"""Section of `EnvConfig` for each kind."""

KINDS = tuple(CONFIG_SECTIONS)
"""Kinds of terms; the hook of each is `mjsdk_<kind>_terms`."""

Term = Callable[..., Any]
"""A function `term(env, **params)`, or a class made as `Term(env, **params)` and called as `term(env)`."""

_GIVEN = ("env", "worlds", "config", "self", "name")
_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@attrs.frozen
class Parameter:
    """One parameter that a term takes."""

    name: str
    annotation: Any
    default: Any
    """`inspect.Parameter.empty` where a value must be given."""
    names: str = ""
    """The kind of what its text names, by an annotation such as `SensorName`."""

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is inspect.Parameter.empty


def parameters(term: Term) -> dict[str, Parameter]:
    """The parameters of `term` that settings may give, by name."""
    return {
        name: _parameter(name, _evaluated(term, parameter.annotation), parameter.default)
        for name, parameter in inspect.signature(term).parameters.items()
        if name not in _GIVEN and parameter.kind not in _ANY
    }


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, without_reference(annotation), default, named_by(annotation))


def _evaluated(term: Term, annotation: Any) -> Any:
    """The type behind an annotation that is text; the text itself if the name is not there at run time."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, vars(sys.modules[term.__module__]))
    except Exception:  # the annotation is code of a plugin, and may fail as it likes
        return annotation


class TermRegistry:
    """The terms that a session offers. Core terms have bare names, a plugin's own are `plugin:name`."""

    def __init__(self) -> None:
        self._terms: dict[str, dict[str, Term]] = {kind: {} for kind in KINDS}
        self._packages: dict[tuple[str, str], str] = {}

    def add(self, kind: str, terms: Mapping[str, Term], plugin: str = "", package: str = "") -> None:
        """Add a plugin's terms under its name, or the core's under none."""
        prefix = f"{plugin}:" if plugin else ""
        if plugin:
            self._packages |= {(kind, f"{prefix}{name}"): package for name in terms}
        self._terms[kind].update({f"{prefix}{name}": term for name, term in terms.items()})

    def names(self, kind: str) -> tuple[str, ...]:
        """Legal values of `func` for terms of that kind."""
        return tuple(self._terms[kind])

    def label(self, kind: str, name: str) -> str:
        """For error messages: the name of a term, with the package of the plugin that offers it."""
        package = self._packages.get((kind, name))
        return f"{name} ({package})" if package else name

    def get(self, kind: str, name: str) -> Term:
        """The term of that name. Raises `SelectionError` with the nearest and all legal names."""
        terms = self._terms[kind]
        if name not in terms:
            raise SelectionError(
                f"no {kind} term '{name}'{closest(name, terms) or '.'} Legal: {listing(sorted(terms))}"
            )
        return terms[name]
