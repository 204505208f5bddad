"""What `tools/gpu_check.py` does within a process of a stage, and what it makes of the results."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import importlib_metadata

REPO = Path(__file__).resolve().parents[1]
STEPS = 20
EPISODE_STEPS = 8
"""Control steps under the guard, and of an episode: worlds of all ages end and begin again in each of them."""


# Within a process


def main() -> None:
    """One part by its name; prints JSON."""
    part, device, robot, task = sys.argv[1:]
    from mjsdk.errors import MjsdkError

    try:
        found = facts(device) if part == "facts" else syncs(device, robot, task)
    except (MjsdkError, AssertionError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.stdout.write(json.dumps(found) + "\n")


def facts(device: str) -> dict[str, Any]:
    """The machine and the versions of what runs on it. Raises `PhysicsError` for a device that is not there."""
    import torch

    from mjsdk import device as devices
    from mjsdk.physics import resolve_device

    where = resolve_device(device)
    packages = ("mjsdk", "mujoco", "mujoco-warp", "warp-lang", "torch")
    return {
        "device": where,
        "device name": devices.name(where),
        "memory": f"{devices.memory(where).total / 1e9:.1f} GB",
        "CUDA of torch": torch.version.cuda or "none",
        "driver": _driver() if devices.is_cuda(where) else "none",
        **{name: _version(name) for name in packages},
        "Python": platform.python_version(),
        "system": platform.platform(),
    }


def _version(package: str) -> str:
    try:
        return str(importlib_metadata.version(package))
    except importlib_metadata.PackageNotFoundError:
        return "unknown"


def _driver() -> str:
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


def syncs(device: str, robot: str, task: str) -> dict[str, Any]:
    """Steps with resets in each of them, in which nothing may wait for the device. Raises if something does."""
    import torch

    from mjsdk import ops
    from mjsdk.config.settings import compose
    from mjsdk.device import is_cuda
    from mjsdk.env import make_env
    from mjsdk.mdp import core_terms
    from mjsdk.physics import resolve_device
    from mjsdk.plugins import open_session
    from mjsdk.testing.syncs import no_host_syncs

    ops.LOOPS = False  # as on a GPU
    where, session = resolve_device(device), open_session(robot, task, core=core_terms)
    config = compose(session, preset="gpu", device=where, physics="warp").config
    config.env.scene.num_envs = 256 if is_cuda(where) else 16
    config.env.episode_length_s = EPISODE_STEPS * config.env.step_dt
    env = make_env(config, session, device=where, physics="warp")
    env.stagger_episodes()
    actions = 0.2 * torch.randn(STEPS + 1, env.num_envs, env.num_actions, device=where)
    env.step(actions[0])
    ended = []
    with _cuda_refuses_syncs() if is_cuda(where) else no_host_syncs(env):
        for action in actions[1:]:
            *_, terminated, truncated, _ = env.step(action)
            ended.append(terminated | truncated)
    steps_with_ends = int(torch.stack(ended).any(1).sum())
    if steps_with_ends < STEPS // 2:
        raise AssertionError(f"episodes ended in only {steps_with_ends} of {STEPS} steps: too few to have seen resets")
    return {"steps": STEPS, "steps with resets": steps_with_ends, "worlds": env.num_envs}


@contextmanager
def _cuda_refuses_syncs() -> Iterator[None]:
    """Torch raises where it would wait for the GPU."""
    import torch

    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


# Packages


def paths(folder: Path) -> list[str]:
    """What PYTHONPATH must hold besides, so that all processes find mjsdk and the plugins of this repository.

    Plugins are found by their metadata. That of packages which are not installed is written to `folder`, as pip would.
    """
    found = []
    if importlib.util.find_spec("mjsdk") is None:
        sys.path.append(str(REPO / "core"))
        found.append(str(REPO / "core"))
    from mjsdk.testing import fake_dist

    known = {dist.metadata["Name"] for dist in importlib_metadata.distributions()}
    shutil.rmtree(folder, ignore_errors=True)
    for file in (REPO / "pyproject.toml", *sorted(REPO.glob("plugins/*/pyproject.toml"))):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        if project["name"] not in known:
            points = project.get("entry-points", {})
            groups = {kind: points.get(f"mjsdk.{kind}", {}) for kind in ("robots", "tasks", "extras")}
            fake_dist(folder, project["name"], project["version"], requires=project["dependencies"], **groups)
            found += [str(folder.resolve()), str(file.parent / "src")]
    return list(dict.fromkeys(found))


# What stages printed


def last_line(text: str) -> str:
    """The last line that says something. Raises `ValueError` if none does."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    return lines[-1].strip("= ")


def last_words(file: Path) -> str:
    """The last error of mjsdk in a file, or else its last line; short, and nothing if it is empty."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    return " ".join(lines[errors[-1] if errors else -1 :])[:300]


def trained(logs: Path) -> dict[str, Any]:
    """What the newest run below a folder says of itself."""
    file = max(logs.rglob("metrics.jsonl"), key=lambda path: path.stat().st_mtime)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    last = rows[-1]
    return {
        "iterations": last["iteration"],
        "steps": last["timesteps"],
        "seconds": last["time/total_s"],
        "steps_per_s": statistics.median(row["time/steps_per_s"] for row in rows),
        "reward": last.get("train/mean_reward"),
    }


# Tables


def markdown(result: Mapping[str, Any]) -> str:
    """The results as tables."""
    stages = {stage["name"]: stage for stage in result["stages"]}
    found = {name: stage["data"] for name, stage in stages.items() if stage["data"] is not None}
    title = "GPU check in miniature, on a CPU: it says nothing of speed" if result["quick"] else "GPU check"
    outcomes = [
        (name, stage["status"], f"{stage['seconds']:.0f}", _number(stage["memory_mb"]), stage["error"])
        for name, stage in stages.items()
    ]
    tables = [
        table(("machine", ""), list(result["machine"].items())),
        table(("stage", "result", "seconds", "GPU memory, peak [MB]", "error"), outcomes),
        table(("robot and worlds", *_SPEEDS), [_speed(*each) for each in found.items() if _is_speed(each[0])]),
        table(_PARITY, [_parity(*each) for each in found.items() if each[0].startswith("parity ")]),
        table(("also", ""), list(_others(found))),
    ]
    return f"# {title}\n\n" + "\n".join(filter(None, tables))


_PARITY = ("parity, largest differences", "verdict", "qpos", "qvel")
_SPEEDS = ("env steps/s", "physics alone", "overhead", "with learning", "memory in use [GB]")


def _is_speed(name: str) -> bool:
    return name.startswith(("bench ", "graphs "))


def _speed(name: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """A row about what `mjsdk bench` found."""
    learning, worlds = data["learning"] or {}, "" if name.startswith("bench") else f", {data['num_envs']}"
    speeds = (data["env_steps_per_s"], data["physics_env_steps_per_s"])
    memory = f"{data['memory']['used'] / 1e9:.1f}"
    cells = (f"{data['overhead']:.2f}", _number(learning.get("env_steps_per_s")), memory)
    return name.removeprefix("bench ") + worlds, *map(_number, speeds), *cells


def _parity(name: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """A row about what `mjsdk verify-physics` found: the largest differences."""
    largest = {quantity["name"]: f"{quantity['largest']:.1e}" for quantity in data["quantities"]}
    return name.removeprefix("parity "), data["verdict"], largest.get("qpos", "-"), largest.get("qvel", "-")


def _others(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is one line each."""
    if "graphs on" in found and "graphs off" in found:
        speeds = [found[f"graphs {state}"]["physics_env_steps_per_s"] for state in ("on", "off")]
        yield "physics with graphs over physics without", f"{speeds[0] / speeds[1]:.1f}"
    if "tests" in found:
        yield "tests", found["tests"]
    for name, data in found.items():
        if name.startswith("syncs"):
            yield name, f"none in {data['steps']} steps, {data['steps with resets']} of them with resets"
        if name.startswith("train"):
            length = f"{data['iterations']} iterations in {data['seconds']:.0f} s"
            yield name, f"{length}, {_number(data['steps'])} steps, {_number(data['steps_per_s'])} steps/s"
        if name.startswith("evaluate"):
            yield name, f"{data['survival']['rate']:.0%} stay up, {data['mean_episode_length_s']:.1f} s per episode"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown; nothing without rows."""
    lines = [columns, ["---"] * len(columns), *([str(cell).replace("|", "/") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) if rows else ""


if __name__ == "__main__":
    main()
