"""What `mjsdk bench` shows: one result, two physics side by side, or a sweep as it goes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import typer

from mjsdk.cli import _output
from mjsdk.errors import MjsdkError

if TYPE_CHECKING:
    from mjsdk.bench import Result
    from mjsdk.config import Config
    from mjsdk.device import Memory

_COLUMNS = ("worlds", "steps", "with learning", "env steps/s", "physics", "overhead", "memory")
_SHORT = ("--blocks", "3", "--steps", "8")
"""Enough of an environment where whole iterations are what counts."""


@attrs.frozen
class Asked:
    """What somebody wants to know."""

    title: str
    config: Config
    as_json: bool
    counts: tuple[int, int]
    """Blocks, and steps in each."""
    iterations: int

    @property
    def learning(self) -> list[str]:
        """Options by which another process times iterations."""
        return ["--with-learning", "--iterations", str(self.iterations)]


def with_that_of(device: str, preset: str | None) -> str:
    """A preset that is the same for both physics: that of the device, unless one that suits a device was given."""
    own = "gpu" if device.startswith("cuda") else "cpu"
    given = preset.split(",") if preset else []
    return ",".join(given if {"cpu", "gpu"}.intersection(given) else [own, *given])


def show(asked: Asked, result: Result) -> None:
    """One result."""
    if asked.as_json:
        _output.print_json(result.to_json())
        return
    console = _output.console()
    columns, title = ("", "steps/s"), f"{asked.title}: {result.num_envs} worlds"
    rows = [
        ("environment", f"{result.env_steps_per_s:,.0f}"),
        ("physics alone", f"{result.physics_env_steps_per_s:,.0f}"),
    ]
    if result.learning:
        rows.append(("with learning", f"{result.learning.env_steps_per_s:,.0f}"))
    console.print(_output.Table(title, columns, rows, right=("steps/s",)))
    low, high = min(result.blocks), max(result.blocks)
    console.print(f"overhead {result.overhead:.3f} (median of {len(result.blocks)} blocks, {low:.3f} to {high:.3f})")
    console.print(f"A step of the environment takes {result.overhead:.2f} times as long as its physics alone.")
    if result.learning:
        console.print(f"{result.learning.num_steps_per_env} steps and an update: {_split(result)}")
    console.print(f"physics '{result.physics}' on {_where(result)}, {_memory(result.memory)}")


def _split(result: Result) -> str:
    """Where the time of an iteration goes."""
    learning = result.learning
    if learning is None:
        return ""
    parts = {"physics": learning.physics_s, "environment": learning.environment_s, "learning": learning.learning_s}
    shares = ", ".join(f"{name} {seconds / learning.iteration_s:.0%}" for name, seconds in parts.items())
    return f"{learning.iteration_s:.2f} s ({shares})"


def _where(result: Result) -> str:
    threads = "1 thread" if result.threads == 1 else f"{result.threads} threads"
    device = result.device if result.device != "cpu" else threads
    return f"{device} of {result.device_name}"


def _memory(memory: Memory) -> str:
    own = f"{memory.own / 1e9:.2f} GB of memory here"
    return f"{own}, {memory.used / 1e9:.2f} of {memory.total / 1e9:.2f} GB in use by all" if memory.total else own


# Two physics


def show_both(asked: Asked, words: Sequence[str], with_learning: bool) -> None:
    """The same settings with both physics. Each of them has a process, and the memory that it shows, of its own."""
    device, worlds = asked.config.train.device, asked.config.env.scene.num_envs
    blocks, steps = asked.counts
    counts = ["--num-envs", str(worlds), "--blocks", str(blocks), "--steps", str(steps)]
    places = {"cpu": "cpu", "warp": device}
    results = {}
    for physics, where in places.items():
        typer.echo(f"timing the physics '{physics}' on {where} ...", err=True)
        place = ["--device", where, "--physics", physics]
        results[physics] = apart([*words, *counts, *place, *(asked.learning if with_learning else ())])
    if asked.as_json:
        _output.print_json({physics: result.to_json() for physics, result in results.items()})
        return
    title, names = f"{asked.title}: {worlds} worlds", tuple(results)
    cells = [_cells(result) for result in results.values()]
    rows = [(label, *(each[label] for each in cells)) for label in cells[0]]
    console = _output.console()
    console.print(_output.Table(title, ("physics", *names), rows, right=names))
    ratio = results["warp"].throughput / results["cpu"].throughput
    console.print(f"'warp' takes {ratio:.2f} times the steps of 'cpu', each with the preset's own numbers for it.")


def apart(words: Sequence[str]) -> Result:
    """The result of another process. Raises `MjsdkError` with what went wrong in it."""
    from mjsdk.bench.children import Failure, bench_apart

    result = bench_apart(words, _pass_on)
    if isinstance(result, Failure):
        raise MjsdkError(result.message)
    return result


@functools.cache
def _pass_on(line: str) -> None:
    """What a process says, once: others say the same."""
    typer.echo(line, err=True)


def _cells(result: Result) -> dict[str, str]:
    settings: dict[str, Any] = result.settings
    solver = f"{settings['solver']}, {settings['iterations']} iterations"
    cells = {
        "device": result.device_name if result.device != "cpu" else _where(result),
        "solver": solver,
        "time step": f"{settings['decimation']} x {1e3 * settings['timestep']:g} ms",
        "collisions": settings["collisions"] or "the model's",
        "environment [steps/s]": f"{result.env_steps_per_s:,.0f}",
        "physics alone [steps/s]": f"{result.physics_env_steps_per_s:,.0f}",
        "overhead": f"{result.overhead:.2f}",
        "memory here [GB]": f"{result.memory.own / 1e9:.2f}",
    }
    if result.learning:
        cells |= {"with learning [steps/s]": f"{result.learning.env_steps_per_s:,.0f}", "iteration": _split(result)}
    return cells


# Sweep


def show_sweep(asked: Asked, words: Sequence[str], sizes: Sequence[int], seconds: float) -> None:
    """Numbers of worlds, each in a process of its own, and which of them to take."""
    from mjsdk.bench import sweep
    from mjsdk.bench.children import Failure, bench_apart

    train, own_steps = asked.config.train, asked.config.agent.num_steps_per_env
    place = ["--device", train.device, "--physics", train.physics]

    def measure(num_envs: int, steps: int) -> Result | Failure:
        counts = ["--num-envs", str(num_envs), f"--agent.num-steps-per-env={steps}"]
        return bench_apart([*words, *place, *_SHORT, *asked.learning, *counts], _pass_on)

    on_row = (lambda result: None) if asked.as_json else _print_row
    if not asked.as_json:
        typer.echo(f"{asked.title}, physics '{train.physics}' on {train.device}; steps per second\n")
        typer.echo(_row(_COLUMNS))
    sizes = sorted(set(sizes)) or sweep.sizes_for(train.device)
    found = sweep.sweep(measure, sizes, own_steps, seconds, on_row)
    if isinstance(found, Failure):
        raise MjsdkError(found.message)
    if asked.as_json:
        _output.print_json(found.to_json())
    else:
        typer.echo(f"\nNo more worlds were tried: {found.stopped}.\n{_recommended(found)}")


def _recommended(found: Any) -> str:
    best = found.recommended
    if best is None:
        return f"Nothing to recommend: {found.reason}."
    steps = best.learning.num_steps_per_env
    batch = best.num_envs * steps
    return (
        f"Recommended: --env.scene.num-envs {best.num_envs} --agent.num-steps-per-env {steps}, "
        f"{batch:,} steps per iteration, {best.throughput:,.0f} steps/s.\nWhy: {found.reason}."
    )


def _print_row(result: Result) -> None:
    assert result.learning is not None
    memory = f"{result.memory.share:.0%}" if result.memory.total else "?"
    speeds = (result.throughput, result.env_steps_per_s, result.physics_env_steps_per_s)
    cells = (f"{result.num_envs:,}", str(result.learning.num_steps_per_env), *(f"{speed:,.0f}" for speed in speeds))
    typer.echo(_row((*cells, f"{result.overhead:.2f}", memory)))


def _row(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(len(column)) for cell, column in zip(cells, _COLUMNS, strict=True))
