"""`mjsdk explain`: what settings mean, and what to do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from mjsdk.config.explain import Entry, Found, Item

_WIDTH = 30
"""Most characters of a value in a table; a setting on its own shows all of it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", rich_help_panel="Look")(explain)


def explain(
    path: Annotated[
        str,
        typer.Argument(metavar="[PATH]", help="A setting or section, or the end of one: learning_rate, env.rewards."),
    ] = "",
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
    found = find(items, path, composed=robot is not None)
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
    from mjsdk.config.layers import compose
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


def _facts(rows: Iterable[tuple[str, RenderableType]]) -> Table:
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
    yield "value", Text.assemble((_long(entry.value), "bold"), f" {about.unit}" if about.unit else "")
    yield "default", Text(_long(entry.default))
    yield "origin", Text(entry.origin)
    if about.sane:
        yield "sane range", Text(_span(entry))
    if about.choices:
        yield "choices", Text(", ".join(about.choices))
    if _legal(entry):
        yield "possible", Text(_legal(entry))
    if about.advice:
        yield "advice", Text(about.advice)
    if not entry.origin.startswith("computed"):
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
    head, *rest = found.items
    shown = rest if isinstance(head, Section) and head.path == found.path else found.items
    title = Text(found.path, "bold cyan")
    if isinstance(head, Section) and head.path == found.path:
        title.append(f"  {head.meaning}", "not bold default")
    console.print(title)
    console.print(_section_table(shown, found.path))
    below = [item for item in items if item.path in related(found.path)]
    if below:
        console.print(Text("What follows from these settings", "bold"))
        console.print(_section_table(below, ""))
    console.print(Text("A value that is not the default stands above the layer that it comes from.", "dim"))


def _section_table(items: Sequence[Item], base: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from mjsdk.config.explain import Section

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    for name, width in (("setting", 34), ("value", 18), ("default", 12), ("sane range", 13), ("meaning", None)):
        table.add_column(name, overflow="fold", max_width=width, ratio=None)
    for item in items:
        name = Text(_indented(item.path, base))
        if isinstance(item, Section):
            name.stylize("bold")
            table.add_row(name, "", "", "", Text.assemble((item.meaning, "italic"), (f"  {item.func}", "dim")))
        elif not _told_by_heading(item):
            table.add_row(name, _value_cell(item), Text(_short(item.default), "dim"), _span(item), _meaning_cell(item))
    return table


def _told_by_heading(entry: Entry) -> bool:
    """The function of a term stands in the heading of its group already."""
    return entry.path.endswith(".func") and entry.value is not None


def _indented(path: str, base: str) -> str:
    """The path below that of the table, indented by how deep it is."""
    if not base or not path.startswith(f"{base}."):
        return path
    keys = path.removeprefix(f"{base}.").split(".")
    return "  " * (len(keys) - 1) + keys[-1]


def _value_cell(entry: Entry) -> Text:
    from rich.text import Text

    from mjsdk.config.explain import DEFAULT

    unit = f" {entry.setting.unit}" if entry.setting.unit and entry.value is not None else ""
    if entry.origin == DEFAULT:
        return Text(_short(entry.value) + unit)
    origin = entry.origin.removeprefix("computed: ")
    return Text.assemble((_short(entry.value) + unit, "bold"), "\n", (origin, "dim green"))


def _meaning_cell(entry: Entry) -> Text:
    from rich.text import Text

    about = entry.setting
    choices = f" One of {', '.join(about.choices)}." if about.choices else ""
    return Text.assemble(about.meaning, choices, (f" {about.advice}" if about.advice else "", "dim"))


def _span(entry: Entry) -> str:
    if not entry.setting.sane:
        return ""
    low, high = entry.setting.sane
    return f"{_number(low)} to {_number(high)}"


def _legal(entry: Entry) -> str:
    low, high = entry.setting.legal
    parts = [f"more than {_number(entry.setting.above)}"] if entry.setting.above is not None else []
    parts += [f"at least {_number(low)}"] if low is not None else []
    parts += [f"at most {_number(high)}"] if high is not None else []
    return ", ".join(parts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:g}"


def _short(value: Any) -> str:
    text = _long(value)
    if len(text) <= _WIDTH:
        return text
    if isinstance(value, (Mapping, list, tuple)):
        return f"{len(value)} {'entries' if isinstance(value, Mapping) else 'values'}"
    return f"{text[: _WIDTH - 3]}..."


def _long(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return _number(value) if isinstance(value, float) or abs(value) >= 10_000 else str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_long(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_long, value)) + "]"
    return str(value) or '""'


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
            yield item.path, item.meaning, len(below)
