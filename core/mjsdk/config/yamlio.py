"""YAML as mjsdk reads and writes it.

What is written, `yaml.safe_load` reads back unchanged. Reading is a little kinder and a little stricter than PyYAML:
`1e-3` is a number, only `true` and `false` are switches, dates stay text, and a key given twice is a mistake.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mjsdk.errors import ConfigError, Mistake, one_line, shortened
from mjsdk.files import open_regular

_FLOAT = re.compile(
    r"[-+]?(?:(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][-+]?\d+)|\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?|\.\d[\d_]*|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_INT = re.compile(r"[-+]?(?:0|[1-9][\d_]*)")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_ODD = re.compile("[\\x85\\u2028\\u2029\\ufeff]")
_PLAIN = ("str", "int", "float", "bool", "null", "seq", "map")
"""What settings are made of; other tags of YAML are refused."""

DEEPEST = 64
"""Levels of nesting that are read: far more than settings have, and far fewer than Python's stack."""
MOST_VALUES = 50_000
"""Values that are read, each as often as something refers to it: far more than settings have."""
_LARGEST_FILE = 1_000_000
"""Bytes that are read: far more than settings have, and read in seconds."""


class _Loader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, and nothing that is not plain data or without end."""

    depth = 0
    count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read one value and all that it holds."""
        mark, is_alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        self._enter(mark)
        node = super().compose_node(parent, index)
        if is_alias:
            self._repeat(node, mark)
        self.depth -= 1
        return node

    def _enter(self, mark: Any) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"more than {DEEPEST} values inside each other", problem_mark=mark)
        if self.count > MOST_VALUES:
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_VALUES:,} values", problem_mark=mark)

    def _repeat(self, node: Any, mark: Any) -> None:
        """Count what an alias stands for as if it were written there."""
        if node.end_mark is None:  # still being read: the alias is inside of what it refers to
            raise yaml.MarkedYAMLError(problem="a value that contains itself", problem_mark=mark)
        for child in _children(node):
            self._enter(mark)
            self._repeat(child, mark)
            self.depth -= 1

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value that a node stands for; what Python cannot make of it is a mistake at that place."""
        try:
            return super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except Exception as error:  # PyYAML lets pass what `int`, `float` and others raise on values with a wrong tag
            raise yaml.MarkedYAMLError(
                problem=f"{_short(node)} cannot be read as {_tag(node)}", problem_mark=node.start_mark
            ) from error


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _tag(node: Any) -> str:
    return shortened(node.tag.replace("tag:yaml.org,2002:", "!!"), 60)


def _short(node: Any) -> str:
    return f"'{shortened(node.value, 60)}'" if isinstance(node, yaml.ScalarNode) else "this"


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out: anchors help nobody who reads settings."""
        return True


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            problem = f"the key {_short(key_node)} is not text; write it in quotes if it is a name"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        if key in result:
            problem = f"the key '{shortened(key, 60)}' is given twice"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _no_tag(loader: _Loader, node: yaml.Node) -> Any:
    raise yaml.MarkedYAMLError(
        problem=f"{_short(node)} with the tag {_tag(node)}: settings are plain text, numbers, lists and maps",
        problem_mark=node.start_mark,
    )


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Text; where PyYAML would lose unusual line breaks, in double quotes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _ODD.search(text) else None)


_Loader.yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}  # merging; our own follow
_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag and tag.rpartition(":")[2] in _PLAIN
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(f"(?:{_BOOL.pattern})$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"(?:{_INT.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+0123456789."))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(f"(?:{_NULL.pattern})$"), ["~", "n", "N", ""])
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor(None, _no_tag)
_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+0123456789."))


def load(text: str) -> Any:
    """Plain data from YAML text, of bounded size and depth. Raises `yaml.YAMLError` in one line, and nothing else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise yaml.YAMLError(f"{where}{', '.join(filter(None, (error.context, error.problem)))}") from error
    except Exception as error:  # of the reader, or what PyYAML itself stumbles over
        raise yaml.YAMLError(one_line(str(error))) from error


def read_text(path: Path) -> str:
    """The text in a file of settings. Raises `OSError`, and `ValueError` if it is no UTF-8, or far too much."""
    with open_regular(path, _LARGEST_FILE) as file:
        data = file.read()
    for encoding, beginnings in _WIDE.items():
        if data.startswith(beginnings) or (encoding == "UTF-16" and b"\0" in data[:4]):
            raise ValueError(f"it is {encoding}; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save it as UTF-8") from error


_WIDE = {
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
"""Encodings that some editors choose, by the marks that their files begin with; UTF-32's begins with UTF-16's."""


def load_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML file. Raises `ConfigError` that names the file and what is wrong with it."""
    try:
        data = load(read_text(path))
    except FileNotFoundError as error:
        raise ConfigError([Mistake(str(path), "is no such file")]) from error
    except (OSError, ValueError) as error:
        raise ConfigError([Mistake(str(path), f"cannot be read: {getattr(error, 'strerror', error)}")]) from error
    except yaml.YAMLError as error:
        raise ConfigError([Mistake(str(path), f"is not YAML: {error}")]) from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError([Mistake(str(path), f"must hold settings as `key: value`, not {flow(data)}")])
    return data


def dump(data: Any) -> str:
    """Plain data as YAML in block style, in the order given."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=10**6, allow_unicode=True)


def flow(value: Any) -> str:
    """A value on one line, such as `[0.1, 2.0]` or `{'.*knee': 0.5}`."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10**9, default_flow_style=True, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def annotated(data: Mapping[str, Any], comments: Mapping[str, str], path: str = "") -> str:
    """A map as YAML in block style, with a comment behind each value whose dotted path is in `comments`."""
    depth = "  " * path.count(".")
    lines = []
    for key, value in data.items():
        here = f"{path}{key}"
        comment = f"  # {comments[here]}" if comments.get(here) else ""
        if isinstance(value, Mapping) and value:
            lines.append(f"{depth}{flow(key)}:{comment}\n{annotated(value, comments, f'{here}.')}")
        else:
            lines.append(f"{depth}{flow(key)}: {flow(value)}{comment}\n")
    return "".join(lines)
