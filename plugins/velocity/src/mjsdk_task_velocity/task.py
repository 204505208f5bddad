"""The velocity task's settings, written on a robot's roles."""

from __future__ import annotations

import math

from mjsdk.config import (
    ActionTermConfig,
    AgentConfig,
    CommandTermConfig,
    CurriculumTermConfig,
    EnvConfig,
    EventTermConfig,
    MetricTermConfig,
    NoiseConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    RewardTermConfig,
    SceneConfig,
    SensorConfig,
    TerminationTermConfig,
)
from mjsdk.mdp.actions import JointPositionConfig, SteppingJointPositionConfig
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.mdp.commands import UniformVelocityConfig, VelocityRanges
from mjsdk.robot import Robot
from mjsdk.task import EvaluationConfig, Requirement, TaskConfig

REQUIRES = (
    Requirement(role="base", part="bodies", why="whose velocity is commanded"),
    Requirement(role="torso", part="bodies", why="kept upright"),
    Requirement(role="imu", part="sites", why="what the policy feels"),
    Requirement(role="feet", part="sites", at_least=2, why="what it steps with"),
    Requirement(role="feet", part="bodies", at_least=2, why="whose contacts are watched"),
    Requirement(role="feet", part="geoms", at_least=2, why="whose friction varies"),
)


GAITS = ("standing", "walking", "running")
"""Gaits that the posture reward has tolerances for."""


def velocity_task(robot: Robot) -> TaskConfig:
    """Follow commanded forward, sideways and yaw velocity on flat ground."""
    return TaskConfig(
        name="velocity",
        summary="Walk as commanded on flat ground",
        requires=REQUIRES,
        env=EnvConfig(
            decimation=4,
            episode_length_s=20.0,
            scene=_scene(robot),
            commands=_commands(robot),
            observations=_observations(robot),
            actions=_actions(robot),
            rewards=_rewards(robot),
            terminations=_terminations(),
            events=_events(),
            metrics=_metrics(),
            curriculum=_curriculum(robot),
            only_positive_rewards=True,
            mirror_clock="gait" if robot.gait is not None and robot.mirror else "",
        ),
        agent=AgentConfig(),
        evaluation=_evaluation(),
    )


def _scene(robot: Robot) -> SceneConfig:
    return SceneConfig(
        sensors={
            "imu_ang_vel": SensorConfig(type="gyro", on="@imu"),
            "feet_contact": SensorConfig(type="contact", on="@feet", track_air_time=robot.gait is None),
            "feet_velocity": SensorConfig(type="framelinvel", on="@feet"),
        }
    )


def _commands(robot: Robot) -> dict[str, CommandTermConfig]:
    commands: dict[str, CommandTermConfig] = {
        "twist": UniformVelocityConfig(
            func="uniform_velocity",
            ranges=VelocityRanges(lin_vel_x=[-0.6, 1.1], lin_vel_y=[-0.5, 0.5], ang_vel_z=[-1.0, 1.0]),
            resampling_time_range=[3.0, 8.0],
            heading_command=False,
            rel_standing_envs=0.2,
            rel_heading_envs=0.0,
            rel_forward_envs=0.2,
            rel_turn_envs=0.15,
        )
    }
    if robot.gait is not None:
        commands["gait"] = GaitClockConfig(func="gait_clock", velocity_command="twist", recovery_tilt=0.09)
    return commands


def _observations(robot: Robot) -> dict[str, ObservationGroupConfig]:
    def term(func: str, noise: float = 0.0, scale: float = 1.0, **params: object) -> ObservationTermConfig:
        return ObservationTermConfig(
            func=func, noise=NoiseConfig(scale=noise) if noise else None, scale=scale, params=params
        )

    measured = {
        "base_ang_vel": term("sensor", 0.2, sensor="imu_ang_vel"),
        "projected_gravity": term("projected_gravity", 0.05),
        "command": term("generated_commands", command="twist"),
    }
    if robot.gait is not None:
        measured["gait"] = term("generated_commands", command="gait")
    joints = {
        "joint_pos": term("joint_pos_rel", 0.01, biased=True),
        "joint_vel": term("joint_vel", 0.5),
        "last_action": term("last_action"),
    }
    hidden = {
        "base_lin_vel": term("base_lin_vel"),
        "base_height": term("base_height"),
        "feet_contact": term("contact", sensor="feet_contact"),
        "feet_height": term("velocity:foot_height"),
        "feet_force": term("velocity:foot_force"),
    }
    return {
        "actor": ObservationGroupConfig(terms=measured | joints, enable_corruption=True),
        "critic": ObservationGroupConfig(terms=_copies(measured | joints) | hidden),
    }


def _copies(terms: dict[str, ObservationTermConfig]) -> dict[str, ObservationTermConfig]:
    """The same terms without noise, as separate objects that can be changed apart."""
    return {
        name: ObservationTermConfig(
            func=term.func, params=dict(term.params) | ({"biased": False} if "biased" in term.params else {})
        )
        for name, term in terms.items()
    }


def _actions(robot: Robot) -> dict[str, ActionTermConfig]:
    scale = {pattern: round(group.action_scale, 6) for group in robot.actuators for pattern in group.joints}
    if robot.gait is not None and robot.gait.lift:
        return {"joint_pos": SteppingJointPositionConfig(func="stepping_joint_position", scale=scale, standing=0.4)}
    return {"joint_pos": JointPositionConfig(func="joint_position", scale=scale)}


def _rewards(robot: Robot) -> dict[str, RewardTermConfig]:
    def term(weight: float, func: str, **params: object) -> RewardTermConfig:
        return RewardTermConfig(func=func, weight=weight, params=params)

    tolerances = {gait: dict(robot.tolerances[gait]) for gait in GAITS if gait in robot.tolerances}
    rewards = {
        "track_linear_velocity": term(1.5, "track_linear_velocity", command="twist", std=0.5),
        "track_linear_velocity_fine": term(0.5, "track_linear_velocity", command="twist", std=0.2),
        "track_angular_velocity": term(1.0, "track_angular_velocity", command="twist", std=0.7),
        "track_angular_velocity_fine": term(0.5, "track_angular_velocity", command="twist", std=0.25),
        "ang_vel_error": term(-2.0, "angular_velocity_error_l2", command="twist"),
        "drift": term(-6.0, "drift", command="twist"),
        "alive": term(0.5, "is_alive"),
        "upright": term(0.5, "velocity:body_upright"),
        "tilt": term(-3.0, "flat_orientation_l2"),
        "pose": term(0.75, "velocity:posture", command="twist", **tolerances),
        "lin_vel_z": term(-0.5, "lin_vel_z_l2"),
        "ang_vel_xy": term(-0.05, "ang_vel_xy_l2"),
        "joint_limits": term(-1.0, "joint_pos_limits"),
        "action_rate": term(-0.02, "action_rate_l2"),
        "foot_crowding": term(-5.0, "velocity:foot_crowding"),
    }
    if robot.gait is not None:
        rewards["gait"] = term(2.5, "velocity:gait")
        rewards["marching"] = term(-1.5, "velocity:marching")
    else:
        rewards["foot_slip"] = term(-0.1, "velocity:foot_slip")
        rewards["air_time"] = term(1.0, "velocity:air_time", command="twist")
        rewards["foot_clearance"] = term(-1.0, "velocity:foot_clearance", command="twist")
    return rewards


def _terminations() -> dict[str, TerminationTermConfig]:
    return {
        "time_out": TerminationTermConfig(func="time_out", time_out=True),
        "fell_over": TerminationTermConfig(func="bad_orientation", params={"limit_angle": math.radians(50.0)}),
    }


def _evaluation() -> EvaluationConfig:
    """A robot has fallen when it is tilted too far, or bears on the ground with anything but its feet."""
    contact = TerminationTermConfig(
        func="illegal_contact", params={"whole_sensor": "ground_contacts", "allowed_sensor": "feet_ground_contacts"}
    )
    return EvaluationConfig(
        terminations=_terminations() | {"touched_ground": contact},
        sensors={
            "ground_contacts": SensorConfig(type="subtreegroundcontacts", on="@base"),
            "feet_ground_contacts": SensorConfig(type="groundcontacts", on="@feet"),
        },
    )


def _events() -> dict[str, EventTermConfig]:
    return {
        "reset_base": EventTermConfig(
            func="reset_root_state_uniform",
            params={
                "pose_range": {"x": [-0.5, 0.5], "y": [-0.5, 0.5], "z": [0.0, 0.02], "yaw": [-3.14, 3.14]},
                "velocity_range": {"x": [-0.2, 0.2], "y": [-0.2, 0.2], "yaw": [-0.2, 0.2]},
            },
        ),
        "reset_joints": EventTermConfig(
            func="reset_joints_by_offset", params={"position_range": [-0.05, 0.05], "velocity_range": [-0.1, 0.1]}
        ),
        "foot_friction": EventTermConfig(
            func="randomize_friction", mode="startup", params={"geoms": "@feet", "friction_range": [0.4, 1.2]}
        ),
        "encoder_bias": EventTermConfig(
            func="randomize_encoder_bias", mode="startup", params={"bias_range": [-0.015, 0.015]}
        ),
        "push": EventTermConfig(
            func="push_by_setting_velocity",
            mode="interval",
            interval_range_s=[2.0, 4.0],
            params={"velocity_range": {"x": [-0.6, 0.6], "y": [-0.6, 0.6], "yaw": [-0.4, 0.4]}},
        ),
    }


def _curriculum(robot: Robot) -> dict[str, CurriculumTermConfig]:
    """Ask little at first: turning gets precise, and standing still gets its due, once the robot walks.

    Standing is harder than marching on the spot while exploration shakes the robot, and early on the square of its yaw
    rate would be most of what it earns.
    """

    def ramp(setting: str, start: float, first_step: int, last_step: int) -> CurriculumTermConfig:
        params = {"setting": setting, "start": start, "first_step": first_step, "last_step": last_step}
        return CurriculumTermConfig(func="ramp", params=params)

    turn = {"turn": ramp("rewards.ang_vel_error.weight", -0.5, 8000, 14000)}
    return turn if robot.gait is None else {"stand": ramp("commands.gait.recovery_tilt", 0.01, 2500, 5000)} | turn


def _metrics() -> dict[str, MetricTermConfig]:
    return {
        "lin_vel_error": MetricTermConfig(func="lin_vel_error", params={"command": "twist"}),
        "ang_vel_error": MetricTermConfig(func="ang_vel_error", params={"command": "twist"}),
    }
