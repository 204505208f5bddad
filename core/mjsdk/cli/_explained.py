"""How `mjsdk explain` prints settings. Imports rich: only what prints imports this."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mjsdk.cli import _output
from mjsdk.config.explain import DEFAULT, Entry, Found, Item, Section, related
from mjsdk.config.presets import MEANINGS, NAMES, PRESETS
from mjsdk.config.schema import numbers

_WIDTH = 30
"""Most characters of a value in a table; a setting on its own shows all of it."""
_HEADER = ("setting", "value", "default", "recommended", "from")
_NEXT = (
    ("agent.algorithm", "all settings of a section"),
    ("learning_rate", "one setting; the end of its path will do"),
    ("env.rewards --robot NAME --task NAME", "with the terms and values of a task"),
    ("computed", "what follows: sizes, rates, durations"),
    ("presets", "the numbers of each preset"),
)


def print_overview(items: Sequence[Item]) -> None:
    """The sections of the first two levels, and the presets."""
    console = _output.console()
    entries = [item.path for item in items if isinstance(item, Entry)]
    rows = []
    for item in items:
        depth = item.path.count(".")
        if isinstance(item, Section) and depth < 2 and item.path != "presets":
            # Settings right in a section of the first level, and all below one of the second.
            below = [path for path in entries if path.startswith(f"{item.path}.") and (depth or path.count(".") == 1)]
            rows.append((Text(item.path, "cyan"), item.meaning, str(len(below))))
    console.print(_output.Table("Settings", ("section", "what", "settings"), rows, right=("settings",)))
    for command, what in _NEXT:
        console.print(Text.assemble(("  mjsdk explain " + command).ljust(58), (what, "dim")))
    presets = [(Text(name, "cyan"), text) for name, text in MEANINGS.items()]
    console.print(_output.Table("\nPresets", ("--preset", "for"), presets))


# One setting


def print_setting(entry: Entry, items: Sequence[Item]) -> None:
    """All that is known about one setting, and what follows from it."""
    about, console = entry.setting, _output.console()
    console.print(Text(entry.path, "bold cyan"))
    console.print(Padding(Text(about.meaning), (0, 0, 1, 2)))
    flag = entry.path if "<" in entry.path else entry.path.replace("_", "-")
    facts = (
        ("value", Text(_with_unit(entry, _long(entry.value)), "bold")),
        ("default", Text("-" if entry.default is None and entry.value is not None else _long(entry.default))),
        ("origin", Text(entry.origin)),
        ("recommended", Text(_span(entry))),
        ("choices", Text(", ".join(about.choices))),
        ("possible", Text(_legal(entry))),
        ("advice", Text(about.advice)),
        ("change it", Text("" if _is_computed(entry) else f"--{flag} VALUE", "cyan")),
        *_consequences(entry, items),
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")
    for name, text in facts:
        if text:
            grid.add_row(Text(name, "dim"), text)
    console.print(Padding(grid, (0, 0, 0, 2)))


def _consequences(entry: Entry, items: Sequence[Item]) -> Iterator[tuple[str, Text]]:
    known = {item.path: item for item in items}
    for i, path in enumerate(related(entry.path)):
        quantity: Any = known[path]
        unit = f" {quantity.setting.unit}" if quantity.setting.unit else ""
        formula = quantity.origin.removeprefix("computed: ")
        line = Text.assemble(path, " = ", (f"{_short(quantity.value)}{unit}", "bold"), (f"  {formula}", "dim"))
        yield "" if i else "decides", line


# A section


def print_section(found: Found, items: Sequence[Item]) -> None:
    """The settings of a section, or those that were found."""
    console = _output.console()
    if found.path == "presets":
        what = "What presets set, before a task's own numbers"
        console.print(_output.Table(what, ("setting", *NAMES), list(_rows_of_presets())))
        return
    head, *rest = found.items
    title = Text(found.path, "bold cyan")
    is_section = isinstance(head, Section) and head.path == found.path
    if isinstance(head, Section) and is_section:
        title.append(f"  {head.meaning}", "not bold default")
    console.print(title)
    _print_settings(rest if is_section else found.items, found.path)
    below = [item for item in items if item.path in related(found.path)]
    if below:
        console.print(Text("\nWhat follows from these settings", "bold"))
        _print_settings(below, "")


def _rows_of_presets() -> Iterator[tuple[str, ...]]:
    """A setting and its value in each preset; a second row where another physics has other values."""
    cpu, warp = (PRESETS[physics].values() for physics in ("cpu", "warp"))
    for path in dict.fromkeys(path for values in (*warp, *cpu) for path in values):
        first, second = ([_short(each[path]) if path in each else "" for each in every] for every in (cpu, warp))
        yield path, *first
        if second != first:
            yield "  with --physics warp", *second


def _print_settings(items: Sequence[Item], base: str) -> None:
    """One line of facts per setting, and what it means below, where there is room to read it."""
    console = _output.console()
    # The function of a term stands in the heading of its group already.
    labels = {item.path: label for item, label in zip(items, _labels(items, base), strict=True)}
    items = [item for item in items if not (item.path.endswith(".func") and getattr(item, "value", None) is not None)]
    cells = {item.path: _cells(item, labels[item.path]) for item in items if isinstance(item, Entry)}
    widths = [max(map(len, column)) for column in zip(_HEADER, *cells.values(), strict=True)]
    for column in (4, 2, 3):
        if sum(widths) + 2 * len(widths) > console.width - 2:
            widths[column] = 0
    console.print(Padding(_line(_HEADER, widths, ("dim",) * len(_HEADER)), (1, 0, 0, 2)))
    said: set[tuple[str, str]] = set()
    for item in items:
        label = labels[item.path]
        if isinstance(item, Entry):
            styles = ("cyan", "bold" if cells[item.path][4] else "", "dim", "", "green")
            console.print(Padding(_line(cells[item.path], widths, styles), (0, 0, 0, 2)))
            _print_meaning(item, label, said)
        else:
            func = f"  ({item.func})" if item.func and item.func != label.strip() else ""
            heading = Text.assemble((label, "bold cyan"), "  ", item.meaning, (func, "dim"))
            console.print(Padding(heading, (1, 0, 0, 2)))


def _labels(items: Sequence[Item], base: str) -> Iterator[str]:
    """Each item's path below the nearest heading above it, indented by how deep that is."""
    headings = [base] if base else []
    for item in items:
        while headings and not item.path.startswith(f"{headings[-1]}."):
            headings.pop()
        above = headings[-1] if headings else ""
        yield "  " * (len(headings) - bool(base)) + item.path.removeprefix(f"{above}.")
        if isinstance(item, Section):
            headings.append(item.path)


def _cells(entry: Entry, label: str) -> tuple[str, str, str, str, str]:
    """Facts of one setting; the default and where the value is from only if it is not the default."""
    value = _short(entry.value)
    value = value if isinstance(entry.value, Mapping) else _with_unit(entry, value)
    if entry.origin == DEFAULT or _is_computed(entry):
        return (label, value, "", _span(entry), "")
    default = "" if entry.default is None else _short(entry.default)
    return (label, value, default, _span(entry), entry.origin)


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> Text:
    """A row; columns of width 0 are left out because the line would not hold them."""
    columns = zip(cells, widths, styles, strict=True)
    line = Text.assemble(*((f"{cell.ljust(width)}  ", style) for cell, width, style in columns if width))
    line.rstrip()
    return line


def _print_meaning(entry: Entry, label: str, said: set[tuple[str, str]]) -> None:
    """Meaning, choices and advice; nothing where the same was said further up, as for the weight of every reward."""
    about = entry.setting
    key = (entry.path.rpartition(".")[2], f"{about.meaning} {about.advice}")
    if key in said or not about.meaning:
        return
    said.add(key)
    choices = f" One of {', '.join(about.choices)}." if about.choices else ""
    formula = f" = {entry.origin.removeprefix('computed: ')}." if _is_computed(entry) else ""
    advice = f" {about.advice}" if about.advice else ""
    text = Text.assemble(about.meaning, choices, formula, (advice, "italic"), style="dim")
    _output.console().print(Padding(text, (0, 0, 0, 6 + len(label) - len(label.lstrip()))))


# Values


def _is_computed(entry: Entry) -> bool:
    return entry.origin.startswith("computed: ")


def _with_unit(entry: Entry, text: str) -> str:
    """The value's text with its unit, if the value is one or more numbers."""
    has_unit = entry.setting.unit and next(numbers(entry.value), None) is not None
    return f"{text} {entry.setting.unit}" if has_unit else text


def _span(entry: Entry) -> str:
    return " .. ".join(map(_number, entry.setting.recommended or ()))


def _legal(entry: Entry) -> str:
    bounds = (
        ("more than", entry.setting.exclusive_min),
        *zip(("at least", "at most"), entry.setting.bounds, strict=True),
    )
    return ", ".join(f"{words} {_number(bound)}" for words, bound in bounds if bound is not None)


def _number(value: float) -> str:
    if 10_000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return re.sub(r"e([-+])0*", lambda found: f"e{found[1].strip('+')}", f"{value:g}")


def _short(value: Any) -> str:
    text = _long(value)
    if len(text) <= _WIDTH:
        return text
    if isinstance(value, (Mapping, list, tuple)):
        return f"{len(value)} {'entries' if isinstance(value, Mapping) else 'values'}"
    return f"{text[: _WIDTH - 3]}..."


def _long(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return _number(value) if isinstance(value, float) or abs(value) >= 10_000 else str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_long(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_long, value)) + "]"
    return str(value) or '""'
