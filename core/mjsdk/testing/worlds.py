"""Small environments for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mjsdk.config import Config
    from mjsdk.env import Env

TESTBOT = str(Path(__file__).with_name("testbot.py"))
"""What to give as `--robot` for the robot of `mjsdk.testing.testbot`: two legs."""
TESTARM = str(Path(__file__).with_name("testarm.py"))
"""Likewise for that of `mjsdk.testing.testarm`: a fixed base."""
TESTTASK = str(Path(__file__).with_name("testtask.py"))
"""What to give as `--task` for the task of `mjsdk.testing.testtask`."""


def small_env(
    num_envs: int = 4,
    *,
    robot: str = TESTBOT,
    task: str = TESTTASK,
    edit: Callable[[Config], None] | None = None,
    seed: int = 0,
) -> Env:
    """An environment with few worlds; `edit` changes its configuration in place before it is built."""
    from mjsdk.config import Config
    from mjsdk.env import make_env
    from mjsdk.mdp import core_terms
    from mjsdk.plugins import open_session

    session = open_session(robot, task, core=core_terms)
    composed = session.task()
    config = Config(robot=robot, task=task, env=composed.env, agent=composed.agent)
    config.env.scene.num_envs = num_envs
    if edit is not None:
        edit(config)
    return make_env(config, session, device="cpu", seed=seed)
