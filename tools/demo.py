"""`make demo`: three minutes of training, and what they bring.

Trains a humanoid to walk as commanded, evaluates the policy before and after, films both, and draws the curve,
all with the command line that everybody has: what it runs is what it prints.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

LOGS = "logs"
ROWS = (
    ("stays up", ("survival", "rate"), "{:.0%}"),
    ("length of an episode [s]", ("mean_episode_length_s",), "{:.1f}"),
    ("reward of an episode", ("mean_reward",), "{:.1f}"),
    ("error of the velocity [m/s]", ("metrics", "lin_vel_error"), "{:.2f}"),
    ("error of the yaw rate [rad/s]", ("metrics", "ang_vel_error"), "{:.2f}"),
)
"""What the table shows: label, where it is in the report, format."""
BEFORE_S, AFTER_S = 4.0, 8.0
"""Lengths of the videos [s]: an untrained robot does the same again and again."""
ENOUGH_MINUTES, ENOUGH_ITERATIONS = 2.0, 150
"""Below one of these no robot has learnt to walk."""

console = Console(highlight=False)


def main() -> None:
    """Run the demo."""
    options = parse()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    logs = folder / LOGS
    begin = time.monotonic()
    train(options, logs)
    run = newest_run(logs)
    checkpoints = {"before": "model_0.pt", "after": newest_checkpoint(run)}
    reports = {when: evaluate(run, name, options.eval_worlds) for when, name in checkpoints.items()}
    (folder / "evaluation.json").write_text(json.dumps(reports, indent=2) + "\n")
    film(run, folder / "before.mp4", "model_0.pt", min(BEFORE_S, options.seconds))
    film(run, folder / "after.mp4", checkpoints["after"], options.seconds)
    mjsdk("plot", run, "--output", folder / "learning.png")
    shutil.copy(run / "config.yaml", folder / "config.yaml")
    show(reports, folder, run)
    close(options.minutes, newest_checkpoint(run), time.monotonic() - begin)


def parse() -> argparse.Namespace:
    """Options of this script; the defaults are the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--robot", default="g1")
    parser.add_argument("--task", default="velocity")
    parser.add_argument("--minutes", type=float, default=3.0, help="time to train for")
    parser.add_argument("--seconds", type=float, default=AFTER_S, help="length of the video of the trained robot")
    parser.add_argument("--eval-worlds", type=int, default=64, help="worlds of the evaluation")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where everything goes")
    return parser.parse_args()


def train(options: argparse.Namespace, logs: Path) -> None:
    """Train, with the progress on the terminal."""
    what = ("--robot", options.robot, "--task", options.task, "--minutes", options.minutes)
    mjsdk("train", *what, "--log-root", logs, "--run-name", "demo")


def evaluate(run: Path, checkpoint: str, worlds: int) -> dict[str, Any]:
    """The report of one checkpoint."""
    text = mjsdk("eval", run, "--checkpoint", checkpoint, "--num-envs", worlds, "--json", capture=True)
    report: dict[str, Any] = json.loads(text)
    return report


def film(run: Path, video: Path, checkpoint: str, seconds: float) -> None:
    """A video of one checkpoint."""
    mjsdk("play", run, "--video", video, "--checkpoint", checkpoint, "--duration", f"{seconds:g}")


def mjsdk(*arguments: object, capture: bool = False) -> str:
    """Print a command of mjsdk and run it; ends the demo if it fails."""
    words = [str(argument) for argument in arguments]
    console.print(f"\n[bold cyan]$ mjsdk {shlex.join(words)}[/bold cyan]", soft_wrap=True)
    program = Path(sys.executable).with_name("mjsdk")
    done = subprocess.run([program, *words], stdout=subprocess.PIPE if capture else None, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def newest_run(logs: Path) -> Path:
    """The run that was just made."""
    from mjsdk.runs import find_run

    return find_run("latest", logs).path


def newest_checkpoint(run: Path) -> str:
    """The name of its last checkpoint."""
    from mjsdk.runs import Run

    return Run(run).newest_checkpoint().name


def show(reports: dict[str, dict[str, Any]], folder: Path, run: Path) -> None:
    """Print before and after, and where everything is."""
    table = Table(title="before and after", title_justify="left")
    for column in ("", *reports):
        table.add_column(column, justify="left" if not column else "right")
    for label, path, form in ROWS:
        table.add_row(Text(label), *(cell(report, path, form) for report in reports.values()))
    console.print("", table)
    lines = {
        "video": folder / "after.mp4",
        "untrained": folder / "before.mp4",
        "learning curve": folder / "learning.png",
        "evaluation": folder / "evaluation.json",
        "run": run,
    }
    for label, place in lines.items():
        console.print(f"{label:<15} {place}", soft_wrap=True)


def close(minutes: float, checkpoint: str, seconds: float) -> None:
    """Say what the result is worth, and what comes next."""
    iterations = int(checkpoint.removeprefix("model_").removesuffix(".pt"))
    console.print(f"\n{seconds / 60:.1f} minutes in all.")
    if minutes < ENOUGH_MINUTES or iterations < ENOUGH_ITERATIONS:
        console.print(too_short(minutes, iterations), style="yellow")
    console.print("Next, in this shell: . .venv/bin/activate, then mjsdk train --help, mjsdk explain, README.md")


def too_short(minutes: float, iterations: int) -> str:
    """What to expect of so little training."""
    return (
        f"{iterations} iterations in {minutes:g} minutes are too few to learn to walk: that takes at least "
        f"{ENOUGH_ITERATIONS}. Train longer: make demo DEMO_ARGS='--minutes 10'"
    )


def cell(report: dict[str, Any], path: tuple[str, ...], form: str) -> str:
    """A number of a report; a dash for what could not be measured."""
    value: Any = report
    for key in path:
        value = value[key]
    return "-" if value is None else form.format(value)


if __name__ == "__main__":
    main()
