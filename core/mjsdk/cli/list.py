"""`mjsdk list`: the installed plugins, from their metadata alone."""

from __future__ import annotations

from typing import Any

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, QuickCommand
from mjsdk.errors import PluginError, closest, listing

KINDS = {"robots": "robot", "tasks": "task", "extras": "extra"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    # A declared argument would import pydantic: half of this command's time.
    settings, metavar = {"allow_extra_args": True}, "[robots|tasks|extras] [OPTIONS]"
    command = app.command(
        "list", cls=QuickCommand, rich_help_panel="Look", options_metavar=metavar, context_settings=settings
    )
    command(list_plugins)


def list_plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List the installed robots, tasks and extras, or one kind of them."""
    from mjsdk.plugins.index import installed, status_of

    wanted = context.args
    for kind in wanted:
        if kind not in KINDS:
            raise PluginError(f"no kind of plugin '{kind}'{closest(kind, KINDS) or '.'} Legal: {listing(KINDS)}")
    refs = installed()
    data = {
        title: [
            {"name": r.name, "dist": r.dist, "version": r.version, "summary": r.summary, "status": status_of(r, refs)}
            for r in refs
            if r.kind == kind
        ]
        for title, kind in KINDS.items()
        if title in wanted or not wanted
    }
    if as_json:
        _output.print_json(data)
    else:
        _print(data)


def _print(data: dict[str, list[dict[str, Any]]]) -> None:
    from rich.text import Text

    console = _output.console()
    for title, plugins in data.items():
        if not plugins:
            console.print(f"no {title} installed\n")
            continue
        rows = []
        for p in plugins:
            status = Text(p["status"], "green" if p["status"] == "ok" else "bold red")
            rows.append((Text(p["name"], "bold cyan"), f"{p['dist']} {p['version']}", status, p["summary"]))
        console.print(_output.Table(title, ("name", "package", "status", "summary"), rows))
