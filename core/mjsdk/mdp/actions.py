"""Action terms: how the policy's output moves the robot."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs
import torch
from torch import Tensor

from mjsdk.config.env import ActionTermConfig
from mjsdk.config.fields import setting
from mjsdk.env.actions import ActionTerm
from mjsdk.env.mirror import Mirror, Reflection
from mjsdk.env.robot_state import as_index
from mjsdk.errors import ConfigError, MissingRole, Mistake, SelectionError, listing
from mjsdk.mdp.clock import gait_clock
from mjsdk.robot import Roles
from mjsdk.robot.selection import Joints, ModelNames, per_joint, select
from mjsdk.terms import CommandName

if TYPE_CHECKING:
    from mjsdk.env.env import Env


ALL = ".*"


@attrs.define(kw_only=True)
class JointPositionConfig(ActionTermConfig):
    """Joint position targets around the default pose: target = default + scale x action."""

    joints: str | list[str] = setting(
        ALL, "Joints that are driven, as a role or patterns, each with an actuator; `.*` for all that have one."
    )
    scale: float | dict[str, float] = setting(
        0.25,
        "Change of target per unit of action: a number, or a map from patterns to numbers.",
        unit="rad",
        recommended=(0.01, 1.0),
        advice="A quarter of effort over stiffness suits most motors: larger jerks, smaller cannot step.",
    )
    clip: list[float] | None = setting(
        None,
        "Smallest and largest action, before scaling.",
        endless=True,
        advice="Bounds what a wild policy can ask for.",
    )

    def mistakes(self, names: ModelNames, roles: Roles) -> list[tuple[str, str]]:
        """What does not fit this robot: pairs of setting and message."""
        checks = {
            "joints": lambda: select(Joints, self.joints, names, roles),
            "scale": lambda: per_joint(self.scale, names, roles, default=0.0),
        }
        found = []
        for name, check in checks.items():
            try:
                check()
            except (SelectionError, MissingRole) as error:
                found.append((name, str(error)))
        return found


class JointPosition(ActionTerm):
    """Position targets for servos, corrected by what the encoders read too much."""

    Config: ClassVar[type[ActionTermConfig]] = JointPositionConfig
    config: JointPositionConfig

    def __init__(self, env: Env, name: str, config: JointPositionConfig) -> None:
        super().__init__(env, name, config)
        self.joints = self._chosen()
        self.index = as_index(list(self.joints.ids), env.device)
        """Columns of the driven joints among all joints."""
        self._controls = as_index(self._actuators(), env.device)
        self.size = len(self.joints)
        scale = per_joint(config.scale, env.names, env.roles, default=0.0)
        self.scale = torch.tensor(scale, device=env.device)[self.index]
        """Change of target per unit of action [rad], shape (size,)."""
        self.offset = env.robot.default_joint_pos[self.index]
        """Target of action 0 [rad], shape (size,)."""

    def apply(self, action: Tensor) -> None:
        """Set the targets, shape (E, size)."""
        if self.config.clip is not None:
            action = action.clamp(*self.config.clip)
        self.env.actions.controls[:, self._controls] = self.target(action)

    def target(self, action: Tensor) -> Tensor:
        """Joint position targets [rad] for an action, shape (E, size)."""
        return torch.addcmul(self.offset, action, self.scale).sub_(self.env.robot.encoder_bias[:, self.index])

    def reflection(self, mirror: Mirror) -> Reflection:
        """Pairs of joints change places; those that turn the other way change their sign."""
        return mirror.joints(self.joints.ids)

    def _chosen(self) -> Joints:
        """All joints that an actuator drives, or those of the settings, which must all have one."""
        entity, names = self.env.scene.entity, self.env.names.joints
        driven = Joints(tuple(names[i] for i in entity.driven), entity.driven)
        if not driven:
            raise self._mistake("no joint of this robot has an actuator; give it some by Robot.actuators")
        if self.config.joints in (ALL, [ALL]):
            return driven
        chosen: Joints = select(Joints, self.config.joints, self.env.names, self.env.roles)
        passive = [names[i] for i in chosen.ids if entity.actuators[i] is None]
        if passive:
            what = f"no actuator drives {listing(passive)}"
            raise self._mistake(f"{what}. Legal: {listing(driven.names)}, or {ALL} for all of them")
        return chosen

    def _actuators(self) -> list[int]:
        numbers = (self.env.scene.entity.actuators[i] for i in self.joints.ids)
        return [number for number in numbers if number is not None]

    def _mistake(self, what: str) -> ConfigError:
        return ConfigError([Mistake(f"env.actions.{self.name}.joints", what)])


@attrs.define(kw_only=True)
class SteppingJointPositionConfig(JointPositionConfig):
    """Joint position targets on top of an open-loop step in place."""

    clock: CommandName = setting("gait", "Command that says which foot swings: a gait_clock.")
    lift: float = setting(
        1.0,
        "How high the open-loop step lifts the feet, as a factor of the robot's own.",
        recommended=(0.0, 1.5),
        bounds=(0.0, None),
        advice="Shows the policy what a step is; 0 leaves stepping to the policy.",
    )
    standing: float = setting(
        1.0,
        "Factor of the action while the clock stands still.",
        recommended=(0.2, 1.0),
        exclusive_min=0.0,
        advice="Exploration shakes a robot that stands more than one that walks: below 1 it learns to stand.",
    )


class SteppingJointPosition(JointPosition):
    """Joint position targets that already step in place with the gait clock: the policy adds balance and direction.

    While a foot swings, its leg bends by the robot's `gait.lift` times a bump of the foot's phase. The bump begins
    late and ends early, so that the feet change with both on the ground. The step is a part of the action and leaves
    with it.
    """

    Config: ClassVar[type[ActionTermConfig]] = SteppingJointPositionConfig
    config: SteppingJointPositionConfig

    def __init__(self, env: Env, name: str, config: SteppingJointPositionConfig) -> None:
        super().__init__(env, name, config)
        self._clock = gait_clock(env, config.clock, f"env.actions.{name}.clock")
        self._lift = _lifts(env, name)[:, self.index] * config.lift
        self.last_step = env.buffers.new(f"action/{name}/last_step", env.num_envs, self.size)
        """What the open-loop step added to the targets in this control step [rad], shape (E, size)."""

    def target(self, action: Tensor) -> Tensor:
        """Joint position targets [rad] for an action, shape (E, size)."""
        moving = self._clock.moving.unsqueeze(1).float()
        bump = swing_bump(self._clock.foot_phase, self._clock.config.swing).mul_(moving)
        torch.mm(bump, self._lift, out=self.last_step)
        size = moving.mul_(1.0 - self.config.standing).add_(self.config.standing)
        target = torch.addcmul(self.offset, action * size, self.scale).add_(self.last_step)
        return target.sub_(self.env.robot.encoder_bias[:, self.index])


def _lifts(env: Env, name: str) -> Tensor:
    """What lifts each foot [rad], shape (F, J). Raises `ConfigError` for a robot that does not say."""
    lifts = env.gait.lift if env.gait else ()
    if not lifts:
        robot = env.scene.robot.name
        message = f"robot '{robot}' does not say what lifts its feet: set lift in its Gait, or use joint_position"
        raise ConfigError([Mistake(f"env.actions.{name}.func", message)])
    return torch.tensor([per_joint(lift, env.names, env.roles, default=0.0) for lift in lifts], device=env.device)


def swing_bump(phase: Tensor, swing: float) -> Tensor:
    """A smooth bump from 0 to 1 and back in the middle of the swing, 0 in the stance. Phases from 0 to 1."""
    return phase.clamp(max=swing).mul_(torch.pi / swing).sin_().sub_(0.2).mul_(1.0 / 0.8).clamp_(min=0.0)


TERMS = {"joint_position": JointPosition, "stepping_joint_position": SteppingJointPosition}
