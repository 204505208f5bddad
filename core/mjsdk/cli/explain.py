"""`mjsdk explain`: what settings mean, and what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, Device, Extras, Physics, Preset
from mjsdk.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from mjsdk.config.explain import Item


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
    extras: Extras = None,
    preset: Preset = None,
    device: Device = "auto",
    physics: Physics = "auto",
    as_json: AsJson = False,
) -> None:
    """Explain settings: value, default, unit, meaning, recommended range and advice."""
    from mjsdk.config.explain import find

    items = _catalogue(robot, task, extras or [], preset, (device, physics))
    found = find(items, " ".join(path or []), composed=robot is not None)
    if as_json:
        settings = [entry.as_json() for entry in found.entries]
        _output.print_json(settings[0] if found.is_leaf else {"path": found.path, "settings": settings})
        return
    from mjsdk.cli import _explained

    if not found.path:
        _explained.print_overview(items)
    elif found.is_leaf:
        _explained.print_setting(found.entries[0], items)
    else:
        _explained.print_section(found, items)


def _catalogue(
    robot: str | None, task: str | None, extras: Sequence[str], preset: str | None, where: tuple[str, str]
) -> list[Item]:
    from mjsdk.config.explain import catalogue

    if robot is None and task is None and not extras and preset is None and where == ("auto", "auto"):
        return catalogue()
    if robot is None or task is None:
        missing = [name for name, given in (("robot", robot), ("task", task)) if given is None]
        needed = "must be given too: values depend on robot and task"
        raise ConfigError([Mistake(f"--{name}", needed) for name in missing])
    from mjsdk.config.settings import compose
    from mjsdk.mdp import core_terms
    from mjsdk.physics import resolve
    from mjsdk.plugins import open_session

    session = open_session(robot, task, extras, core=core_terms)
    device, physics = resolve(*where, here=False)
    composed = compose(session, preset=preset, device=device, physics=physics)
    return catalogue(composed.config, composed.origins, session.terms())
