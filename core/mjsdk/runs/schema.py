"""What the files of a run must hold, as data, and the one function that holds them to it.

A shape is a `Kind` of value, `{"name": shape}` for a mapping with these entries, `[shape]` for a list of any length, or
`(shape, shape)` for one of that length. A name that ends in `?` may be missing; `"*"` is every entry without a shape of
its own, and without it those are not looked at: a newer mjsdk may have written them. `"#"` is every entry by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from mjsdk.errors import BrokenRun, shortened

FORMAT = 1
"""Format of `run.json`; grows when entries come that a reader needs."""
_MOST = 5
"""Faults that one message tells."""
_DEEPEST = 32
"""Levels of nesting of plain data."""


@attrs.frozen
class Kind:
    """One kind of value."""

    says: str
    """What it is, in words, after "must be"."""
    holds: Callable[[Any], bool]


Shape = Kind | Mapping[str, "Shape"] | Sequence["Shape"]


def check(path: Path, data: Any, shape: Shape, what: str = "what mjsdk wrote") -> None:
    """Raise one `BrokenRun` that names a file and what of it is not as mjsdk writes it."""
    faults = list(find_faults(data, shape))
    if faults:
        more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        raise BrokenRun(f"{path} is not {what}: {'; '.join(faults[:_MOST])}{more}.")


def find_faults(data: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """What is missing, or is not what it must be, by dotted path."""
    if isinstance(shape, Kind):
        if not shape.holds(data):
            yield f"{path} must be {shape.says}, not {_shown(data)}"
    elif isinstance(shape, Mapping):
        yield from _faults_of_mapping(data, shape, path)
    elif not isinstance(data, list | tuple):
        yield f"{path} must be a list, not {_shown(data)}"
    elif isinstance(shape, tuple) and len(shape) != len(data):
        yield f"{path} must have {len(shape)} entries, not {len(data)}"
    else:
        shapes = shape if isinstance(shape, tuple) else (shape[0],) * len(data)
        for i, (item, inner) in enumerate(zip(data, shapes, strict=True)):
            yield from find_faults(item, inner, f"{path}[{i}]")


def _faults_of_mapping(data: Any, shape: Mapping[str, Shape], path: str) -> Iterator[str]:
    if not isinstance(data, dict):
        yield f"{path or 'it'} must be a mapping, not {_shown(data)}"
        return
    for name, inner in shape.items():
        if name[-1] not in "?*#" and name not in data:
            yield f"{_join(path, name)} is missing"
        elif name.removesuffix("?") in data:
            yield from find_faults(data[name.removesuffix("?")], inner, _join(path, name.removesuffix("?")))
    known = {name.removesuffix("?") for name in shape}
    for name, value in data.items():
        rest = "#" if "#" in shape else "*"
        if type(name) is not (int if rest == "#" else str):
            yield f"{path or 'it'} has the name {_shown(name)}, which must be {'a number' if rest == '#' else 'text'}"
        elif name not in known and rest in shape:
            yield from find_faults(value, shape[rest], _join(path, str(name)))


def _join(path: str, name: str) -> str:
    return f"{path}.{shortened(name, 60)}" if path else shortened(name, 60)


def _shown(value: Any) -> str:
    """A value in a message; of what has no short text, only what it is."""
    if isinstance(value, str | float | bool | None):
        return shortened(repr(value), 80)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else "a number of many digits"
    return f"a {type(value).__name__}"


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is text, a finite number, a switch, nothing, or a list or mapping of these."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(is_plain(item, depth + 1) for item in value)
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)


def counts(most: int) -> Kind:
    """Whole numbers from 0 to `most`."""
    return Kind(f"a whole number from 0 to {most}", lambda value: type(value) is int and 0 <= value <= most)


def or_none(kind: Kind) -> Kind:
    """A kind of value, or nothing."""
    return Kind(f"{kind.says}, or nothing", lambda value: value is None or kind.holds(value))


NUMBER = Kind("a finite number", _is_number)
AMOUNT = Kind("a finite number from 0", lambda value: _is_number(value) and value >= 0)
COUNT = counts(2**53)
TEXT = Kind("text", lambda value: isinstance(value, str))
NAME = Kind("a name", lambda value: isinstance(value, str) and bool(value.strip()))
SWITCH = Kind("true or false", lambda value: isinstance(value, bool))
PLAIN = Kind("plain data", is_plain)

PLUGIN: Mapping[str, Shape] = {"kind": NAME, "name": NAME, "dist": TEXT, "version": TEXT, "target": NAME, "api?": COUNT}
_MOMENT: Mapping[str, Shape] = {
    "time": NAME,
    "command": NAME,
    "git": Kind(
        "nothing, or commit, branch and whether files differ",
        lambda value: value is None or not list(find_faults(value, _GIT)),
    ),
}
_GIT: Shape = {"commit": NAME, "branch": TEXT, "dirty": or_none(SWITCH)}
_PROGRAMS = ("mjsdk", "mujoco", "mjbatch", "torch", "rsl-rl-lib", "numpy", "python")

CONFIG_SHAPE: Shape = {"robot": NAME, "task": NAME, "extras?": [NAME]}
"""`config.yaml`, as far as it is needed to open the plugins; these say what the rest must be."""

_RECORDS: Mapping[str, Shape] = {
    **_MOMENT,
    "started": NUMBER,
    "seed": COUNT,
    "device": NAME,
    "threads": {"physics": COUNT, "torch": COUNT},
    "plugins": [{**PLUGIN, "api": COUNT}],
    "versions": dict.fromkeys(_PROGRAMS, or_none(NAME)),
    "platform": NAME,
    "id": NAME,
    "resumed": [{"iteration": COUNT, "started": NUMBER, **_MOMENT, "changed": {}}],
    "settings": Kind("whole numbers", lambda value: bool(value) and not list(find_faults(value, [COUNT]))),
    "processes?": COUNT,
    "model": {"sha256": NAME, "mujoco": NAME, "machine": TEXT},
}


def info_shape(data: Mapping[str, Any]) -> Shape:
    """What `run.json` must hold: all of it, unless it is from before it said which format it has."""
    if "format" in data:
        return {"format": counts(FORMAT), **_RECORDS}
    return {**{f"{name}?": shape for name, shape in _RECORDS.items()}, "plugins?": [PLUGIN]}
