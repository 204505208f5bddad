"""Where the time of a training iteration goes, as a table in Markdown; a column per robot.

    python tools/profile_iteration.py --robot g1 --robot go1

What the physics is made of is measured in one world, put into the states that the policy brings about.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import mujoco

from mjsdk.env import Env
from mjsdk.learn.start import start
from mjsdk.learn.trainer import Trainer

WARM_UP, MEASURED = 3, 10
"""Iterations."""
Stage = Callable[[mujoco.MjModel, mujoco.MjData], None]
STAGES: dict[str, tuple[Stage, ...]] = {
    "kinematics and inertia": (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_makeM, mujoco.mj_factorM),
    "collisions": (mujoco.mj_collision,),
    "constraints": (mujoco.mj_makeConstraint, mujoco.mj_transmission, mujoco.mj_projectConstraint),
    "position sensors": (mujoco.mj_sensorPos,),
    "velocities": (mujoco.mj_fwdVelocity,),
    "velocity sensors": (mujoco.mj_sensorVel,),
    "motors": (mujoco.mj_fwdActuation, mujoco.mj_fwdAcceleration),
    "solver": (mujoco.mj_fwdConstraint,),
    "force sensors": (mujoco.mj_sensorAcc,),
    "integration": (mujoco.mj_implicit,),
}
"""What a physics step is made of, in MuJoCo's order (its documentation, "Simulation pipeline")."""
SAMPLES = 2000
"""Physics steps that the shares are taken from."""


def main() -> None:
    """Profile each robot and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robot", action="append", help="may be given several times; g1 and go1 unless given")
    parser.add_argument("--task", default="velocity", help="task (default: velocity)")
    options = parser.parse_args()
    robots = options.robot or ["g1", "go1"]
    columns = [profile(robot, options.task) for robot in robots]
    say("ms per iteration", robots)
    say("---", ["---"] * len(robots))
    for name in columns[0]:
        say(name, [f"{1e3 * column[name]:.1f}" for column in columns])


def say(name: str, values: list[str]) -> None:
    """Print a row of the table."""
    sys.stdout.write(f"| {name} | {' | '.join(values)} |\n")


def profile(robot: str, task: str) -> dict[str, float]:
    """Seconds per iteration by what they are spent on."""
    from mjsdk.config.settings import compose
    from mjsdk.mdp import core_terms
    from mjsdk.plugins import open_session

    with tempfile.TemporaryDirectory() as folder:
        session = open_session(robot, task, core=core_terms)
        config = compose(session, overrides=[("train.log_root", folder)]).config
        trainer = start(config, session).trainer
        trainer.learn(WARM_UP)
        spent = watch(trainer)
        began = time.perf_counter()
        trainer.learn(WARM_UP + MEASURED)
        total = time.perf_counter() - began
        shares = physics_shares(trainer.env)
    seconds = {name: value / MEASURED for name, value in spent.items()}
    physics = {f"physics: {name}": share * seconds["physics"] for name, share in shares.items()}
    rest = total / MEASURED - sum(seconds.values())
    return {"all": total / MEASURED, "physics": seconds.pop("physics"), **physics, **seconds, "the rest": rest}


def watch(trainer: Trainer) -> dict[str, float]:
    """Seconds by part, which grow as the trainer works."""
    env, learner = trainer.env, trainer.algorithm
    spent: dict[str, float] = defaultdict(float)
    for name, owner, method in (
        ("physics", env.physics, "step"),
        ("actions", env.actions, "process"),
        *(("contacts", contact, "update") for contact in env.contacts.values()),
        ("terminations", env.terminations, "compute"),
        ("rewards", env.rewards, "compute"),
        ("episode log", env.log, "step"),
        ("events", env.events, "interval"),
        ("resets", env, "_reset"),
        ("commands", env.commands, "compute"),
        ("observations", env.observations, "compute"),
        ("observations", env.observations, "snapshot"),
        ("policy inference", learner, "act"),
        ("storage", learner, "process_env_step"),
        ("GAE", learner, "compute_returns"),
        ("update", learner, "update"),
    ):
        spent[name] += 0.0
        setattr(owner, method, timed(getattr(owner, method), name, spent))
    return spent


def timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    """The function, with what it takes added to `spent`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        spent[name] += time.perf_counter() - start
        return result

    return call


def physics_shares(env: Env) -> dict[str, float]:
    """Share of a physics step by stage, from states that the worlds are in."""
    data = mujoco.MjData(env.model)
    qpos, qvel, ctrl = (env.physics.bind(name) for name in ("qpos", "qvel", "ctrl"))
    spent = dict.fromkeys(STAGES, 0.0)
    for sample in range(SAMPLES):
        world = sample % env.num_envs
        data.qpos[:], data.qvel[:], data.ctrl[:] = qpos[world], qvel[world], ctrl[world]
        for name, stages in STAGES.items():
            start = time.perf_counter()
            for stage in stages:
                stage(env.model, data)
            spent[name] += time.perf_counter() - start
    return {name: seconds / sum(spent.values()) for name, seconds in spent.items()}


if __name__ == "__main__":
    main()
