"""The command line: one small module per command, found by name in `COMMANDS`.

How to write a command, in `cli/<name>.py`:

    def register(app: typer.Typer) -> None:
        app.command("name", rich_help_panel="Learn")(name)      # a panel of mjsdk.cli._commands.PANELS

    def name(robot: Annotated[str, typer.Option(help="...")]) -> None:
        '''First line: what `mjsdk --help` shows.'''
        from mjsdk.learn.start import begin                     # heavy imports go inside

* Importing the module is light: typer, the standard library, `mjsdk.errors` and `mjsdk.cli._output`; nothing else.
* Print with `mjsdk.cli._output`: `console()` and `Table` for people, `print_json(data)` for `--json`, `warn(text)`
  for warnings on stderr. Warnings of loggers below `mjsdk` appear on stderr by themselves.
* Raise `MjsdkError`s and do not catch them: `main` prints `error: ...` on stderr and exits with 2. For other exit codes
  raise `typer.Exit(code)`.
* Free dotted settings (`--env.scene.num-envs 512`): register with `context_settings=FREE_FLAGS`, take
  `context: typer.Context` and parse `context.args`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import typer

from mjsdk.cli._commands import Commands

COMMANDS = ("train", "play", "eval", "compare", "plot", "list", "show", "explain", "config", "bench", "verify-physics")
"""Commands in the order of the help. The module of that name, with `_` for `-`, has `register`, which adds it."""

FREE_FLAGS: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True}
"""`context_settings` of commands that take dotted settings."""

_HELP = "Train robots on tasks in MuJoCo: any installed robot on any installed task."
_EPILOG = "`mjsdk COMMAND --help` tells more; `mjsdk explain` tells about every setting of a training."


def build(args: Sequence[str] = ()) -> typer.Typer:
    """The application, with only the command that `args` name if they name one: it starts faster than with all."""
    app = typer.Typer(
        name="mjsdk",
        cls=Commands,
        help=_HELP,
        epilog=_EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback()(_root)
    for name in args[:1] if args and args[0] in COMMANDS else COMMANDS:
        importlib.import_module(f"mjsdk.cli.{name.replace('-', '_')}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from mjsdk import __version__

        typer.echo(f"mjsdk {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass
