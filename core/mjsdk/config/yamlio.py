"""YAML as mjsdk reads and writes it.

What is written, `yaml.safe_load` reads back unchanged. Reading is a little kinder and a little stricter than PyYAML:
`1e-3` is a number, only `true` and `false` are switches, dates stay text, and a key given twice is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mjsdk.errors import ConfigError, Mistake

_FLOAT = re.compile(
    r"[-+]?(?:(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][-+]?\d+)|\d[\d_]*\.[\d_]*(?:[eE][-+]?\d+)?|\.\d[\d_]*|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_INT = re.compile(r"[-+]?(?:0|[1-9][\d_]*)")
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_ODD = re.compile("[\\x85\\u2028\\u2029\\ufeff]")
_DROPPED = ("float", "int", "bool", "null", "timestamp")


_DEEPEST = 64
"""Levels of nesting that are read: far more than settings have, and far fewer than Python's stack."""


class _Loader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read one value and all that it holds."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"more than {_DEEPEST} values inside each other", problem_mark=self.peek_event().start_mark
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out: anchors help nobody who reads settings."""
        return True


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in result:
            raise yaml.MarkedYAMLError(problem=f"the key '{key}' is given twice", problem_mark=key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).replace("_", "").lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Text; where PyYAML would lose unusual line breaks, in double quotes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _ODD.search(text) else None)


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    inherited = yaml.SafeLoader.yaml_implicit_resolvers.items()
    dropped = {f"tag:yaml.org,2002:{name}" for name in _DROPPED}
    return {first: [pair for pair in pairs if pair[0] not in dropped] for first, pairs in inherited}


_Loader.yaml_implicit_resolvers = _resolvers()
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(f"(?:{_BOOL.pattern})$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"(?:{_INT.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+0123456789."))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(f"(?:{_NULL.pattern})$"), ["~", "n", "N", ""])
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+0123456789."))


def load(text: str) -> Any:
    """Plain data from YAML text. Raises `yaml.YAMLError`."""
    return yaml.load(text, _Loader)


def load_file(path: Path) -> dict[str, Any]:
    """The settings in a YAML file. Raises `ConfigError` that names the file and what is wrong with it."""
    try:
        data = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = "is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise ConfigError([Mistake(str(path), reason)]) from error
    except yaml.YAMLError as error:
        raise ConfigError([Mistake(str(path), f"is not YAML: {' '.join(str(error).split())}")]) from error
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
