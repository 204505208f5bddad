"""Trains variants of the settings with several seeds, evaluates each, and prints a table in Markdown.

    python tools/trials.py --robot g1 --robot go1 --minutes 10 --seed 1 --seed 2 --seed 3 default no-catch

One training after the other on all cores: time is what is compared. Runs stay below `--log-root`; a trial whose run is
there already is evaluated again, not trained again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MJSDK = Path(sys.executable).with_name("mjsdk")
WIDE = "[128,128,128]"
VARIANTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "no-catch": ("--env.curriculum.stand", "null", "--env.commands.gait.catch-lean", "0"),
    "no-ramp": ("--env.curriculum.stand", "null"),
    "no-yaw-square": ("--env.rewards.ang_vel_error.weight", "0"),
    "no-crowding": ("--env.rewards.foot_crowding.weight", "0"),
    "no-lift": ("--env.actions.joint_pos.lift", "0"),
    "no-mirror": ("--env.mirror-clock", ""),
    "entropy-0": ("--agent.algorithm.entropy-coef", "0"),
    "entropy-0.005": ("--agent.algorithm.entropy-coef", "0.005"),
    "three-layers": ("--agent.actor.hidden-dims", WIDE, "--agent.critic.hidden-dims", WIDE),
    "1024-worlds": ("--env.scene.num-envs", "1024"),
}
"""What differs from the settings as they are, as flags of `mjsdk train`."""
COLUMNS = (
    *("robot", "variant", "seed", "steps", "survival", "lin_vel_error", "ang_vel_error"),
    *("standing m/s", "feet down", "survival when pushed"),
)


def main() -> None:
    """Run all trials."""
    options = parse()
    say(COLUMNS)
    say(["---"] * len(COLUMNS))
    for robot in options.robot or ["g1", "go1"]:
        for variant in options.variant:
            for seed in options.seed or [1, 2, 3]:
                run = train(robot, variant, seed, options.minutes, options.log_root)
                say([robot, variant, str(seed), *figures(run)])


def parse() -> argparse.Namespace:
    """Options of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", nargs="*", default=["default"], choices=[*VARIANTS], help="what to try")
    parser.add_argument("--robot", action="append", help="may be given several times; g1 and go1 unless given")
    parser.add_argument("--seed", type=int, action="append", help="may be given several times; 1, 2 and 3 unless given")
    parser.add_argument("--minutes", type=float, default=10.0, help="wall time of each training")
    parser.add_argument("--log-root", type=Path, default=Path("logs/trials"), help="where the runs go")
    return parser.parse_args()


def train(robot: str, variant: str, seed: int, minutes: float, log_root: Path) -> Path:
    """The run of a trial."""
    name = f"{variant}-{seed}-{minutes:g}min"
    pattern = f"**/trial_{robot}/*_{name}/config.yaml"
    found = sorted(log_root.glob(pattern))
    if not found:
        what = ("--robot", robot, "--task", "velocity", "--minutes", f"{minutes:g}", "--seed", str(seed))
        where = ("--agent.experiment-name", f"trial_{robot}", "--run-name", name, "--log-root", str(log_root))
        mjsdk("train", *what, *where, *VARIANTS[variant])
        found = sorted(log_root.glob(pattern))
    return found[-1].parent


def say(cells: Iterable[str]) -> None:
    """Print a row of the table."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def figures(run: Path) -> list[str]:
    """What two evaluations of a run show, without and with pushes."""
    calm: dict[str, Any] = json.loads(mjsdk("eval", str(run), "--json"))
    pushed: dict[str, Any] = json.loads(mjsdk("eval", str(run), "--push", "--json"))
    steps = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["timesteps"]
    numbers = [f"{steps / 1e6:.1f} M", f"{calm['survival']['rate']:.1%}"]
    numbers += [f"{calm['metrics'][name]:.3f}" for name in ("lin_vel_error", "ang_vel_error")]
    numbers += [f"{calm['standing']['mean_base_speed']:.3f}", f"{calm['standing']['feet_on_ground']:.0%}"]
    return [*numbers, f"{pushed['survival']['rate']:.1%}"]


def mjsdk(*arguments: str) -> str:
    """What a command prints; ends the trials if it fails."""
    done = subprocess.run([MJSDK, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mjsdk {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
