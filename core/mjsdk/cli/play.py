"""`mjsdk play`: watch the policy of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import Checkpoint, Device, LogRoot, Noise, Physics, RunName, Sim, TrustCode
from mjsdk.cli.eval import find_checkpoint
from mjsdk.errors import ConfigError, Mistake

VIDEO_S = 16.0
"""Length of a video that nobody said the length of [s]."""
SHORTEST_S, LONGEST_S = 0.1, 86_400.0
LINE_EVERY_S = 5.0
"""Time between lines of progress [s]."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("play", rich_help_panel="Use a run")(play)


def play(
    run: RunName = "latest",
    video: Annotated[
        Path | None,
        typer.Option(
            help="Write a video (.mp4, .webm, .gif), open no window.",
            show_default="without a display RUN/play.mp4",
        ),
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds.", show_default="16 in a video")] = None,
    command: Annotated[
        str | None, typer.Option(help="Forward m/s, left m/s, yaw rate rad/s: 0.8,0,0.", show_default="several in turn")
    ] = None,
    checkpoint: Checkpoint = None,
    seed: Annotated[int, typer.Option(help="Seed of start pose and randomisation.")] = 1,
    sim: Sim = "faithful",
    noise: Noise = False,
    device: Device = "auto",
    physics: Physics = "auto",
    log_root: LogRoot = "logs",
    trust_code: TrustCode = False,
) -> None:
    """Watch the policy of a run in a window, or in a video where there is no display."""
    from mjsdk.evaluate.commands import parse_command
    from mjsdk.evaluate.setup import Options, check_options
    from mjsdk.play import make_show, play_video, play_window
    from mjsdk.render import check_video_path, has_display

    found, checkpoint = find_checkpoint(run, log_root, checkpoint, trust_code)
    unseen = video is None and not has_display()
    if unseen:
        video = found.path / "play.mp4"
    if video is not None:
        check_video_path(video)
    if duration is not None and not SHORTEST_S <= duration <= LONGEST_S:
        legal = f"at least {SHORTEST_S} s, and at most {LONGEST_S:g} s"
        raise ConfigError([Mistake("--duration", f"must be {legal}, not {duration:g}")])
    commands = [parse_command(command)] if command else None
    options = Options(num_envs=1, seed=seed, sim=sim, noise=noise, device=device, physics=physics)
    check_options(options)
    if unseen:
        typer.echo(f"there is no display to open a window on: writing the video {video}", err=True)
    show = make_show(found, options, checkpoint, commands)
    if video is None:
        play_window(show, duration)
        return
    length = duration or VIDEO_S
    with _progress(length) as on_step:
        falls = play_video(show, video, length, on_step)
    typer.echo(f"wrote {video}" + (f" ({_falls(falls, length)})" if falls else ""))


def _falls(count: int, duration_s: float) -> str:
    """Videos have different lengths: a rate can be compared."""
    return f"{count} {'fall' if count == 1 else 'falls'} in {duration_s:g} s, {60.0 * count / duration_s:.0f} a minute"


@contextmanager
def _progress(duration_s: float) -> Iterator[Callable[[float], None]]:
    """A bar on stderr; a line every few seconds where that is not a terminal."""
    console = _output.console(stderr=True)
    if not console.is_terminal:
        yield _lines(duration_s)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("drawing"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:g} s of video"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=duration_s)
        yield lambda time_s: progress.update(task, completed=time_s)


def _lines(duration_s: float) -> Callable[[float], None]:
    last = time.monotonic()

    def on_step(time_s: float) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            typer.echo(f"drawing: {time_s:.0f} of {duration_s:g} s of video", err=True)

    return on_step
