"""Terms in the form of older guides, which took `ids`: found by their signatures, before any of them is called."""

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
_EVENT = "worlds.write(target, worlds.uniform(low, high, width))"


def outdated(terms: Mapping[str, Mapping[str, Any]]) -> str:
    """What a plugin must change in its terms, by kind and name; nothing if they all have the new form."""
    found = [
        _new_form(f"{kind} term '{name}'", name, function)
        for kind, named in terms.items()
        for name, term in named.items()
        for function in _taking_worlds(kind, term)
        if _is_old(function)
    ]
    if not found:
        return ""
    return "\n".join(
        [
            "has terms of an older form: they take `ids`, and now they must take `worlds`:",
            *found,
            "`worlds` is a mjsdk.env.Worlds: one row per world concerned is drawn, written and read by its methods.",
        ]
    )


def _taking_worlds(kind: str, term: Any) -> Iterator[Callable[..., Any]]:
    """The functions of a term that are given worlds."""
    if not inspect.isclass(term):
        yield from [term] if kind == "event" else []
        return
    for name in (*(["__call__"] if kind == "event" else []), *_BODIES):
        method = getattr(term, name, None)
        if inspect.isroutine(method):
            yield method


def _is_old(function: Callable[..., Any]) -> bool:
    try:
        takes = inspect.signature(function).parameters
    except (ValueError, TypeError):  # compiled code does not tell
        return False
    own = str(getattr(function, "__module__", "")).split(".")[0] != "mjsdk"
    return own and "ids" in takes and "worlds" not in takes


def _new_form(what: str, name: str, function: Callable[..., Any]) -> str:
    """Where an old form is, and the new one with its parameters."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(name="worlds" if parameter.name == "ids" else parameter.name, annotation=parameter.empty)
        for parameter in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=parameters, return_annotation=signature.empty))
    called = getattr(function, "__name__", name)
    code = getattr(function, "__code__", None)
    where = f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code else ""
    return f"  {what}{where}:\n    def {called}{shortened(text, 200)}:\n        {_BODIES.get(called, _EVENT)}"
