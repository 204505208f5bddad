"""A task without gravity, in which the robot keeps the velocity that it starts with: what it shows is known."""

from mjsdk.config import (
    AgentConfig,
    EnvConfig,
    EventTermConfig,
    NoiseConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    RewardTermConfig,
    SceneConfig,
    SimConfig,
    TerminationTermConfig,
)
from mjsdk.hookspecs import hookimpl
from mjsdk.mdp.actions import JointPositionConfig
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.task import TaskConfig

MJSDK_API = 1


@hookimpl
def mjsdk_task(robot):
    seen = {
        "gyro": ObservationTermConfig(func="base_ang_vel", noise=NoiseConfig(scale=0.2)),
        "command": ObservationTermConfig(func="generated_commands", params={"command": "twist"}),
    }
    velocity = {"pose_range": {}, "velocity_range": {"x": [0.3, 0.3]}}
    shove = {"velocity_range": {"x": [9.0, 9.0]}}
    return TaskConfig(
        name="glide",
        env=EnvConfig(
            scene=SceneConfig(num_envs=4),
            sim=SimConfig(gravity=[0.0, 0.0, 0.0]),
            observations={
                "actor": ObservationGroupConfig(terms=seen, enable_corruption=True),
                "critic": ObservationGroupConfig(terms={"gyro": ObservationTermConfig(func="base_ang_vel")}),
            },
            actions={"joint_pos": JointPositionConfig(func="joint_position", scale=0.01)},
            commands={"twist": UniformVelocityConfig(func="uniform_velocity")},
            rewards={"alive": RewardTermConfig(func="is_alive", weight=1.0)},
            terminations={
                "time_out": TerminationTermConfig(func="time_out", time_out=True),
                "low": TerminationTermConfig(func="root_height_below", params={"minimum_height": 1.0}),
            },
            events={
                "start": EventTermConfig(func="reset_root_state_uniform", params=velocity),
                "shove": EventTermConfig(
                    func="push_by_setting_velocity", mode="interval", interval_range_s=[1.0, 1.0], params=shove
                ),
            },
        ),
        agent=AgentConfig(logger="none", num_steps_per_env=8),
    )
