"""Trains variants of the settings with several seeds, evaluates each, and prints a table in Markdown.

    python tools/trials.py default no-lift --robot g1 --robot go1 --seed 1 --seed 2 --seed 3 --iterations 250
    python tools/trials.py --robot g1 --minutes 30

Every trial has one core to itself, and as many run at once as there are cores: by iterations, so that what else the
machine does changes nothing, or by the clock. Runs stay below `--log-root`; a trial that is there already is not
repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

MJSDK = Path(sys.executable).with_name("mjsdk")
WIDE = "[128,128,128]"
VARIANTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "no-lift": ("--env.actions.joint_pos.lift", "0"),
    "no-mirror": ("--env.mirror-clock", ""),
    "no-catch": ("--env.curriculum.stand", "null", "--env.commands.gait.catch-lean", "0"),
    "no-ramp": ("--env.curriculum.stand", "null"),
    "no-yaw-square": ("--env.curriculum.turn", "null", "--env.rewards.ang_vel_error.weight", "0"),
    "no-yaw-ramp": ("--env.curriculum.turn", "null", "--env.rewards.ang_vel_error.weight", "-2"),
    "no-drift": ("--env.rewards.drift.weight", "0"),
    "drift-2": ("--env.rewards.drift.weight", "-2"),
    "through-itself": ("--env.scene.collisions", "feet"),
    "no-crowding": ("--env.rewards.foot_crowding.weight", "0"),
    "no-mean": ("--agent.averaging", "0"),
    "entropy-0": ("--agent.algorithm.entropy-coef", "0"),
    "entropy-0.005": ("--agent.algorithm.entropy-coef", "0.005"),
    "adaptive-rate": ("--agent.algorithm.schedule", "adaptive"),
    "2-hz": ("--env.commands.gait.frequency", "2"),
    "three-layers": ("--agent.actor.hidden-dims", WIDE, "--agent.critic.hidden-dims", WIDE),
    "256-worlds": ("--env.scene.num-envs", "256"),
    "1024-worlds": ("--env.scene.num-envs", "1024"),
}
"""What differs from the settings as they are, as flags of `mjsdk train`."""
COLUMNS = ("robot", "variant", "steps", "survival", "lin", "ang", "stands m/s", "pushed")
WORLDS = "128"
NEARLY = 0.9
"""Share of the minutes that a finished training has learnt for at least; the rest went to starting."""


def main() -> None:
    """Run all trials."""
    options = parse()
    say(COLUMNS)
    say(["---"] * len(COLUMNS))
    with ThreadPoolExecutor(len(cores())) as pool:
        free: SimpleQueue[int] = SimpleQueue()
        for core in cores():
            free.put(core)
        rows = {
            (robot, variant): [pool.submit(trial, free, options, robot, variant, seed) for seed in options.seed]
            for variant in options.variant
            for robot in options.robot
        }
        for name, seeds in rows.items():
            say([*name, *together(seeds)])


def parse() -> argparse.Namespace:
    """Options of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", nargs="*", help=f"what to try: {', '.join(VARIANTS)}; default unless given")
    parser.add_argument("--robot", action="append", help="may be given several times; g1 and go1 unless given")
    parser.add_argument("--seed", type=int, action="append", help="may be given several times; 1, 2 and 3 unless given")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--iterations", type=int, default=250, help="length of each training (default: 250)")
    length.add_argument("--minutes", type=float, help="length of each training on the clock, instead of iterations")
    parser.add_argument("--log-root", type=Path, default=Path("logs/trials"), help="where the runs go")
    options = parser.parse_args()
    options.variant = options.variant or ["default"]
    options.robot, options.seed = options.robot or ["g1", "go1"], options.seed or [1, 2, 3]
    if unknown := set(options.variant) - set(VARIANTS):
        parser.error(f"no variant {', '.join(sorted(unknown))}; there are {', '.join(VARIANTS)}")
    return options


def cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def trial(free: SimpleQueue[int], options: argparse.Namespace, robot: str, variant: str, seed: int) -> dict[str, str]:
    """Figures of one training and its evaluation, on a core that is free."""
    core = free.get()
    try:
        run = train(core, options, robot, variant, seed)
        kept = run / "trial.json"
        if not kept.exists():
            kept.write_text(json.dumps(figures(core, run)))
        return dict(json.loads(kept.read_text()))
    finally:
        free.put(core)


def train(core: int, options: argparse.Namespace, robot: str, variant: str, seed: int) -> Path:
    """The run of a trial."""
    timed = options.minutes is not None
    name = f"{variant}-{seed}-{options.minutes:g}min" if timed else f"{variant}-{seed}-{options.iterations}"
    length = ("--minutes", f"{options.minutes:g}") if timed else ("--agent.max-iterations", str(options.iterations))
    pattern = f"**/trial_{robot}/*_{name}/config.yaml"
    what = ("--robot", robot, "--task", "velocity", "--seed", str(seed))
    where = ("--agent.experiment-name", f"trial_{robot}", "--run-name", name, "--log-root", str(options.log_root))
    found = [path.parent for path in sorted(options.log_root.glob(pattern)) if finished(path.parent, options)]
    if not found:
        mjsdk(core, "train", *what, *length, *where, *VARIANTS[variant])
        found = [max(options.log_root.glob(pattern)).parent]
    return found[-1]


def finished(run: Path, options: argparse.Namespace) -> bool:
    """Whether a training went on to its end."""
    last = last_metrics(run)
    if options.minutes is not None:
        return float(last.get("time/total_s", 0)) > NEARLY * 60 * options.minutes
    return int(last.get("iteration", 0)) >= options.iterations


def last_metrics(run: Path) -> dict[str, Any]:
    """The numbers of a training's last iteration."""
    log = run / "metrics.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return dict(json.loads(lines[-1])) if lines else {}


def figures(core: int, run: Path) -> dict[str, str]:
    """What two evaluations of a run show, without and with pushes."""
    calm: dict[str, Any] = json.loads(mjsdk(core, "eval", str(run), "--num-envs", WORLDS, "--json"))
    pushed: dict[str, Any] = json.loads(mjsdk(core, "eval", str(run), "--num-envs", WORLDS, "--push", "--json"))
    return {
        "steps": f"{last_metrics(run)['timesteps'] / 1e6:.1f} M",
        "survival": f"{calm['survival']['rate']:.0%}",
        "lin": f"{calm['metrics']['lin_vel_error']:.3f}",
        "ang": f"{calm['metrics']['ang_vel_error']:.3f}",
        "stands m/s": f"{calm['standing']['mean_base_speed']:.3f}",
        "pushed": f"{pushed['survival']['rate']:.0%}",
    }


def together(seeds: list[Future[dict[str, str]]]) -> list[str]:
    """The figures of a row: what all seeds share once, the rest side by side."""
    found = [seed.result() for seed in seeds]
    columns = [[str(figures[name]) for figures in found] for name in COLUMNS[2:]]
    return [values[0] if len(set(values)) == 1 else ", ".join(values) for values in columns]


def say(cells: Iterable[str]) -> None:
    """Print a row of the table."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def mjsdk(core: int, *arguments: str) -> str:
    """What a command prints that runs on one core; ends the trials if it fails."""
    alone = ["taskset", "--cpu-list", str(core), str(MJSDK), *arguments]
    done = subprocess.run(alone, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"mjsdk {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
