"""Plugins by older guides: terms that take no `worlds`, found by their signatures, and names that are gone."""

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
_NEW_NAMES = {
    "'mjsdk.kernels'": "loops are mjsdk.ops.loop.Loop now, found by a module `compiled` beside that of the term",
    "'DrawnCommand'": "it is ResampledCommand now",
    "'DrawnCommandConfig'": "it is ResampledCommandConfig now",
    "'Env' object has no attribute 'all_ids'": "it is env.all_worlds now",
    "'Env' object has no attribute 'rand'": "it is worlds.rand now, of the worlds given or env.all_worlds",
    "'Env' object has no attribute 'uniform'": "it is worlds.uniform now, of the worlds given or env.all_worlds",
    "'Env' object has no attribute 'draw'": "it is worlds.uniform now, of the worlds given or env.all_worlds",
    "'Env' object has no attribute 'workspace'": "a class keeps what it needs in itself, and in env.buffers",
    "'RobotState' object has no attribute 'shared'": "it is env.derived.get(key, compute) now",
}
"""What became of names, by how Python says that they are gone."""


def new_name(text: str) -> str:
    """What to add to the text of an error that says that a name of an older mjsdk is gone."""
    return next((f"; {new}" for old, new in _NEW_NAMES.items() if old in text), "")


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
    acts = kind in _CALLED_WITH_WORLDS and getattr(function, "__name__", "") not in _BODIES
    takes_any = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in takes.values())
    return own and "worlds" not in takes and ("ids" in takes or (acts and not takes_any))


def _old_name(kind: str, signature: inspect.Signature) -> str:
    """What an old form calls the worlds; nothing if it was not given any."""
    if "ids" in signature.parameters or kind == "curriculum":
        return "ids" if "ids" in signature.parameters else ""
    others = [parameter for parameter in signature.parameters.values() if parameter.name not in ("self", "env")]
    return others[0].name if others and others[0].default is inspect.Parameter.empty else ""


def _new_form(kind: str, name: str, function: Callable[..., Any]) -> str:
    """Where an old form is, and the new one with its parameters."""
    signature = inspect.signature(function)
    old = _old_name(kind, signature)
    parameters = [
        parameter.replace(name="worlds" if parameter.name == old else parameter.name, annotation=parameter.empty)
        for parameter in signature.parameters.values()
    ]
    if not old:
        place = 1 + [parameter.name for parameter in parameters].index("env") if "env" in signature.parameters else 1
        parameters.insert(place, inspect.Parameter("worlds", inspect.Parameter.POSITIONAL_OR_KEYWORD))
    text = str(signature.replace(parameters=parameters, return_annotation=signature.empty))
    called = getattr(function, "__name__", name)
    code = getattr(function, "__code__", None)
    where = f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code else ""
    body = _BODIES.get(called, "..." if kind == "curriculum" else _EVENT)
    return f"  {kind} term '{name}'{where}:\n    def {called}{shortened(text, 200)}:\n        {body}"
