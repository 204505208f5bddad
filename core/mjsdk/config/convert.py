"""Settings to plain data and back, with every mistake at once."""

from __future__ import annotations

import enum
import functools
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import cattrs.cols
import cattrs.gen
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

from mjsdk.config import schema, yamlio
from mjsdk.config.fields import RENAMED
from mjsdk.config.root import Config
from mjsdk.errors import ConfigError, Mistake, SelectionError, closest, listing, shortened
from mjsdk.terms import TermRegistry, parameters

Hook = Callable[[Any, Any], Any]


class WrongTypeError(Exception):
    """A value that a setting does not take."""

    def __init__(self, value: Any, annotation: Any) -> None:
        super().__init__(f"takes {schema.describe(annotation)}, not {show(value)}")


def show(value: Any) -> str:
    """A value as people write it, on one line, cut in the middle when long."""
    try:
        text = f"'{value}'" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else ""
        text = text or yamlio.flow(to_plain(value))
    except Exception:  # no plain data: whatever its own methods raise, a message about it must not fail
        text = f"a {type(value).__name__}"
    cut = shortened(text, 80)
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def to_plain(config: Any) -> Any:
    """Settings as plain data: dicts, lists, text, numbers, switches and None, all of it written out.

    Raises `ConfigError` for anything else, and for data without end.
    """
    return _Plain().of(config, "")


def from_plain(data: Mapping[str, Any], terms: TermRegistry | None = None) -> Config:
    """The settings that plain data stands for, with the terms of a session or none. Raises `ConfigError` with all mistakes."""
    try:
        return make_converter(terms).structure(data, Config)
    except Exception as error:  # cattrs raises groups of anything that its hooks raise
        found = list(mistakes_of(error))
        if not found:
            raise
        raise ConfigError(found) from error


@functools.lru_cache(maxsize=4)  # writing the code of a converter takes longer than all that is done with it
def make_converter(terms: TermRegistry | None = None) -> cattrs.Converter:
    """A strict converter: no unknown keys, no silent conversions but from whole numbers to numbers."""
    terms = terms or TermRegistry()
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for scalar in (bool, int, float, str):
        converter.register_structure_hook(scalar, _scalar)
    for takes, accepted, factory in (
        (schema.is_list, (list, tuple), cattrs.cols.list_structure_factory),
        (schema.is_map, Mapping, cattrs.cols.mapping_structure_factory),
        (attrs.has, Mapping, partial(_section, terms)),
        (schema.OPEN.__contains__, Mapping, partial(_open, terms)),
    ):
        converter.register_structure_hook_factory(takes, partial(_guarded, factory, accepted, converter))
    converter.register_structure_hook_func(_is_pair, partial(_tuple, converter))
    converter.register_structure_hook_func(lambda cls: len(schema.union_arms(cls)) > 1, partial(_union, converter))
    converter.register_structure_hook_func(lambda cls: typing.get_origin(cls) is typing.Literal, _literal)
    return converter


def mistakes_of(error: BaseException, path: str = "") -> Iterator[Mistake]:
    """What a failed conversion says, as mistakes with dotted paths."""
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        noted, others = error.group_exceptions()
        for cause, note in noted:
            yield from mistakes_of(cause, _join(path, getattr(note, "name", getattr(note, "index", ""))))
        for cause in others:
            yield from mistakes_of(cause, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        messages: Mapping[str, str] = getattr(error, "messages", {})
        for key in sorted(map(str, error.extra_fields)):
            yield Mistake(_join(path, key), messages.get(key, "no such setting"))
    elif isinstance(error, ConfigError):
        yield from (Mistake(_join(path, mistake.path), mistake.message) for mistake in error.mistakes)
    elif isinstance(error, KeyError):
        yield Mistake(path, "must be given")
    elif isinstance(error, (WrongTypeError, SelectionError, ValueError)):
        yield Mistake(path, str(error))
    elif isinstance(error, OverflowError):
        yield Mistake(path, "is too large for a number")


def _join(path: str, part: str | int) -> str:
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{part}" if path and part else path or part


def no_such(cls: type, data: Mapping[str, Any], key: str, terms: TermRegistry) -> str:
    """What to say about an unknown key: the nearest legal one, or where it belongs."""
    legal = list(schema.fields(cls))
    kind, func = schema.kind_of(cls), data.get("func")
    if kind and "params" in legal and func in terms.names(kind) and key in parameters(terms.get(kind, func)):
        return f"no such setting; '{key}' is a parameter of the term: write params.{key}"
    homes = [leaf.path for leaf in schema.leaves(Config()) if leaf.path.rpartition(".")[2] == key]
    elsewhere = f", did you mean {' or '.join(homes)}?" if homes else "."
    hint = f"; it is {RENAMED[key]} now." if RENAMED.get(key) in legal else closest(key, legal) or elsewhere
    return f"no such setting{hint} Legal: {listing(legal)}"


@attrs.define
class _Plain:
    """Turns values into plain data, as many as settings may have."""

    count: int = 0

    def of(self, value: Any, path: str, depth: int = 0) -> Any:
        """A value and all that it holds."""
        self.count += 1
        if depth > yamlio.DEEPEST or self.count > yamlio.MOST_VALUES:
            raise ConfigError([Mistake(path, "holds itself, or more values than settings can have")])
        try:
            return self._parts(value, path, depth + 1)
        except ConfigError:
            raise
        except Exception as error:  # whatever the methods of a plugin's object raise
            message = f"takes plain data, not a {type(value).__name__}; reading it raises {type(error).__name__}"
            raise ConfigError([Mistake(path, message)]) from error

    def _parts(self, value: Any, path: str, depth: int) -> Any:
        if attrs.has(type(value)):
            names = schema.fields(value.__class__)
            return {name: self.of(getattr(value, name), _join(path, name), depth) for name in names}
        if isinstance(value, Mapping):
            return {str(key): self.of(item, _join(path, str(key)), depth) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.of(item, _join(path, i), depth) for i, item in enumerate(value)]
        if isinstance(value, enum.Enum):
            return self.of(value.value, path, depth)
        for kind in (bool, int, float, str):
            if isinstance(value, kind):
                return kind(value)
        if value is None:
            return None
        if callable(getattr(value, "tolist", None)):  # arrays and numbers of numpy and torch
            return self.of(value.tolist(), path, depth)
        raise ConfigError([Mistake(path, f"takes plain data, not a {type(value).__name__}")])


def _scalar(value: Any, kind: Any) -> Any:
    if type(value) is int and abs(value) >= 2**63:
        raise OverflowError
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise WrongTypeError(value, kind)


def _is_pair(cls: Any) -> bool:
    return typing.get_origin(cls) is tuple


def _guarded(
    factory: Callable[[Any, cattrs.Converter], Hook], accepted: Any, converter: cattrs.Converter, cls: Any
) -> Hook:
    """The hook that a factory makes for a class, refusing values of the wrong shape, such as text for a list of texts."""
    inner = factory(cls, converter)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, accepted):
            raise WrongTypeError(value, cls)
        return inner(value, cls)

    return hook


def _tuple(converter: cattrs.Converter, value: Any, cls: Any) -> tuple[Any, ...]:
    arguments = typing.get_args(cls)
    if Ellipsis in arguments:
        return tuple(converter.structure(value, list[arguments[0]]))  # type: ignore[valid-type]
    if not isinstance(value, (list, tuple)) or len(value) != len(arguments):
        raise WrongTypeError(value, cls)
    return tuple(converter.structure(item, argument) for item, argument in zip(value, arguments, strict=True))


def _section(terms: TermRegistry, cls: Any, converter: cattrs.Converter) -> Hook:
    """The hook for a section; it notes what to say of unknown keys: cattrs knows neither terms nor what is near."""
    schema.fields(cls)  # resolves the annotations
    inner = cattrs.gen.make_dict_structure_fn(cls, converter)

    def hook(value: Any, _: Any) -> Any:
        try:
            return inner(value, cls)
        except ClassValidationError as error:
            for cause in error.exceptions:
                if isinstance(cause, ForbiddenExtraKeysError):
                    cause.messages = {str(key): no_such(cls, value, str(key), terms) for key in cause.extra_fields}  # type: ignore[attr-defined]
            raise

    return hook


def _union(converter: cattrs.Converter, value: Any, union: Any) -> Any:
    for arm in schema.union_arms(union):
        if _fits(value, arm):
            return None if value is None else converter.structure(value, arm)
    raise WrongTypeError(value, union)


def _fits(value: Any, arm: Any) -> bool:
    """Whether a value has the shape of a type, whatever its elements."""
    if arm is Any or value is None:
        return arm is Any or arm is type(None)
    if schema.is_map(arm) or attrs.has(arm):
        return isinstance(value, Mapping)
    if schema.is_list(arm) or _is_pair(arm):
        return isinstance(value, (list, tuple))
    if typing.get_origin(arm) is typing.Literal:
        return value in typing.get_args(arm)
    return type(value) is arm or (arm is float and type(value) is int)


def _literal(value: Any, cls: Any) -> Any:
    if value not in typing.get_args(cls):
        raise WrongTypeError(value, cls)
    return value


def _open(terms: TermRegistry, base: Any, converter: cattrs.Converter) -> Hook:
    """The hook for commands and actions: their class is the one of the term that `func` names."""
    inner = _section(terms, base, converter)

    def hook(value: Any, _: Any) -> Any:
        try:
            cls = schema.entry_class(base, value, terms)
        except SelectionError as error:
            raise ConfigError([Mistake("func", str(error))]) from error
        return inner(value, base) if cls is base else converter.structure(value, cls)

    return hook
