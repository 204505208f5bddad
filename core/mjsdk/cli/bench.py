"""`mjsdk bench`: how fast an environment steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, Device, Physics
from mjsdk.cli.app import FREE_FLAGS

if TYPE_CHECKING:
    from mjsdk.bench import Result


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench", rich_help_panel="Look", context_settings=FREE_FLAGS)(bench)


def bench(
    context: typer.Context,
    robot: Annotated[str, typer.Option(help="The robot: name, package:name or ./file.py.")],
    task: Annotated[str, typer.Option(help="The task, likewise.")],
    num_envs: Annotated[int | None, typer.Option(help="Worlds.", show_default="the task's")] = None,
    blocks: Annotated[int, typer.Option(help="Blocks of steps to time.")] = 10,
    steps: Annotated[int, typer.Option(help="Control steps per block.")] = 20,
    preset: Annotated[
        str | None, typer.Option(help="Such as fast, faithful, gpu.", show_default="the device's")
    ] = None,
    device: Device = "auto",
    physics: Physics = "auto",
    with_: Annotated[list[str] | None, typer.Option("--with", help="Extra to load; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Time an environment against its physics alone.

    Both run the same states and controls in one process, in turns; overhead is the median of the ratios of their times.
    Settings can be changed as in `mjsdk train`: --env.sim.threads 1.
    """
    from mjsdk.mdp import core_terms
    from mjsdk.ops import ahead
    from mjsdk.plugins import open_session

    session = open_session(robot, task, with_ or (), core=core_terms)
    ahead.start(["mjsdk.mdp", *session.packages])
    from mjsdk.bench import benchmark, check_counts
    from mjsdk.config.overrides import parse_flags
    from mjsdk.config.settings import compose
    from mjsdk.env import make_env
    from mjsdk.physics import resolve

    check_counts(blocks, steps)
    overrides = parse_flags(context.args)
    if num_envs is not None:
        overrides.append(("env.scene.num_envs", num_envs))
    device, physics = resolve(device, physics)
    composed = compose(session, preset=preset, device=device, physics=physics, overrides=overrides)
    result = benchmark(make_env(composed.config, session, device=device, physics=physics), blocks, steps)
    if as_json:
        _output.print_json(result.to_json())
    else:
        _print(result, f"{robot}, {task}")


def _print(result: Result, title: str) -> None:
    rows = [
        ("environment", f"{result.env_steps_per_s:,.0f}"),
        ("physics alone", f"{result.physics_env_steps_per_s:,.0f}"),
    ]
    console = _output.console()
    console.print(_output.Table(f"{title}: {result.num_envs} worlds", ("", "steps/s"), rows, right=("steps/s",)))
    low, high = min(result.blocks), max(result.blocks)
    console.print(f"overhead {result.overhead:.3f} (median of {len(result.blocks)} blocks, {low:.3f} to {high:.3f})")
    console.print(f"A step of the environment takes {result.overhead:.2f} times as long as its physics alone.")
    threads = "1 thread" if result.threads == 1 else f"{result.threads} threads"
    console.print(f"physics '{result.physics}' on {threads}")
