"""`mjsdk explain`: what settings mean, and what to do with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from mjsdk.config.explain import Entry, Found, Item

_WIDTH = 30
"""Most characters of a value in a table; a setting on its own shows all of it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", rich_help_panel="Look")(explain)


def explain(
    path: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH", help="A setting or section, the end of its path, or words in it: learning_rate."
        ),
    ] = None,
    robot: Annotated[str | None, typer.Option(help="Show values for this robot ...", metavar="NAME")] = None,
    task: Annotated[str | None, typer.Option(help="... on this task, with all its terms.", metavar="NAME")] = None,
    extras: Annotated[
        list[str] | None, typer.Option("--with", help="Extra to load; repeatable.", metavar="NAME")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="cpu, gpu, stable, fast, faithful, or several joined by commas.", metavar="NAME")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain settings: value, default, unit, meaning, sane range and advice."""
    from mjsdk.config.explain import find

    items = _catalogue(robot, task, extras or [], preset)
    found = find(items, " ".join(path or []), composed=robot is not None)
    if as_json:
        _output.print_json(_data(found))
    elif not found.path:
        _print_overview(items)
    elif found.is_leaf:
        _print_leaf(found.entries[0], items)
    else:
        _print_section(found, items)


def _catalogue(robot: str | None, task: str | None, extras: Sequence[str], preset: str | None) -> list[Item]:
    from mjsdk.config.explain import catalogue

    if robot is None and task is None and not extras and preset is None:
        return catalogue()
    missing = [name for name, given in (("robot", robot), ("task", task)) if given is None]
    if robot is None or task is None:
        raise ConfigError(
            [Mistake(f"--{name}", "must be given too: values depend on robot and task") for name in missing]
        )
    from mjsdk.config.settings import compose
    from mjsdk.plugins import open_session

    session = open_session(robot, task, extras)
    composed = compose(session, preset=preset)
    return catalogue(composed.config, composed.origins, session.terms())


def _data(found: Found) -> dict[str, Any]:
    if found.is_leaf:
        return found.entries[0].as_json()
    return {"path": found.path, "settings": [entry.as_json() for entry in found.entries]}


# One setting


def _print_leaf(entry: Entry, items: Sequence[Item]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console = _output.console()
    console.print(Text(entry.path, "bold cyan"))
    console.print(Padding(Text(entry.setting.meaning), (0, 0, 1, 2)))
    console.print(Padding(_facts(_leaf_facts(entry, items)), (0, 0, 0, 2)))


def _facts(rows: Iterable[tuple[str, RenderableType]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name, "dim"), value)
    return grid


def _leaf_facts(entry: Entry, items: Sequence[Item]) -> Iterable[tuple[str, RenderableType]]:
    from rich.text import Text

    about = entry.setting
    yield "value", Text(_with_unit(entry, _long(entry.value)), "bold")
    yield "default", Text("-" if entry.default is None and entry.value is not None else _long(entry.default))
    yield "origin", Text(entry.origin)
    if about.sane:
        yield "sane range", Text(_span(entry))
    if about.choices:
        yield "choices", Text(", ".join(about.choices))
    if _legal(entry):
        yield "possible", Text(_legal(entry))
    if about.advice:
        yield "advice", Text(about.advice)
    if not _is_computed(entry):
        yield (
            "change it",
            Text(f"--{entry.path.replace('_', '-') if '<' not in entry.path else entry.path} VALUE", "cyan"),
        )
    yield from _consequences(entry, items)


def _consequences(entry: Entry, items: Sequence[Item]) -> Iterable[tuple[str, RenderableType]]:
    from rich.text import Text

    from mjsdk.config.explain import related

    known = {item.path: item for item in items}
    for i, path in enumerate(related(entry.path)):
        quantity: Any = known[path]
        unit = f" {quantity.setting.unit}" if quantity.setting.unit else ""
        formula = quantity.origin.removeprefix("computed: ")
        line = Text.assemble(path, " = ", (f"{_short(quantity.value)}{unit}", "bold"), (f"  {formula}", "dim"))
        yield "" if i else "decides", line


# A section


def _print_section(found: Found, items: Sequence[Item]) -> None:
    from rich.text import Text

    from mjsdk.config.explain import Section, related

    console = _output.console()
    if found.path == "presets":
        console.print(_preset_table())
        return
    head, *rest = found.items
    shown = rest if isinstance(head, Section) and head.path == found.path else found.items
    title = Text(found.path, "bold cyan")
    if isinstance(head, Section) and head.path == found.path:
        title.append(f"  {head.meaning}", "not bold default")
    console.print(title)
    _print_settings(shown, found.path)
    below = [item for item in items if item.path in related(found.path)]
    if below:
        console.print(Text("\nWhat follows from these settings", "bold"))
        _print_settings(below, "")


def _print_settings(items: Sequence[Item], base: str) -> None:
    """One line of facts per setting, and what it means below, where there is room to read it."""
    from rich.padding import Padding
    from rich.text import Text

    from mjsdk.config.explain import Entry

    console = _output.console()
    labels = [label for item, label in zip(items, _labels(items, base), strict=True) if not _told_by_heading(item)]
    items = [item for item in items if not _told_by_heading(item)]
    cells = [_cells(item, label) for item, label in zip(items, labels, strict=True) if isinstance(item, Entry)]
    widths = _fitting([max(map(len, column)) for column in zip(*(_HEADER, *cells), strict=True)], console.width - 2)
    console.print(Padding(Text(_row(_HEADER, widths), "dim"), (1, 0, 0, 2)))
    said: set[tuple[str, str]] = set()
    for item, label in zip(items, labels, strict=True):
        if isinstance(item, Entry):
            console.print(Padding(_facts_line(item, label, widths), (0, 0, 0, 2)))
            _print_meaning(item, label, said)
        else:
            console.print(Padding(_heading(item, label), (1, 0, 0, 2)))


def _fitting(widths: list[int], room: int) -> list[int]:
    """Widths of the columns, 0 for those left out because the line would not hold them."""
    for column in (4, 2, 3):
        if sum(widths) + 2 * len(widths) > room:
            widths[column] = 0
    return widths


_HEADER = ("setting", "value", "default", "sane range", "from")


def _cells(entry: Entry, label: str) -> tuple[str, str, str, str, str]:
    """Facts of one setting; the default and where the value is from only if it is not the default."""
    from mjsdk.config.explain import DEFAULT

    value = _short(entry.value)
    value = value if isinstance(entry.value, Mapping) else _with_unit(entry, value)
    if entry.origin == DEFAULT or _is_computed(entry):
        return (label, value, "", _span(entry), "")
    default = "" if entry.default is None else _short(entry.default)
    return (label, value, default, _span(entry), entry.origin)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell.ljust(width)}  " for cell, width in zip(cells, widths, strict=True) if width).rstrip()


def _facts_line(entry: Entry, label: str, widths: Sequence[int]) -> Text:
    from rich.text import Text

    cells = _cells(entry, label)
    styles = ("cyan", "bold" if cells[4] else "", "dim", "", "green")
    columns = zip(cells, widths, styles, strict=True)
    parts = [(f"{cell.ljust(width)}  ", style) for cell, width, style in columns if width]
    line = Text.assemble(*parts)
    line.rstrip()
    return line


def _print_meaning(entry: Entry, label: str, said: set[tuple[str, str]]) -> None:
    """Meaning, choices and advice; nothing where the same was said further up, as for the weight of every reward."""
    from rich.padding import Padding
    from rich.text import Text

    about = entry.setting
    key = (entry.path.rpartition(".")[2], f"{about.meaning} {about.advice}")
    if key in said or not about.meaning:
        return
    said.add(key)
    choices = f" One of {', '.join(about.choices)}." if about.choices else ""
    formula = f" = {entry.origin.removeprefix('computed: ')}." if _is_computed(entry) else ""
    advice = f" {about.advice}" if about.advice else ""
    indent = 6 + len(label) - len(label.lstrip())
    _output.console().print(
        Padding(Text.assemble(about.meaning, choices, formula, (advice, "italic"), style="dim"), (0, 0, 0, indent))
    )


def _heading(section: Any, label: str) -> Text:
    from rich.text import Text

    func = f"  ({section.func})" if section.func and section.func != label.strip() else ""
    return Text.assemble((label, "bold cyan"), "  ", section.meaning, (func, "dim"))


def _told_by_heading(item: Item) -> bool:
    """The function of a term stands in the heading of its group already."""
    return item.path.endswith(".func") and getattr(item, "value", None) is not None


def _labels(items: Sequence[Item], base: str) -> Iterable[str]:
    """Each item's path below the nearest heading above it, indented by how deep that is."""
    from mjsdk.config.explain import Section

    headings = [base] if base else []
    for item in items:
        while headings and not item.path.startswith(f"{headings[-1]}."):
            headings.pop()
        above = headings[-1] if headings else ""
        yield "  " * (len(headings) - bool(base)) + item.path.removeprefix(f"{above}.")
        if isinstance(item, Section):
            headings.append(item.path)


def _with_unit(entry: Entry, text: str) -> str:
    """The value's text with its unit, if the value is one or more numbers."""
    from mjsdk.config.schema import numbers

    return (
        f"{text} {entry.setting.unit}" if entry.setting.unit and next(numbers(entry.value), None) is not None else text
    )


def _is_computed(entry: Entry) -> bool:
    return entry.origin.startswith("computed: ")


def _span(entry: Entry) -> str:
    if not entry.setting.sane:
        return ""
    low, high = entry.setting.sane
    return f"{_number(low)} .. {_number(high)}"


def _legal(entry: Entry) -> str:
    low, high = entry.setting.legal
    parts = [f"more than {_number(entry.setting.above)}"] if entry.setting.above is not None else []
    parts += [f"at least {_number(low)}"] if low is not None else []
    parts += [f"at most {_number(high)}"] if high is not None else []
    return ", ".join(parts)


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


def _preset_table() -> Any:
    """What each preset sets, side by side."""
    from rich.text import Text

    from mjsdk.config.presets import PRESETS

    paths = dict.fromkeys(path for values in PRESETS.values() for path in values)
    rows = [
        (Text(path), *(_short(values[path]) if path in values else "" for values in PRESETS.values())) for path in paths
    ]
    return _output.table("What presets set, before a task's own numbers", ("setting", *PRESETS), rows)


# Everything


def _print_overview(items: Sequence[Item]) -> None:
    from rich.text import Text

    console = _output.console()
    rows = [(Text(path, "cyan"), meaning, str(count)) for path, meaning, count in _sections(items)]
    console.print(_output.table("Settings", ("section", "what", "settings"), rows, right=("settings",)))
    for command, what in _NEXT:
        console.print(Text.assemble(("  mjsdk explain " + command).ljust(58), (what, "dim")))
    _print_presets()


_NEXT = (
    ("agent.algorithm", "all settings of a section"),
    ("learning_rate", "one setting; the end of its path will do"),
    ("env.rewards --robot NAME --task NAME", "with the terms and values of a task"),
    ("computed", "what follows: sizes, rates, durations"),
    ("presets", "the numbers of each preset"),
)


def _print_presets() -> None:
    from rich.text import Text

    from mjsdk.config.presets import MEANINGS

    console = _output.console()
    console.print(
        _output.table("\nPresets", ("--preset", "for"), [(Text(name, "cyan"), text) for name, text in MEANINGS.items()])
    )


def _sections(items: Sequence[Item]) -> Iterable[tuple[str, str, int]]:
    """Sections of the first two levels, with the number of settings right in or, at the second level, below them."""
    from mjsdk.config.explain import Entry, Section

    entries = [item.path for item in items if isinstance(item, Entry)]
    for item in items:
        depth = item.path.count(".")
        if isinstance(item, Section) and depth < 2:
            below = [path for path in entries if path.startswith(f"{item.path}.") and (depth or path.count(".") == 1)]
            if item.path != "presets":
                yield item.path, item.meaning, len(below)
