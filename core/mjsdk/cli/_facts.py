"""What robot and task plugins say, as plain data."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.errors import MjsdkError, PluginError, listing
from mjsdk.plugins import Plugin, PluginRef, Session, find_plugin, installed, load_plugin, open_session

if TYPE_CHECKING:
    from mjsdk.robot import ActuatorGroup, Robot, Role
    from mjsdk.scene.entities import Entity

_log = logging.getLogger(__name__)

SECTIONS = ("observations", "actions", "commands", "rewards", "terminations", "events", "curriculum", "metrics")


def robot_facts(session: Session) -> dict[str, Any]:
    """The facts of the session's robot, the joints of its compiled model, and what that lost on the way."""
    from mjsdk.scene import on_ground, robot_alone
    from mjsdk.scene.entities import find_robot
    from mjsdk.scene.facts import odd_pose

    robot, alone = session.robot(), robot_alone(session)
    model = on_ground(session, alone)
    entity = find_robot(model, robot)
    for warning in (*alone.warnings(session.robot_ref.label), *odd_pose(session, model)):
        _log.warning(warning)
    return {
        **_plugin(session, session.robot_ref, robot.summary),
        "mass": entity.mass,
        **_joints(model, robot, entity),
        "roles": {name: _role(role) for name, role in robot.roles.items()},
        "poses": {name: attrs.asdict(pose) for name, pose in robot.poses.items()},
        "collisions": {name: [attrs.asdict(rule) for rule in rules] for name, rules in robot.collisions.items()},
        "gait": attrs.asdict(robot.gait) if robot.gait else None,
        "model": [attrs.asdict(found) for found in alone.found],
    }


def task_facts(name: str, robot: str | None) -> dict[str, Any]:
    """The task as it is for a robot, after the adaptations that plugins make; for none, as for one with every part."""
    if robot is not None:
        return _task_facts(open_session(robot, name))
    task = load_plugin(find_plugin("task", name))
    module = importlib.import_module("mjsdk.cli._anyrobot")
    blank = Plugin(PluginRef("robot", "any robot", "mjsdk", "", module.__name__), module, module.MJSDK_API)
    try:
        return {**_task_facts(Session([blank, task])), "robot": None}
    except MjsdkError as error:
        robots = listing(ref.spec for ref in installed() if ref.kind == "robot")
        raise PluginError(f"{error}\nThis was without a robot: name one by --robot, such as {robots}") from error


def _task_facts(session: Session) -> dict[str, Any]:
    from mjsdk.config.settings import Settings

    task = session.task()
    env = Settings.of_task(session, task).adapt().env
    return {
        **_plugin(session, session.task_ref, task.summary),
        "robot": session.robot_ref.name,
        "requires": [attrs.asdict(need) for need in task.requires],
        "step_dt": env.step_dt,
        "episode_length_s": env.episode_length_s,
        **{section: attrs.asdict(env)[section] for section in SECTIONS},
        "evaluation": attrs.asdict(task.evaluation) if task.evaluation else None,
    }


def _plugin(session: Session, ref: PluginRef, summary: str) -> dict[str, Any]:
    plugin = next(plugin for plugin in session.plugins if plugin.ref == ref)
    keys = ("kind", "name", "dist", "version", "target")
    facts = {key: getattr(ref, key) for key in keys}
    return {**facts, "summary": summary or ref.summary, "api": plugin.api, "hooks": list(plugin.hooks)}


def _joints(model: Any, robot: Robot, entity: Entity) -> dict[str, Any]:
    from mjsdk.robot.selection import ModelNames, match

    names = ModelNames.of(model, entity.joints).joints
    driven = [name for name, actuator in zip(names, entity.actuators, strict=True) if actuator is not None]
    motors = {driven[i]: group for group in robot.actuators for i in match(group.joints, driven, "joints")}
    joints = [
        {"name": name, "range": _limits(model, name), "actuator": _motor(model, name, motors.get(name))}
        for name in names
    ]
    return {"dof": len(names), "joints": joints}


def _limits(model: Any, joint: str) -> list[float] | None:
    view = model.joint(joint)
    return [float(limit) for limit in view.range] if model.jnt_limited[view.id] else None


def _motor(model: Any, joint: str, group: ActuatorGroup | None) -> dict[str, Any] | None:
    """The facts of a joint's motor; those that the robot leaves to its model are the model's."""
    if group is None:
        return None
    facts = attrs.asdict(group, filter=lambda attribute, _: attribute.name != "joints")
    losses = {name: float(getattr(model.joint(joint), name)[0]) for name in ("armature", "frictionloss")}
    return {**facts, **losses, "action_scale": group.action_scale}


def _role(role: Role) -> dict[str, list[str]]:
    return {part: list(names) for part, names in attrs.asdict(role).items() if names}
