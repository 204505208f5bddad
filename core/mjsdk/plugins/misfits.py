"""Whether the objects that plugins make hold what their classes say."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from numbers import Integral, Real
from typing import Any

import attrs

from mjsdk.errors import a_kind, shortened

_MOST_ENTRIES = 10_000
"""Entries of a map or list that are looked at: nobody wrote more, and one that lies may never end."""

_NUMBERS = {float: Real, int: Integral}


def misfits(value: Any, path: str) -> Iterator[str]:
    """Fields of an attrs object, and of those in it, that hold another type than their class says: one line each.

    Settings, which are known by their metadata, are left out: their conversion tells all mistakes in them at once.
    """
    if not attrs.has(type(value)):
        return
    attrs.resolve_types(type(value), include_extras=False)
    for field in attrs.fields(type(value)):
        here = f"{path}.{field.name}"
        if field.metadata:
            continue
        if not hasattr(value, field.name):
            yield f"{here} is not there"
        else:
            yield from _unlike(getattr(value, field.name), field.type, here)


def _unlike(value: Any, annotation: Any, path: str) -> Iterator[str]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        found = [list(_unlike(value, arm, path)) for arm in typing.get_args(annotation)]
        same_kind = [wrong for wrong in found if wrong and not wrong[0].startswith(f"{path} is ")]
        if all(found):
            yield from same_kind[0] if same_kind else [_wrong(value, annotation, path)]
        return
    kind = typing.get_origin(annotation) or annotation
    if kind in (typing.Literal, Any, object) or not isinstance(kind, type):
        return
    if not _is_a(value, kind):
        yield _wrong(value, annotation, path)
    elif attrs.has(kind):
        yield from misfits(value, path)
    elif kind is not str and issubclass(kind, (Mapping, Sequence)):
        yield from _unlike_parts(value, kind, annotation, path)


def _is_a(value: Any, kind: type) -> bool:
    """Whether a value may stand where a class is asked for; lists, tuples and arrays for one another."""
    if issubclass(kind, Sequence) and kind is not str:
        return hasattr(value, "__len__") and hasattr(value, "__iter__") and not isinstance(value, (str, bytes, Mapping))
    return isinstance(value, _NUMBERS.get(kind, kind))


def _unlike_parts(value: Any, kind: type, annotation: Any, path: str) -> Iterator[str]:
    arguments = typing.get_args(annotation) or typing.get_args(getattr(kind, "__orig_bases__", (None,))[0])
    if issubclass(kind, Mapping):
        parts = [(f"{path}.{shortened(str(key), 80)}", part) for key, part in islice(value.items(), _MOST_ENTRIES + 1)]
        strange = [key for key in islice(value, _MOST_ENTRIES) if arguments[:1] == (str,) and not isinstance(key, str)]
        if strange:
            yield f"{path} has {a_kind(strange[0])} as a name; names are text"
    else:
        parts = [(f"{path}[{i}]", part) for i, part in enumerate(islice(value, _MOST_ENTRIES + 1))]
        if kind is tuple and Ellipsis not in arguments and arguments and len(parts) != len(arguments):
            yield f"{path} has {len(parts)} values; it must have {len(arguments)}"
    if len(parts) > _MOST_ENTRIES:
        yield f"{path} has more than {_MOST_ENTRIES} entries"
        return
    item = next((argument for argument in reversed(arguments) if argument is not Ellipsis), Any)
    for where, part in parts:
        yield from _unlike(part, item, where)


def _wrong(value: Any, annotation: Any, path: str) -> str:
    legal = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return f"{path} is {a_kind(value)}; it must be {re.sub(r'[A-Za-z_]+[.](?=[A-Za-z])', '', legal)}"
