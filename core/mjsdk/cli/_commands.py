"""How commands parse and print their help: grouped by panel, and without importing rich or pydantic."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mjsdk.errors import shortened

_UsageError: Any = typer.BadParameter.__mro__[1]
"""What typer raises for any mistake in a command line; it does not export the name."""

PANELS = ("Learn", "Use a run", "Look")
"""Groups of commands in the help, in order."""


class _Quick:
    """Gives an unused `--help` the value False: for a missing value typer imports pydantic, which takes 0.1 s."""

    def get_help_option(self, ctx: Any) -> Any:
        """The `--help` option."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.default = False
        return option


class QuickCommand(_Quick, TyperCommand):
    """A command that starts fast, as long as its parameters are switches."""


class Commands(_Quick, TyperGroup):
    """The command group: its help lists the commands by panel, without the cost of importing rich."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section per panel."""
        panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in PANELS}
        for name, command in self.commands.items():
            if not command.hidden:
                panel = getattr(command, "rich_help_panel", None)
                rows = panels.setdefault(panel if isinstance(panel, str) else "Commands", [])
                rows.append((name, command.get_short_help_str(200)))
        for title, rows in panels.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what typer says of a value that it cannot read gets the value itself, cut if it is long."""
        try:
            return super().invoke(ctx)
        except _UsageError as error:
            causes: list[Any] = getattr(error.__cause__, "errors", list)()
            if causes and isinstance(causes[0], dict) and "input" in causes[0]:
                error.message = f"'{causes[0]['input']}' ({error.message})"
            error.message = shortened(error.message, 400)
            raise

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of registration."""
        return list(self.commands)
