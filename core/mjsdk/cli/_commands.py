"""How commands parse and print their help: grouped by panel, without rich or pydantic; options that several take."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mjsdk.errors import shortened

_UsageError: Any = typer.BadParameter.__mro__[1]
"""What typer raises for any mistake in a command line; it does not export the name."""

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Folder, name of a run, or `latest`; RUN/model_100.pt for a checkpoint.")
]
NumEnvs = Annotated[int, typer.Option(help="Worlds, rounded up to the same number per command.")]
Seed = Annotated[int, typer.Option(help="Seed of start poses, randomisation and pushes.")]
Sim = Annotated[str, typer.Option(help="How exact the physics is: faithful, fast or as-trained.")]
Noise = Annotated[bool, typer.Option("--noise", help="Keep the observation noise of the training.")]
Push = Annotated[bool, typer.Option("--push", help="Push with 0.5 m/s in a random direction every 3 s.")]
Physics = Annotated[str, typer.Option(help="What steps them: auto, cpu or warp; auto is warp on a CUDA device.")]
Device = Annotated[str, typer.Option(help="Where the worlds are: auto, cpu, cuda or cuda:N.")]
LogRoot = Annotated[str, typer.Option(help="Where `latest` and names of runs are looked for.")]
TrustCode = Annotated[
    bool, typer.Option("--trust-code", help="Run plugin files of a run that was not trained here, now and later.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Checkpoint = Annotated[str | None, typer.Option(help="Such as model_100.pt.", show_default="the newest")]
Extras = Annotated[list[str] | None, typer.Option("--with", help="Extra to load; repeatable.", metavar="NAME")]
Preset = Annotated[
    str | None, typer.Option(help="cpu, gpu, stable, fast, faithful, or several joined by commas.", metavar="NAME")
]

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
