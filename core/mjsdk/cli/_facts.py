"""What robot and task plugins say, as plain data."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.errors import MjsdkError, PluginError, listing
from mjsdk.mdp import core_terms
from mjsdk.plugins import Plugin, PluginRef, Session, find_plugin, installed, load_plugin, open_session

if TYPE_CHECKING:
    from mjsdk.robot import Robot
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
        "roles": {
            name: {part: list(names) for part, names in attrs.asdict(role).items() if names}
            for name, role in robot.roles.items()
        },
        "poses": {name: attrs.asdict(pose) for name, pose in robot.poses.items()},
        "collisions": {name: [attrs.asdict(rule) for rule in rules] for name, rules in robot.collisions.items()},
        "gait": attrs.asdict(robot.gait) if robot.gait else None,
        "model": [attrs.asdict(found) for found in alone.found],
    }


def task_facts(name: str, robot: str | None) -> dict[str, Any]:
    """The task as it is for a robot, after the adaptations that plugins make; for none, as for one with every part."""
    if robot is not None:
        return _task_facts(open_session(robot, name, core=core_terms))
    task = load_plugin(find_plugin("task", name))
    module = importlib.import_module("mjsdk.cli._anyrobot")
    blank = Plugin(PluginRef("robot", "any robot", "mjsdk", "", module.__name__), module, module.MJSDK_API)
    try:
        return {**_task_facts(Session([blank, task], core_terms)), "robot": None}
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
    facts = {key: getattr(ref, key) for key in ("kind", "name", "dist", "version", "target")}
    return {**facts, "summary": summary or ref.summary, "api": plugin.api, "hooks": list(plugin.hooks)}


def _joints(model: Any, robot: Robot, entity: Entity) -> dict[str, Any]:
    """Ranges and motors of the joints; of a motor, what the robot leaves to its model is the model's."""
    from mjsdk.robot.selection import match

    names = [model.joint(i).name for i in entity.joints]
    driven = [name for name, actuator in zip(names, entity.actuators, strict=True) if actuator is not None]
    motors = {driven[i]: group for group in robot.actuators for i in match(group.joints, driven, "joints")}
    joints = []
    for name in names:
        joint, motor = model.joint(name), None
        if name in motors:
            losses = {loss: float(getattr(joint, loss)[0]) for loss in ("armature", "frictionloss")}
            motor = {**attrs.asdict(motors[name]), **losses, "action_scale": motors[name].action_scale}
            del motor["joints"]
        limits = [float(limit) for limit in joint.range] if model.jnt_limited[joint.id] else None
        joints.append({"name": name, "range": limits, "actuator": motor})
    return {"dof": len(names), "joints": joints}
