"""`mjsdk verify-physics`: whether MuJoCo Warp and native MuJoCo do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, Preset
from mjsdk.cli.app import FREE_FLAGS

if TYPE_CHECKING:
    from mjsdk.verify import Comparison, Quantity, Result


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify-physics", rich_help_panel="Look", context_settings=FREE_FLAGS)(verify_physics)


def verify_physics(
    context: typer.Context,
    robot: Annotated[str, typer.Option(help="The robot: name, package:name or ./file.py.")],
    task: Annotated[str, typer.Option(help="The task, likewise.")],
    states: Annotated[int, typer.Option(help="States to take a step from.")] = 100,
    kind: Annotated[
        str, typer.Option(help="States of short episodes with small random actions (walking), or random ones (wild).")
    ] = "walking",
    seed: Annotated[int, typer.Option(help="Seed of the states.")] = 0,
    preset: Preset = None,
    device: Annotated[str, typer.Option(help="Where MuJoCo Warp runs: auto, cpu, cuda or cuda:N.")] = "auto",
    with_: Annotated[list[str] | None, typer.Option("--with", help="Extra to load; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare one physics step of MuJoCo Warp with one of native MuJoCo, from the same states.

    Exits with 0 if both agree, or differ only in states with a known cause, else with 1. Settings can be changed as in
    `mjsdk train`: --env.scene.collisions feet.
    """
    from mjsdk.mdp import core_terms
    from mjsdk.ops import ahead
    from mjsdk.plugins import open_session

    session = open_session(robot, task, with_ or (), core=core_terms)
    ahead.start(["mjsdk.mdp", *session.packages])
    from mjsdk import verify
    from mjsdk.config.overrides import parse_flags
    from mjsdk.config.settings import compose
    from mjsdk.physics import resolve_device

    where = resolve_device(device)
    composed = compose(session, preset=preset, device=where, overrides=parse_flags(context.args))
    config, replaced = verify.with_equal_solver(composed)
    if replaced:
        _output.note(replaced)
    result = verify.verify_physics(config, session, device=where, states=states, kind=kind, seed=seed)
    if as_json:
        _output.print_json(result.to_json())
    else:
        _print(result, f"{robot}, {task}")
    if result.comparison.verdict == "differs":
        raise typer.Exit(1)


_NUMBERS = ("tolerance", "largest", "median", "states beyond")
_CAUSES = ("known cause of differences", "states with it", "of these differ")


def _print(result: Result, title: str) -> None:
    console, found = _output.console(), result.comparison
    rows = [
        (each.name, _tolerance(each), f"{each.largest:.1e}", f"{each.median:.1e}", each.beyond)
        for each in found.quantities
    ]
    title = f"{title}: {found.states} {result.kind} states, {found.in_contact} with contacts ({result.collisions})"
    console.print(_output.Table(title, ("difference [SI]", *_NUMBERS), rows, right=_NUMBERS))
    if found.causes:
        causes = [(each.name, each.states, each.differing) for each in found.causes]
        console.print(_output.Table("", _CAUSES, causes, right=_CAUSES[1:]))
    console.print(_setup(result), soft_wrap=True)
    for lost in found.overflow:
        console.print(lost, soft_wrap=True)
    console.print(_verdict(found))


def _tolerance(quantity: Quantity) -> str:
    share = f" or {quantity.share:.1%}" if quantity.share else ""
    return f"{quantity.tolerance:g}{share}"


def _setup(result: Result) -> str:
    solver, sizes = result.solver, result.comparison.sizes
    return (
        f"one step of {solver['timestep'] * 1e3:g} ms, {solver['solver']} with {solver['iterations']} iterations and "
        f"{solver['ls_iterations']} of the line search\nMuJoCo Warp on {result.device} with memory for "
        f"{sizes.nconmax} contacts and {sizes.njmax} solver rows per world"
    )


def _verdict(found: Comparison) -> str:
    count, of = len(found.differing), found.states
    if found.verdict == "agrees":
        return f"agrees: all {of} states are within the tolerances."
    if found.verdict == "known causes":
        return f"agrees but for known causes: {count} of {of} states differ, all of them with a known cause."
    if found.overflow:
        return "differs: memory for MuJoCo Warp is too small."
    numbers = ", ".join(map(str, found.unexplained[:5])) + (", ..." if len(found.unexplained) > 5 else "")
    return (
        f"differs: {count} of {of} states, {len(found.unexplained)} of them without a known cause (states {numbers})."
    )
