"""Whether what a robot says about itself is true of its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import mujoco
import numpy as np

from mjsdk.errors import MissingRole, SceneError, SelectionError, closest, listing
from mjsdk.plugins import Session
from mjsdk.robot import PARTS, Robot
from mjsdk.scene.collisions import WORLD
from mjsdk.scene.joints import has_free_base, scalar_joints
from mjsdk.selection import Joints, ModelNames, match, per_joint, select

_SUNK = 0.02
"""How deep a geom may start in the ground without a warning [m]."""
_JOINTS_WITH_POSITION = (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)


def check_facts(session: Session, spec: mujoco.MjSpec) -> None:
    """Raise `SceneError` if names in the facts are not in the robot's model."""
    _refuse(session, list(_mistakes(session.robot(), spec)))


def check_compiled(session: Session, model: mujoco.MjModel) -> None:
    """Raise `SceneError` if what the facts call the base is not what moves freely."""
    _refuse(session, list(_wrong_base(session.robot(), model)))


def _wrong_base(robot: Robot, model: mujoco.MjModel) -> Iterator[str]:
    """What terms call the base is the body of the free joint: the role must name the same."""
    named = robot.roles["base"].bodies if "base" in robot.roles else ()
    entity = find_robot(model, robot)
    moved = model.body(entity.base).name if entity.has_free_base else ""
    if named and moved and named != (moved,):
        yield f"  role 'base' is {listing(named)}, but the free joint moves {moved}"


def _refuse(session: Session, mistakes: list[str]) -> None:
    if mistakes:
        raise SceneError("\n".join([f"{session.robot_ref.label} does not fit its model:", *mistakes]))


def _mistakes(robot: Robot, spec: mujoco.MjSpec) -> Iterator[str]:
    yield from _wrong_roles(robot, spec)
    names = _names(spec)
    for field, patterns in _joint_patterns(robot):
        for pattern in patterns:
            try:
                select(Joints, pattern, names, robot.roles)
            except (SelectionError, MissingRole) as error:
                yield f"  {field}: {error}"
    for preset, rules in robot.collisions.items():
        for pattern in (pattern for rule in rules for pattern in rule.geoms):
            try:
                match(pattern, names.geoms, "geoms")
            except SelectionError as error:
                yield f"  collisions '{preset}': {error}"


def _joint_patterns(robot: Robot) -> Iterator[tuple[str, Iterable[str]]]:
    """Facts that are given by joint, as (where they stand, patterns)."""
    for name, pose in robot.poses.items():
        yield f"pose '{name}', joint_pos", pose.joint_pos
    for name, tolerances in robot.tolerances.items():
        yield f"tolerances '{name}'", tolerances
    for i, lift in enumerate(robot.gait.lift if robot.gait else ()):
        yield f"gait, lift of foot {i}", lift


def _wrong_roles(robot: Robot, spec: mujoco.MjSpec) -> Iterator[str]:
    for role, parts in robot.roles.items():
        for part in PARTS:
            legal = [element.name for element in getattr(spec, part)]
            for name in getattr(parts, part):
                if name not in legal:
                    hint = closest(name, legal) or "."
                    yield f"  role '{role}', {part}: no '{name}'{hint} Legal: {listing(filter(None, legal))}"


def _names(spec: mujoco.MjSpec) -> ModelNames:
    def of(parts: Iterable[mujoco.MjsGeom | mujoco.MjsBody | mujoco.MjsSite | mujoco.MjsJoint]) -> tuple[str, ...]:
        return tuple(part.name for part in parts)

    hinges = (joint for joint in spec.joints if joint.type in _JOINTS_WITH_POSITION)
    return ModelNames(of(hinges), of(spec.bodies), of(spec.sites), of(spec.geoms))


def odd_pose(session: Session, model: mujoco.MjModel) -> list[str]:
    """Warnings about the robot's default pose: joints outside of their ranges, geoms in the ground."""
    robot, names = session.robot(), ModelNames.of(model)
    joint_pos = np.array(per_joint(robot.default_pose.joint_pos, names, robot.roles, default=0.0))
    where = f"robot '{session.robot_ref.name}', pose '{next(iter(robot.poses))}'"
    data = mujoco.MjData(model)
    if has_free_base(model):
        data.qpos[:7] = [*robot.default_pose.pos, *robot.default_pose.quat]
    data.qpos[model.jnt_qposadr[scalar_joints(model)]] = joint_pos
    mujoco.mj_kinematics(model, data)
    warnings = [f"{where}: {text}" for text in _beyond(model, names, joint_pos)]
    depths = _depths(model, data) if has_free_base(model) else {}
    if depths and max(depths.values()) > _SUNK:
        deepest = max(depths, key=depths.__getitem__)
        warnings.append(f"{where}: {deepest} is {depths[deepest]:.2g} m under the ground; raise pos")
    return warnings


def _beyond(model: mujoco.MjModel, names: ModelNames, joint_pos: np.ndarray) -> Iterator[str]:
    for name, value in zip(names.joints, joint_pos, strict=True):
        joint = model.joint(name)
        low, high = joint.range
        if model.jnt_limited[joint.id] and not low - 1e-6 <= value <= high + 1e-6:
            yield f"{name} is at {value:.4g} rad, outside of its range {low:.4g} .. {high:.4g}"


def _depths(model: mujoco.MjModel, data: mujoco.MjData) -> Mapping[str, float]:
    """How far each geom that collides with the ground reaches below it [m], by what it is called."""
    touching = [i for i in range(model.ngeom) if model.geom_conaffinity[i] & WORLD]
    robots = [i for i in touching if model.geom_bodyid[i]]
    return {_called(model, i): -_lowest(model, data, i) for i in robots}


def _called(model: mujoco.MjModel, geom: int) -> str:
    name = model.geom(geom).name
    return f"geom '{name}'" if name else f"a geom of body '{model.body(model.geom_bodyid[geom]).name}'"


def _lowest(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Height of the lowest point of a geom [m]."""
    size, height, down = model.geom_size[geom], data.geom_xpos[geom, 2], data.geom_xmat[geom, 6:]
    kind = mujoco.mjtGeom(int(model.geom_type[geom]))
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return float(height - size[0])
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return float(height - size[0] - size[1] * abs(down[2]))
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return float(height - size[0] * np.hypot(*down[:2]) - size[1] * abs(down[2]))
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return float(height - np.abs(down) @ size)
    if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
        return float(height - np.linalg.norm(down * size))
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first = model.mesh_vertadr[mesh]
        return float(height + (model.mesh_vert[first : first + model.mesh_vertnum[mesh]] @ down).min())
    return np.inf
