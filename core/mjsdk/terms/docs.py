"""What the docstrings of terms say about their parameters.

Grammar of an entry below `Args:` -- `name: Meaning [unit]. Recommended: a..b. Bounds: a..b. Advice.` -- where unit,
ranges and advice may be left out.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from mjsdk.config.fields import Setting
from mjsdk.terms import Term

_ENTRY = re.compile(r"(\w+)(?:\s*\([^)]*\))?:\s*(.*)")
_HEADING = re.compile(r"[A-Z]\w+:")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RECOMMENDED = re.compile(rf"\s*Recommended:\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\.?(?=\s|$)")
_BOUNDS = re.compile(rf"\s*Bounds:\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\.?(?=\s|$)")
_UNIT = re.compile(r"\s*\[([^\]]+)\]\s*(?=\.|$)")


def summary(term: Term) -> str:
    """The first line of a term's docstring."""
    text = inspect.getdoc(term) or ""
    return text.split("\n\n")[0].split("\n")[0].strip()


def parameter_settings(term: Term) -> dict[str, Setting]:
    """What is known about each parameter, by name."""
    texts = [term.__doc__, getattr(term.__init__, "__doc__", None) if inspect.isclass(term) else None]
    return {name: parse(text) for doc in texts if doc for name, text in _entries(inspect.cleandoc(doc))}


def parse(text: str) -> Setting:
    """The facts in one entry, such as `Meaning [unit]. Recommended: 0..1. Advice.`."""
    bounds = _BOUNDS.search(text)
    text = text[: bounds.start()] + text[bounds.end() :] if bounds else text
    recommended = _RECOMMENDED.search(text)
    first, rest = (text[: recommended.start()], text[recommended.end() :]) if recommended else _split(text)
    unit = _UNIT.search(first)
    if unit:
        first = first[: unit.start()] + first[unit.end() :]
    return Setting(
        first.strip().rstrip(".") + "." if first.strip() else "",
        unit=unit[1] if unit and unit[1] != "-" else "",
        recommended=(float(recommended[1]), float(recommended[2])) if recommended else None,
        advice=rest.strip(),
        bounds=(float(bounds[1]), float(bounds[2])) if bounds else (None, None),
    )


def outdated(term: Term) -> str:
    """What to change in a docstring with the words of an earlier mjsdk, whose ranges nobody reads; or nothing."""
    text = f"{term.__doc__}\n{term.__init__.__doc__ if inspect.isclass(term) else ''}"
    old = [word for word in _OLD_WORDS if re.search(rf"\b{word}:\s*{_NUMBER}\s*\.\.", text)]
    return ", ".join(f"write '{_OLD_WORDS[word]}:' for '{word}:'" for word in old)


_OLD_WORDS = {"Sane": "Recommended", "Legal": "Bounds"}


def _split(text: str) -> tuple[str, str]:
    """The first sentence and the others."""
    first, _, rest = text.partition(". ")
    return first, rest


def _entries(doc: str) -> Iterator[tuple[str, str]]:
    """Names and texts of the section `Args:`; lines that are indented deeper continue the entry above."""
    name, indent = "", None
    parts: list[str] = []
    for line in _section(doc):
        depth = len(line) - len(line.lstrip())
        indent = depth if indent is None else indent
        entry = _ENTRY.fullmatch(line.strip()) if depth == indent else None
        if entry:
            if name:
                yield name, " ".join(parts)
            name, parts = entry[1], [entry[2]]
        else:
            parts.append(line.strip())
    if name:
        yield name, " ".join(parts)


def _section(doc: str) -> Iterator[str]:
    inside = False
    for line in doc.splitlines():
        if _HEADING.fullmatch(line):
            inside = line == "Args:"
        elif inside and line.strip():
            if not line.startswith(" "):
                return
            yield line
