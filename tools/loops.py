"""What each compiled loop saves, as a table in Markdown: time per step, and its share of a whole step.

    python tools/loops.py --robot g1 --num-envs 512 --only base_motion

Two environments take turns, two steps each: one with all loops, and one in which tensor operations do the work of one
of them. What is compared is the time outside physics, which steps in between as it does in training: it leaves no code
in the caches, and that is what loops are good for. It is processor time, so that other work on the machine hardly
counts; one physics step instead of several is enough for the caches, and the others are added to the whole.
"""

from __future__ import annotations

import argparse
import inspect
import statistics
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch

import mjsdk
from mjsdk.env import Env
from mjsdk.ops.compiled import LoopOps
from mjsdk.ops.tensors import TensorOps
from mjsdk.runtime import training_runtime

GROUPS = {
    "group: episodes": (
        *("countdown", "end_episodes", "log_ends", "log_step", "weighted_sum"),
        *("bad_orientation", "time_out"),
    ),
    "group: resets": ("ResetJoints", "ResetRoot", "UniformVelocity"),
    "group: observations": (
        *("base_ang_vel", "base_height", "base_lin_vel", "contact", "foot_force", "foot_height", "generated_commands"),
        *("joint_pos_rel", "joint_vel", "last_action", "projected_gravity", "sensor"),
    ),
    "group: small rewards": (
        *("action_rate_l2", "ang_vel_xy_l2", "body_upright", "flat_orientation_l2", "joint_pos_limits", "lin_vel_z_l2"),
        *("track_angular_velocity", "track_linear_velocity", "velocity_errors", "FootCrowding", "VariablePosture"),
        *("angular_velocity_error_l2", "linear_velocity_error_l2", "drift", "ang_vel_error", "lin_vel_error"),
    ),
}
"""Loops that are too small to be measured alone, and stand or fall together."""
ALL = "all of them"
ACTION_STD, STEPS, WARM_UP = 0.2, 2, 100
"""Size of the random actions; control steps of a block, and until robots fall and are reset as in training."""
Cell = tuple[float, float, float]
"""What a loop saves per step [s], the standard error of that, and a whole step [s]."""


class Stepper:
    """An environment and the time that its steps take outside physics."""

    def __init__(self, robot: str, num_envs: int, ops: TensorOps) -> None:
        with patch("mjsdk.env.env.make_ops", lambda device: ops):
            self.env: Env = mjsdk.make_env(robot, "velocity", {"env.scene.num_envs": num_envs}, device="cpu", seed=1)
        physics = self.env.physics
        self._substep, self._forward = physics.step, physics.forward
        self._in_physics, self._physics_seconds = 0.0, 0.0
        patch.object(physics, "step", self._step).start()
        patch.object(physics, "forward", self._forward_only).start()

    def block(self, actions: torch.Tensor) -> tuple[float, float]:
        """Seconds per control step outside physics, and of whole steps, for actions of shape (steps, E, A)."""
        self._in_physics = self._physics_seconds = 0.0
        start = time.thread_time()
        for action in actions:
            self.env.step(action)
        outside = time.thread_time() - start - self._in_physics
        return outside / len(actions), (outside + self._physics_seconds) / len(actions)

    def _step(self, count: int = 1) -> None:
        with self._physics(count):
            self._substep(1)

    def _forward_only(self, *args: Any) -> None:
        with self._physics(1):
            self._forward(*args)

    @contextmanager
    def _physics(self, times: int) -> Iterator[None]:
        mine, everybody = time.thread_time(), time.process_time()
        yield
        self._in_physics += time.thread_time() - mine
        self._physics_seconds += times * (time.process_time() - everybody) / self.env.physics.threads


class Chosen(LoopOps):
    """All loops but some, by the names of operations and of terms."""

    def __init__(self, without: Collection[str] = ()) -> None:
        self._without = without
        self.of_terms: set[str] = set()
        """Names of terms that have a loop and were asked for."""
        for name in without:
            if hasattr(TensorOps, name):
                setattr(self, name, inspect.getattr_static(TensorOps, name).__get__(self))

    def version_of(self, term: Any) -> Any:
        """See `Ops`."""
        found, name = super().version_of(term), getattr(term, "__name__", "")
        if found is None:
            return None
        self.of_terms.add(name)
        return None if name in self._without else found


def ops_without(name: str) -> TensorOps:
    """The operations in which tensors do the work of one loop, of a group, or of all."""
    return TensorOps() if name == ALL else Chosen(GROUPS.get(name, (name,)))


def measure(robot: str, num_envs: int, only: list[str], blocks: int) -> dict[str, Cell]:
    """What each loop saves."""
    ops = Chosen()
    loops = Stepper(robot, num_envs, ops)
    loops.env.stagger_episodes()
    loops.block(random_actions(loops.env, WARM_UP, torch.Generator().manual_seed(1)))
    start = loops.env.state_dict()
    names = [name for name in vars(LoopOps) if hasattr(TensorOps, name) and not name.startswith("_")]
    grouped = set().union(*GROUPS.values())
    names = [*sorted({*names, *ops.of_terms} - {"version_of", "prepared", "numbers"} - grouped), *GROUPS, ALL]
    found = {}
    for name in (name for name in names if not only or name in only):
        found[name] = compare(loops, Stepper(robot, num_envs, ops_without(name)), start, blocks)
        saved, error, whole = found[name]
        say(f"{robot} {num_envs} {name}: {1e6 * saved:.0f} +- {1e6 * error:.0f} of {1e6 * whole:.0f} us", sys.stderr)
    return found


def compare(loops: Stepper, tensors: Stepper, start: dict[str, torch.Tensor], blocks: int) -> Cell:
    """What `loops` saves against `tensors`, from the same state and with the same actions."""
    generator = torch.Generator().manual_seed(0)
    saved, whole = [], []
    for stepper in (loops, tensors):
        stepper.env.load_state_dict(start)
    with training_runtime("cpu"):
        for number in range(-1, blocks):
            actions = random_actions(loops.env, STEPS, generator)
            order = (loops, tensors) if number % 2 else (tensors, loops)
            seconds = {stepper: stepper.block(actions) for stepper in order}
            saved.append(seconds[tensors][0] - seconds[loops][0])
            whole.append(seconds[loops][1])
    saved, whole = saved[1:], whole[1:]  # the first block warmed up
    middle = statistics.median(saved)
    spread = 1.48 * statistics.median(abs(value - middle) for value in saved)
    return middle, spread / blocks**0.5, statistics.median(whole)


def random_actions(env: Env, steps: int, generator: torch.Generator) -> torch.Tensor:
    """Small ones, shape (steps, E, A)."""
    return ACTION_STD * torch.randn(steps, env.num_envs, env.num_actions, generator=generator)


def table(columns: dict[str, dict[str, Cell]]) -> Iterator[str]:
    """Lines of the table, a column for each robot and number of worlds; what saves most comes first."""
    yield f"| us saved per step | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    names = {name: None for cells in columns.values() for name in cells}
    for name in sorted(names, key=lambda name: -sum(cells[name][0] for cells in columns.values() if name in cells)):
        yield f"| {name} | {' | '.join(cell(cells.get(name)) for cells in columns.values())} |"
    yield f"| a whole step | {' | '.join(whole(cells) for cells in columns.values())} |"


def cell(found: Cell | None) -> str:
    """Time saved and its share of a step."""
    return f"{1e6 * found[0]:.0f} ± {1e6 * found[1]:.0f} ({found[0] / found[2]:.1%})" if found else ""


def whole(cells: dict[str, Cell]) -> str:
    """Time of a step with all loops."""
    return f"{1e6 * statistics.median(step for *_, step in cells.values()):.0f}"


def say(line: str, stream: Any = sys.stdout) -> None:
    """Print a line at once."""
    stream.write(f"{line}\n")
    stream.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robot", action="append", help="may be given several times; g1 and go1 unless given")
    parser.add_argument("--num-envs", action="append", type=int, help="likewise; 256, 512 and 2048 unless given")
    parser.add_argument("--only", action="append", default=[], help="likewise; all loops unless given")
    parser.add_argument("--blocks", type=int, default=80, help="of two steps each, per loop (default: 80)")
    options = parser.parse_args()
    columns = {
        f"{robot}, {num_envs}": measure(robot, num_envs, options.only, options.blocks)
        for robot in options.robot or ["g1", "go1"]
        for num_envs in options.num_envs or [256, 512, 2048]
    }
    for line in table(columns):
        say(line)


if __name__ == "__main__":
    main()
