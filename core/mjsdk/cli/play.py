"""`mjsdk play`: watch the policy of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mjsdk.cli.eval import Device, LogRoot, RunName


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("play", rich_help_panel="Use a run")(play)


def play(
    run: RunName = "latest",
    video: Annotated[Path | None, typer.Option(help="Write a video (.mp4, .webm, .gif), open no window.")] = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="Seconds.", show_default="16 in a video")] = None,
    command: Annotated[
        str | None, typer.Option(help="Forward m/s, left m/s, yaw rate rad/s: 0.8,0,0.", show_default="several in turn")
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Such as model_100.pt.", show_default="the newest")] = None,
    seed: Annotated[int, typer.Option(help="Seed of start pose and randomisation.")] = 1,
    sim: Annotated[str, typer.Option(help="Physics: faithful, fast or as-trained.")] = "faithful",
    noise: Annotated[bool, typer.Option("--noise", help="Keep the observation noise of the training.")] = False,
    device: Device = "cpu",
    log_root: LogRoot = Path("logs"),
) -> None:
    """Watch the policy of a run in a window, or in a video where there is no display."""
    from mjsdk.evaluate import Options, parse_command
    from mjsdk.play import make_show, play_video, play_window
    from mjsdk.render import check_display, check_video_path
    from mjsdk.runs import find_run

    if video is None:
        check_display()
    else:
        check_video_path(video)
    commands = [parse_command(command)] if command else None
    options = Options(num_envs=1, seed=seed, sim=sim, noise=noise, device=device)
    show = make_show(find_run(run, log_root), options, checkpoint, commands)
    if video is None:
        play_window(show, duration)
        return
    falls = play_video(show, video, duration or 16.0)
    typer.echo(f"wrote {video}" + (f" ({falls} falls)" if falls else ""))
