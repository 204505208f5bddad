"""A small task for tests: keep the base upright for twenty steps. A whole plugin in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mjsdk.hookspecs import hookimpl

if TYPE_CHECKING:
    from mjsdk.robot import Robot
    from mjsdk.task import TaskConfig

MJSDK_API = 1


@hookimpl
def mjsdk_task(robot: Robot) -> TaskConfig:
    """The task for any robot with a base."""
    from mjsdk.config import (
        EnvConfig,
        EventTermConfig,
        ObservationGroupConfig,
        ObservationTermConfig,
        RewardTermConfig,
        SceneConfig,
        TerminationTermConfig,
    )
    from mjsdk.mdp.actions import JointPositionConfig
    from mjsdk.task import Requirement, TaskConfig

    names = ("projected_gravity", "base_ang_vel", "joint_pos_rel", "joint_vel", "last_action")
    terms = {name: ObservationTermConfig(func=name) for name in names}
    root = {"pose_range": {"yaw": [-3.14, 3.14]}, "velocity_range": {"x": [-0.1, 0.1]}}
    joints = {"position_range": [-0.1, 0.1], "velocity_range": [0.0, 0.0]}
    return TaskConfig(
        name="testtask",
        summary="Keep upright, for tests",
        requires=(Requirement(role="base", part="bodies", why="kept upright"),),
        env=EnvConfig(
            episode_length_s=0.4,
            scene=SceneConfig(num_envs=64),
            observations={
                "actor": ObservationGroupConfig(terms=terms),
                "critic": ObservationGroupConfig(terms=dict(terms)),
            },
            actions={"joint_pos": JointPositionConfig(func="joint_position", scale=0.1)},
            rewards={
                "upright": RewardTermConfig(func="upright", weight=1.0),
                "action_rate": RewardTermConfig(func="action_rate_l2", weight=-0.01),
            },
            terminations={
                "time_out": TerminationTermConfig(func="time_out", time_out=True),
                "fell_over": TerminationTermConfig(func="bad_orientation"),
            },
            events={
                "reset_base": EventTermConfig(func="reset_root_state_uniform", params=root),
                "reset_joints": EventTermConfig(func="reset_joints_by_offset", params=joints),
            },
        ),
    )
