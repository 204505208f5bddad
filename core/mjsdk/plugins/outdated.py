"""Terms in the form of older guides, which took no `worlds`: found by their signatures, before any is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mjsdk.errors import shortened

_BODIES = {
    "reset": "worlds.fill(self.memory, 0.0)",
    "resample": "worlds.write(self.command, worlds.uniform(low, high, width))",
    "fix": "worlds.write(self.command, values)",
}
"""Methods of terms that take worlds, and how they use them; all others are events."""
_CALLED_WITH_WORLDS = ("event", "curriculum")
_EVENT = "worlds.write(target, worlds.uniform(low, high, width))"


def outdated(terms: Mapping[str, Mapping[str, Any]]) -> str:
    """What a plugin must change in its terms, by kind and name; nothing if they all have the new form."""
    found = [
        _new_form(kind, name, function)
        for kind, named in terms.items()
        for name, term in named.items()
        for function in _taking_worlds(kind, term)
        if _is_old(function, kind)
    ]
    if not found:
        return ""
    return "\n".join(
        [
            "has terms of an older form; they must take `worlds`, where they took `ids` or nothing:",
            *found,
            "`worlds` is a mjsdk.env.Worlds: one row per world concerned is drawn, written and read by its methods.",
        ]
    )


def _taking_worlds(kind: str, term: Any) -> Iterator[Callable[..., Any]]:
    """The functions of a term that are given worlds."""
    if not inspect.isclass(term):
        yield from [term] if kind in _CALLED_WITH_WORLDS else []
        return
    for name in (*(["__call__"] if kind in _CALLED_WITH_WORLDS else []), *_BODIES):
        method = getattr(term, name, None)
        if inspect.isroutine(method):
            yield method


def _is_old(function: Callable[..., Any], kind: str) -> bool:
    try:
        takes = inspect.signature(function).parameters
    except (ValueError, TypeError):  # compiled code does not tell
        return False
    own = str(getattr(function, "__module__", "")).split(".")[0] != "mjsdk"
    return own and "worlds" not in takes and ("ids" in takes or kind == "curriculum")


def _new_form(kind: str, name: str, function: Callable[..., Any]) -> str:
    """Where an old form is, and the new one with its parameters."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(name="worlds" if parameter.name == "ids" else parameter.name, annotation=parameter.empty)
        for parameter in signature.parameters.values()
    ]
    if "ids" not in signature.parameters:
        place = 1 + [parameter.name for parameter in parameters].index("env") if "env" in signature.parameters else 1
        parameters.insert(place, inspect.Parameter("worlds", inspect.Parameter.POSITIONAL_OR_KEYWORD))
    text = str(signature.replace(parameters=parameters, return_annotation=signature.empty))
    called = getattr(function, "__name__", name)
    code = getattr(function, "__code__", None)
    where = f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code else ""
    body = _BODIES.get(called, "..." if kind == "curriculum" else _EVENT)
    return f"  {kind} term '{name}'{where}:\n    def {called}{shortened(text, 200)}:\n        {body}"
