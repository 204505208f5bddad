"""The velocity task: walk as commanded on flat ground, with any legged robot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mjsdk import hookimpl

if TYPE_CHECKING:
    from mjsdk.robot import Robot
    from mjsdk.task import TaskConfig

MJSDK_API = 1


@hookimpl
def mjsdk_task(robot: Robot) -> TaskConfig:
    """The task for a robot with the roles base, torso, imu and feet."""
    from mjsdk_task_velocity.task import velocity_task

    return velocity_task(robot)


@hookimpl
def mjsdk_reward_terms() -> Mapping[str, Any]:
    """Rewards for feet and posture."""
    from mjsdk_task_velocity import rewards

    return rewards.TERMS


@hookimpl
def mjsdk_observation_terms() -> Mapping[str, Any]:
    """What a critic may know about feet."""
    from mjsdk_task_velocity import observations

    return observations.TERMS
