"""A task with one term of most kinds, for tests."""

from __future__ import annotations

import attrs

from mjsdk.config import (
    ActionTermConfig,
    AgentConfig,
    EnvConfig,
    EventTermConfig,
    NoiseConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    ResampledCommandConfig,
    RewardTermConfig,
    SceneConfig,
    SensorConfig,
    setting,
)
from mjsdk.hookspecs import hookimpl
from mjsdk.robot.selection import Bodies, Joints, PerJoint
from mjsdk.task import TaskConfig
from mjsdk.terms import CommandName, SensorName

MJSDK_API = 1


@attrs.define(kw_only=True)
class Ranges:
    """Smallest and largest values of a command."""

    speed: list[float] = setting(
        factory=lambda: [0.0, 1.0], meaning="Speed.", unit="m/s", recommended=(-3.0, 3.0), advice="Widen it late."
    )


@attrs.define(kw_only=True)
class GoConfig(ResampledCommandConfig):
    """Go somewhere."""

    ranges: Ranges = setting(factory=Ranges, meaning="What is drawn.")
    heading: bool = setting(False, "Turn to a heading.")
    after: CommandName = setting("", "Command to wait for; empty for none.")


@attrs.define(kw_only=True)
class PushConfig(ActionTermConfig):
    """Move joints."""

    scale: float | dict[str, float] = setting(1.0, "Radians per unit of action.", unit="rad", recommended=(0.05, 1.0))

    def mistakes(self, names, roles):
        if isinstance(self.scale, dict):
            return [("scale", f"'{key}' matches no joints") for key in self.scale if key == "none_such"]
        return []


@attrs.define(kw_only=True)
class HoldConfig(ActionTermConfig):
    """Hold still."""

    stiffness: float = setting(1.0, "How still.")


class Go:
    Config = GoConfig


class Push:
    Config = PushConfig


class Hold:
    Config = HoldConfig


def upright(env, std: float, joints: Joints = "left_.*", tolerance: PerJoint = 0.1, gentle: bool = False):
    """How upright the trunk is.

    Args:
        std: Width of the kernel [rad]. Recommended: 0.1..0.5. Narrower is
            stricter.
        joints: Joints that count.
        tolerance: How far each joint may stray [rad].
    """


def tired(env):
    """Always true."""


def near(env, goal: CommandName | None = None, command: str = "no name"):
    """How near the goal is."""


def gyro(env, sensor: SensorName = "imu"):
    """Turning rate of the sensor."""


def shove(env, worlds, speed: list[float], bodies: Bodies):
    """A sudden push.

    Args:
        speed: Speed that is added [m/s]. Recommended: 0..1. Start with little.
    """


@hookimpl
def mjsdk_reward_terms():
    return {"upright": upright, "tired": tired, "near": near}


@hookimpl
def mjsdk_observation_terms():
    return {"gyro": gyro}


@hookimpl
def mjsdk_event_terms():
    return {"shove": shove}


@hookimpl
def mjsdk_command_terms():
    return {"go": Go}


@hookimpl
def mjsdk_action_terms():
    return {"push": Push, "hold": Hold}


@hookimpl
def mjsdk_task(robot):
    gyro_term = ObservationTermConfig(func="stand:gyro", noise=NoiseConfig(scale=0.2))
    actor = ObservationGroupConfig(terms={"gyro": gyro_term}, enable_corruption=True)
    critic = ObservationGroupConfig(terms={"gyro": ObservationTermConfig(func="stand:gyro")})
    push = {"speed": (0.1, 0.5), "bodies": "@base"}
    return TaskConfig(
        name="stand",
        env=EnvConfig(
            scene=SceneConfig(sensors={"imu": SensorConfig(type="gyro", on="@imu")}),
            observations={"actor": actor, "critic": critic},
            actions={"joint_pos": PushConfig(func="stand:push", scale={"left_.*": 0.5, "right_.*": 0.4})},
            commands={"go": GoConfig(func="stand:go")},
            rewards={"upright": RewardTermConfig(func="stand:upright", weight=1.0, params={"std": 0.25})},
            events={
                "push": EventTermConfig(func="stand:shove", mode="interval", interval_range_s=[3.0, 5.0], params=push)
            },
        ),
        agent=AgentConfig(num_steps_per_env=16),
        presets={"gpu": {"agent.num_steps_per_env": 32}},
    )
