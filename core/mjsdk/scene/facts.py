"""Whether what a robot says about itself is true of its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import mujoco

from mjsdk.errors import MissingRole, SceneError, SelectionError, closest, listing
from mjsdk.plugins import Session
from mjsdk.robot import PARTS, Robot, Role
from mjsdk.robot.selection import Joints, ModelNames, match, per_joint, select
from mjsdk.scene.entities import find_robot, upward
from mjsdk.scene.first_pose import FirstPose
from mjsdk.scene.mirror import joint_partners


def check_facts(session: Session, model: mujoco.MjModel) -> None:
    """Raise `SceneError` if facts name what is not in the robot's model, or say of it what is not so."""
    mistakes = list(_mistakes(session.robot(), model))
    if mistakes:
        raise SceneError("\n".join([f"{session.robot_ref.label} does not fit its model:", *mistakes]))


def _mistakes(robot: Robot, model: mujoco.MjModel) -> Iterator[str]:
    entity, roles = find_robot(model, robot), robot.roles
    names = ModelNames.of(model, entity.joints)
    wrong_roles = list(_wrong_roles(robot, names))
    yield from wrong_roles
    feet = roles["feet"] if "feet" in roles else Role()
    count = len(feet.sites or feet.bodies)
    if robot.gait and count and len(robot.gait.offsets) != count:
        yield f"  gait, offsets: {len(robot.gait.offsets)} for {count} feet; give one per foot of the role 'feet'"
    for field, check in _patterns(robot, names):
        try:
            check()
        except (SelectionError, MissingRole) as error:
            yield f"  {field}: {error}"
    # What terms call the base is the body of the free joint: the role must name the same.
    base = roles["base"].bodies if "base" in roles else ()
    moved = model.body(entity.base).name if entity.has_free_base else ""
    if base and moved and base != (moved,):
        yield f"  role 'base' is {listing(base)}, but the free joint moves {moved}"
    yield from () if wrong_roles else _out_of_order(robot, model)


def _patterns(robot: Robot, names: ModelNames) -> Iterator[tuple[str, Callable[[], object]]]:
    """Facts that are given by pattern: where they stand, and what raises an error if one of them matches nothing."""
    roles, lifts = robot.roles, robot.gait.lift if robot.gait else ()
    for name, tolerances in robot.tolerances.items():
        yield f"tolerances '{name}'", partial(per_joint, tolerances, names, roles)
    by_joint = [(f"pose '{name}', joint_pos", pose.joint_pos) for name, pose in robot.poses.items()]
    by_joint += [(f"gait, lift of foot {i}", lift) for i, lift in enumerate(lifts)]
    for field, patterns in by_joint:
        yield from ((field, partial(select, Joints, pattern, names, roles)) for pattern in patterns)
    for preset, rules in robot.collisions.items():
        for pattern in (pattern for rule in rules for pattern in rule.geoms):
            yield f"collisions '{preset}'", partial(match, pattern, names.geoms, "geoms")


def _out_of_order(robot: Robot, model: mujoco.MjModel) -> Iterator[str]:
    """Terms take the parts of a role together by their places: the first site is on the first body."""
    for role, parts in robot.roles.items():
        places = {model.body(name).id: i for i, name in enumerate(parts.bodies)}
        for i, name in enumerate(parts.sites if len(parts.sites) == len(places) else ()):
            above = upward(model, int(model.site(name).bodyid[0]))
            body = next((body for body in above if body in places), None)
            if body is not None and places[body] != i:
                yield (
                    f"  role '{role}': site '{name}' stands at place {i + 1}, its body '{model.body(body).name}' at "
                    f"place {places[body] + 1}; give bodies and sites in the same order"
                )


def _wrong_roles(robot: Robot, names: ModelNames) -> Iterator[str]:
    for role, parts in robot.roles.items():
        for part in PARTS:
            legal, given = getattr(names, part), getattr(parts, part)
            if len(set(given)) < len(given):
                yield f"  role '{role}', {part}: {listing(given)} names some twice; name each once"
            for name in given:
                if name not in legal:
                    hint = closest(name, legal) or "."
                    yield f"  role '{role}', {part}: no '{name}'{hint} Legal: {listing(filter(None, legal))}"


def odd_pose(session: Session, model: mujoco.MjModel, pose: str = "", collisions: str = "") -> list[str]:
    """Warnings about the robot in a pose, as episodes begin: what makes no sense there, or has no effect.

    Raises `SceneError` for a mirror that leaves a joint without a partner.

    Args:
        session: The plugins.
        model: The robot; what concerns the ground is looked for where the model has one.
        pose: One of the robot's poses; its default one if none.
        collisions: The collision preset that the model was made with; the robot's default one if none.
    """
    facts = session.robot()
    robot = find_robot(model, facts)
    names = ModelNames.of(model, robot.joints)
    if facts.mirror:
        joint_partners(model, robot, facts)
    pose = pose if pose in facts.poses else next(iter(facts.poses))
    joint_pos = per_joint(facts.poses[pose].joint_pos, names, facts.roles, default=0.0)
    rules = facts.collisions.get(collisions or facts.default_collisions, ())
    first = FirstPose(facts, model, robot, names, facts.poses[pose], tuple(joint_pos), tuple(rules))
    return [f"robot '{session.robot_ref.name}', pose '{pose}': {text}" for text in first.warnings()]
