"""`mjsdk config`: the composed settings as YAML, with where each value came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mjsdk.cli import _output, _streams
from mjsdk.cli._commands import Extras, Preset
from mjsdk.cli.app import FREE_FLAGS


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("config", rich_help_panel="Look", context_settings=FREE_FLAGS)(config)


def config(
    context: typer.Context,
    robot: Annotated[str, typer.Option(help="Robot: name, package:name or ./file.py.", metavar="NAME")],
    task: Annotated[str, typer.Option(help="Task, likewise.", metavar="NAME")],
    extras: Extras = None,
    preset: Preset = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N; chooses the preset cpu or gpu.", show_default="auto")
    ] = "",
    physics: Annotated[
        str, typer.Option(help="auto, cpu or warp; presets have numbers for each.", show_default="auto")
    ] = "",
    file: Annotated[Path | None, typer.Option("--config", help="YAML file of settings.", metavar="FILE")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.", metavar="FILE")] = None,
) -> None:
    """Print the composed settings as YAML, with the origin of each value that is not the default.

    Any setting is given as a dotted flag: --env.scene.num-envs 512; a term is removed by null: --env.events.push null.
    The output is a file for --config.
    """
    from mjsdk import files
    from mjsdk.config.overrides import parse_flags
    from mjsdk.config.settings import Given, as_yaml, compose_given
    from mjsdk.mdp import core_terms
    from mjsdk.physics import resolve
    from mjsdk.plugins import open_session

    flags = {"train.device": device, "train.physics": physics}
    overrides = [*parse_flags(context.args), *((path, value) for path, value in flags.items() if value)]
    session = open_session(robot, task, extras or [], core=core_terms)
    given = Given(preset=preset, file=file, overrides=overrides)
    where = (str(given.get(path, "auto")) for path in flags)
    composed = compose_given(session, given, *resolve(*where, here=False))
    for warning in composed.warnings:
        _output.warn(warning)
    text = as_yaml(composed)
    if output is None:
        _streams.release()
        typer.echo(text, nl=False)
        return
    with files.output(output) as file:
        file.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {output}", err=True)
