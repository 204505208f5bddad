"""Measures what a user waits for, as one table: throughput, start-up of the commands, time to the first iteration."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mjsdk.runtime import available_threads

MJSDK = Path(sys.executable).with_name("mjsdk")
WHAT = ("--robot", "g1", "--task", "velocity")
STARTS = (("list",), ("--help",), ("--version",), ("train", "--help"))
REPEATS = 5


def run(*arguments: str, cwd: str | None = None) -> tuple[str, float]:
    """What `mjsdk ARGUMENTS` printed, and its wall time [s]."""
    start = time.perf_counter()
    done = subprocess.run([MJSDK, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"mjsdk {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout, seconds


def throughput(num_envs: list[int]) -> Table:
    """Steps per second for each number of worlds."""
    table = Table("worlds", "threads", "env steps/s", "physics alone", "overhead", title="Throughput")
    for count in num_envs:
        facts = json.loads(run("bench", *WHAT, "--num-envs", str(count), "--json")[0])
        speeds = (f"{facts['env_steps_per_s']:,.0f}", f"{facts['physics_env_steps_per_s']:,.0f}")
        table.add_row(str(facts["num_envs"]), str(facts["threads"]), *speeds, f"{facts['overhead']:.2f}")
    return table


def first_iteration() -> float:
    """Wall time of a training of one iteration, from the command to its end [s]."""
    with tempfile.TemporaryDirectory() as folder:
        return run("train", *WHAT, "--device", "cpu", "--agent.max-iterations", "1", cwd=folder)[1]


def waits() -> Table:
    """Best wall time of each command."""
    table = Table("command", "seconds", title="Waiting")
    for arguments in STARTS:
        table.add_row("mjsdk " + " ".join(arguments), f"{min(run(*arguments)[1] for _ in range(REPEATS)):.2f}")
    table.add_row("mjsdk train, one iteration from start to end", f"{first_iteration():.1f}")
    return table


def main() -> None:
    """Measure and print."""
    console = Console()
    console.print(f"{available_threads()} CPU cores")
    console.print(waits())
    console.print(throughput([int(count) for count in sys.argv[1:]] or [64, 256, 1024]))


if __name__ == "__main__":
    main()
