"""`mjsdk bench`: how fast an environment steps and learns, and how many worlds suit this machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer

from mjsdk.cli import _benched
from mjsdk.cli._commands import AsJson, Device, Physics
from mjsdk.cli.app import FREE_FLAGS
from mjsdk.errors import Mistake, refuse, shortened

_EPILOG = """\b
Examples:
  mjsdk bench --robot R --task T                     an environment and its physics alone
  mjsdk bench --robot R --task T --with-learning     whole iterations of a training, too
  mjsdk bench --robot R --task T --compare-physics   native MuJoCo and MuJoCo Warp side by side
  mjsdk bench --robot R --task T --sweep             which number of worlds suits this machine
"""
_MINUTES, _MOST_MINUTES = 10.0, 1e4
_MOST_WORLDS = 10_000_000

_what, _how, _sweep = (
    partial(typer.Option, rich_help_panel=panel) for panel in ("What is measured", "How", "With --sweep")
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench", rich_help_panel="Look", context_settings=FREE_FLAGS, epilog=_EPILOG)(bench)


def bench(
    context: typer.Context,
    robot: Annotated[str, _what(help="The robot: name, package:name or ./file.py.")],
    task: Annotated[str, _what(help="The task, likewise.")],
    num_envs: Annotated[int | None, _how(help="Worlds.", show_default="the task's")] = None,
    blocks: Annotated[int, _how(help="Blocks of steps to time.")] = 10,
    steps: Annotated[int, _how(help="Control steps per block.")] = 20,
    with_learning: Annotated[bool, _what("--with-learning", help="Time whole iterations of a training, too.")] = False,
    iterations: Annotated[int, _how(help="How many of them, after a first one.")] = 3,
    compare: Annotated[
        bool, _what("--compare-physics", help="The same with native MuJoCo and with MuJoCo Warp.")
    ] = False,
    sweep: Annotated[bool, _what("--sweep", help="Try numbers of worlds, with learning, and recommend one.")] = False,
    sizes: Annotated[str, _sweep(help="Numbers of worlds to try, such as 64,128.", show_default="the device's")] = "",
    minutes: Annotated[float | None, _sweep(help="Time for all of them.", show_default="10")] = None,
    preset: Annotated[str | None, _how(help="Such as fast, faithful, gpu.", show_default="the device's")] = None,
    device: Device = "auto",
    physics: Physics = "auto",
    with_: Annotated[list[str] | None, _what("--with", help="Extra to load; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Time an environment against its physics alone, and what else is asked for.

    Both run the same states and controls in one process, in turns; overhead is the median of the ratios of their times.
    Settings can be changed as in `mjsdk train`: --env.sim.threads 1.
    """
    from mjsdk.mdp import core_terms
    from mjsdk.ops import ahead
    from mjsdk.plugins import open_session

    session = open_session(robot, task, with_ or (), core=core_terms)
    ahead.start(["mjsdk.mdp", *session.packages])
    from mjsdk.bench import check_counts, measure
    from mjsdk.config.overrides import parse_flags
    from mjsdk.config.settings import compose
    from mjsdk.physics.select import PHYSICS, resolve

    check_counts(blocks, steps, iterations)
    refuse([*_contradictions(num_envs, compare, sweep, physics), *_bad_sweep(sweep, sizes, minutes)])
    overrides = parse_flags(context.args)
    if num_envs is not None:
        overrides.append(("env.scene.num_envs", num_envs))
    device, physics = resolve(device, physics)
    if compare:
        preset = _benched.with_that_of(device, preset)
    composed = partial(compose, session, preset=preset, device=device, overrides=overrides)
    # What one of them does not have is known before the other is timed.
    configs = {each: composed(physics=each).config for each in (PHYSICS if compare else (physics,))}
    config = configs[physics]
    config.train.device, config.train.physics = device, physics
    asked = _benched.Asked(f"{robot}, {task}", config, as_json, (blocks, steps), iterations)
    words = ["--robot", robot, "--task", task, *(word for extra in with_ or () for word in ("--with", extra))]
    words += [*(["--preset", preset] if preset else []), *context.args]
    if sweep:
        _benched.show_sweep(
            asked, words, [int(size) for size in sizes.split(",") if size], 60.0 * (minutes or _MINUTES)
        )
    elif compare:
        _benched.show_both(asked, words, with_learning)
    else:
        _benched.show(asked, measure(config, session, blocks, steps, iterations if with_learning else 0))


def _contradictions(num_envs: int | None, compare: bool, sweep: bool, physics: str) -> Iterator[Mistake]:
    if sweep and compare:
        yield Mistake("--sweep", "finds a number of worlds for one physics: leave out --compare-physics")
    if sweep and num_envs is not None:
        yield Mistake("--num-envs", "is what --sweep finds out: leave out one of them, or give --sizes")
    if compare and physics != "auto":
        yield Mistake("--physics", f"{physics} is one physics, and --compare-physics takes both: leave out one of them")


def _bad_sweep(sweep: bool, sizes: str, minutes: float | None) -> Iterator[Mistake]:
    for flag, given in (("--sizes", bool(sizes)), ("--minutes", minutes is not None)):
        if given and not sweep:
            yield Mistake(flag, "is for --sweep alone: give that too, or leave it out")
    for size in sizes.split(",") if sizes else ():
        if not (size.isdecimal() and size.isascii() and 1 <= int(size) <= _MOST_WORLDS):
            legal = f"whole numbers from 1 to {_MOST_WORLDS}, joined by commas"
            yield Mistake("--sizes", f"'{shortened(size)}' is not a number of worlds; give {legal}")
    if minutes is not None and not 0 < minutes <= _MOST_MINUTES:
        yield Mistake("--minutes", f"{minutes:g} is not a time to measure for; give a number above 0, and finite")
