"""Checks and measures mjsdk on a GPU, in at most eight minutes after installation: `python tools/gpu_check.py`.

Each stage is a process of its own with a time limit, so that one that fails or hangs does not lose the others. What
they found goes to `gpu_check/result.json` and, as tables, to `gpu_check/result.md`. `--device cpu --quick` does the
same in miniature on Warp's CPU device, to try the check itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import gpu_check_parts as parts

WORLDS, FEW_WORLDS = (1024, 4096, 8192), (8,)
TRAINING_S, SHORTEST_TRAINING_S, AFTER_TRAINING_S = 180.0, 30.0, 45.0
"""Time of the training, the least that is worth it, and what is kept for the evaluation after it [s]."""
PAUSE_S = 0.2
OK, FAILED, LATE, SKIPPED = "ok", "failed", "took too long", "no time left"


@attrs.frozen(kw_only=True)
class Stage:
    """One process."""

    name: str
    command: Callable[[float], list[str]]
    """Its command line, if so many seconds are left."""
    limit: float
    """It is ended after so many seconds."""
    read: Callable[[str], Any] = json.loads
    """What its standard output says, as plain data."""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    fails_with_data: bool = False
    """Whether its output counts even if it fails."""


def main() -> None:
    """Run the check."""
    options = parse()
    output: Path = options.output
    known = [stage.name for stage in every_stage(options)]
    if not [*stages(options)]:
        sys.exit(refused(f"--only: no stage begins with '{options.only}'. There are: {', '.join(known)}"))
    try:
        (output / "logs_of_stages").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(refused(f"--output: cannot make {output}: {error.strerror}. Choose another folder"))
    own = [path for path in (os.environ.get("PYTHONPATH"),) if path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*parts.paths(output / "packages"), *own])}
    begun, outcomes = time.monotonic(), list[dict[str, Any]]()
    facts = run(Stage(name="machine", command=inside(options, "facts"), limit=90), output, environment, 90)
    if facts["status"] != OK:
        sys.exit(refused(f"{facts['error']} To try this check in miniature: --device cpu --quick"))
    say(begun, f"{facts['data']['device name']}, results in {output}")
    for stage in stages(options):
        left = 60.0 * options.minutes - (time.monotonic() - begun)
        outcome = run(stage, output, environment, left)
        say(begun, f"{stage.name}: {outcome['status']}, {outcome['seconds']:.0f} s {outcome['error']}".rstrip())
        outcomes.append(outcome)
        write(output, {"machine": facts["data"], "quick": options.quick, "stages": outcomes})
    say(begun, f"done: {output / 'result.md'}")
    sys.exit(0 if all(outcome["status"] == OK for outcome in outcomes) else 1)


def refused(why: str) -> int:
    """Say what stops the check, and give the exit code of that."""
    sys.stderr.write(f"error: {why}\n")
    return 2


def parse() -> argparse.Namespace:
    """Options of this script."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu to try the check itself")
    parser.add_argument("--quick", action="store_true", help="few worlds and two iterations")
    parser.add_argument("--robots", default="g1,go1", help="joined by commas; the first is trained")
    parser.add_argument("--task", default="velocity")
    parser.add_argument("--only", default="", help="stages whose names begin so, joined by commas")
    parser.add_argument("--minutes", type=positive, default=8.0, help="time for all stages")
    parser.add_argument("--output", type=Path, default=Path("gpu_check"), help="folder for the results")
    return parser.parse_args()


def positive(text: str) -> float:
    """A number above 0 from the command line."""
    if not 0.0 < float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and finite")
    return float(text)


def say(begun: float, text: str) -> None:
    """A line of progress."""
    sys.stdout.write(f"[{time.monotonic() - begun:4.0f} s] {text}\n")
    sys.stdout.flush()


def write(output: Path, result: dict[str, Any]) -> None:
    """Everything so far: who stops the check has it too."""
    (output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (output / "result.md").write_text(parts.markdown(result), encoding="utf-8")


# Stages


def stages(options: argparse.Namespace) -> Iterator[Stage]:
    """All that are asked for, in order."""
    wanted = tuple(options.only.split(","))
    yield from (stage for stage in every_stage(options) if stage.name.startswith(wanted))


def every_stage(options: argparse.Namespace) -> Iterator[Stage]:
    """The whole check: what takes long to compile first, what takes long to learn last."""
    robots = options.robots.split(",")
    counts = ("--blocks", "1", "--steps", "2")
    few, states = ("8", "8") if options.quick else ("64", "100")
    for robot in robots:
        yield Stage(name=f"kernels {short(robot)}", command=bench(options, robot, few, *counts), limit=240)
    tests = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", str(parts.REPO / "tests")]
    yield Stage(name="tests", command=lambda left: tests, limit=120, read=parts.last_line, fails_with_data=True)
    for robot in robots:
        words = (*what(options, robot), "--device", options.device, "--states", states, "--json")
        same = ("--preset", "faithful", "--env.scene.collisions", "feet")
        command = mjsdk("verify-physics", *words, *same)
        yield Stage(name=f"parity {short(robot)}", command=command, limit=120, fails_with_data=True)
    for robot in robots:
        yield Stage(name=f"syncs {short(robot)}", command=inside(options, "syncs", robot), limit=60)
    yield from benches(options, robots)
    yield from training(options, robots[0])


def benches(options: argparse.Namespace, robots: Sequence[str]) -> Iterator[Stage]:
    """Speeds, with and without graphs, for numbers of worlds."""
    few, sizes = ("--blocks", "1", "--steps", "2"), FEW_WORLDS if options.quick else WORLDS
    short_block = few if options.quick else ("--blocks", "3", "--steps", "10")
    learning = ("--with-learning", "--iterations", "1" if options.quick else "3")
    for graphs in ("1", "0"):
        yield Stage(
            name=f"graphs {'on' if graphs == '1' else 'off'}",
            command=bench(options, robots[0], str(sizes[0]), *few),
            limit=60,
            environment={"MJSDK_GRAPHS": graphs},
        )
    for robot in robots:
        for worlds in sizes:
            command = bench(options, robot, str(worlds), *short_block, *learning)
            yield Stage(name=f"bench {short(robot)} {worlds}", command=command, limit=90)


def training(options: argparse.Namespace, robot: str) -> Iterator[Stage]:
    """A training as people start it, and its evaluation with native MuJoCo, which also tells whether both agree."""
    logs = options.output / "logs"
    place = ("--device", options.device, "--physics", "warp", "--log-root", logs, "--run-name", "gpu_check")
    small = ("--env.scene.num-envs", "8", "--agent.max-iterations", "2") if options.quick else ()

    def train(left: float) -> list[str]:
        seconds = max(SHORTEST_TRAINING_S, min(TRAINING_S, left - AFTER_TRAINING_S))
        words = small or ("--minutes", f"{seconds / 60:.2f}")
        return mjsdk("train", *what(options, robot), *place, *words)(left)

    yield Stage(name=f"train {short(robot)}", command=train, limit=TRAINING_S + 60, read=lambda _: parts.trained(logs))
    sure = ("--device", "cpu", "--physics", "cpu", "--num-envs", "8" if options.quick else "128", "--json")
    yield Stage(name=f"evaluate {short(robot)}", command=mjsdk("eval", "latest", "--log-root", logs, *sure), limit=90)


def what(options: argparse.Namespace, robot: str) -> tuple[str, ...]:
    """Robot and task."""
    return "--robot", robot, "--task", options.task


def bench(options: argparse.Namespace, robot: str, worlds: str, *more: str) -> Callable[[float], list[str]]:
    """`mjsdk bench` with so many worlds."""
    place = ("--device", options.device, "--physics", "warp", "--preset", "gpu")
    return mjsdk("bench", *what(options, robot), *place, "--num-envs", worlds, "--json", *more)


def mjsdk(*words: object) -> Callable[[float], list[str]]:
    """A command line of mjsdk, by this interpreter: there may be no program of that name."""
    return lambda left: [sys.executable, "-m", "mjsdk", *map(str, words)]


def inside(options: argparse.Namespace, part: str, robot: str = "") -> Callable[[float], list[str]]:
    """What is done by functions of this tool, in a process of its own."""
    script = Path(__file__).with_name("gpu_check_parts.py")
    return lambda left: [sys.executable, str(script), part, options.device, robot, options.task]


def short(robot: str) -> str:
    """The name of a robot that may be a file."""
    return Path(robot).stem


# Running


def run(stage: Stage, output: Path, environment: Mapping[str, str], left: float) -> dict[str, Any]:
    """What became of a stage, in plain data; what it printed is in `logs_of_stages`."""
    outcome = {"name": stage.name, "status": SKIPPED, "seconds": 0.0, "error": "", "data": None, "memory_mb": None}
    if left < 5.0:
        return outcome
    logs = output / "logs_of_stages"
    logs.mkdir(exist_ok=True)
    printed, said = (logs / f"{stage.name.replace(' ', '_')}.{end}" for end in ("out", "err"))
    begun = time.monotonic()
    with printed.open("wb") as out, said.open("wb") as err:
        code, memory = finish(stage, {**environment, **stage.environment}, min(stage.limit, left), left, out, err)
    outcome |= {"seconds": time.monotonic() - begun, "memory_mb": memory, "status": OK if code == 0 else FAILED}
    if code is None:
        outcome |= {"status": LATE, "error": f"ended after {outcome['seconds']:.0f} s"}
    elif code:
        outcome["error"] = parts.last_words(said) or f"exit code {code}"
    if code == 0 or (stage.fails_with_data and code is not None):
        outcome |= parse_output(stage, printed.read_text(encoding="utf-8", errors="replace"), code)
    return outcome


def parse_output(stage: Stage, text: str, code: int) -> dict[str, Any]:
    """The data of a stage; a failure if there is none where it should be."""
    try:
        return {"data": stage.read(text)}
    except (ValueError, LookupError, OSError) as error:
        return {} if code else {"status": FAILED, "error": f"its output cannot be read: {error}"}


def finish(
    stage: Stage, environment: Mapping[str, str], limit: float, left: float, out: Any, err: Any
) -> tuple[int | None, int | None]:
    """Exit code, None if it took too long, and the most memory of the GPU meanwhile [MB], None if nobody tells."""
    end, most = time.monotonic() + limit, 0
    with subprocess.Popen(
        stage.command(left), stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
    ) as child:
        try:
            while child.poll() is None and time.monotonic() < end:
                time.sleep(PAUSE_S)
                most = max(most, gpu_memory())
        finally:
            late = child.poll() is None
            if late:
                os.killpg(child.pid, signal.SIGKILL)
    return None if late else child.returncode, most or None


def gpu_memory() -> int:
    """Memory in use on the fullest GPU [MB], 0 if nobody tells."""
    if shutil.which("nvidia-smi") is None:
        return 0
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    told = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()
    return max((int(word) for word in told if word.isdecimal()), default=0)


if __name__ == "__main__":
    main()
