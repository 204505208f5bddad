"""The robot as episodes begin: what of its facts makes no sense there, or has no effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import mujoco
import numpy as np

from mjsdk.errors import listing
from mjsdk.robot import CollisionRule, InitialState, Robot, Role
from mjsdk.robot.selection import ModelNames
from mjsdk.scene.collisions import WORLD
from mjsdk.scene.entities import Entity
from mjsdk.scene.stand import collapse

_SUNK = 0.02
"""How deep a geom may start in the ground without a warning [m]."""
_TILTED = 20.0
"""Angle from the base's z axis to the vertical that a pose may have without a warning [deg]."""


@attrs.frozen
class FirstPose:
    """A model with its robot in the pose that episodes start from, everything derived."""

    facts: Robot
    model: mujoco.MjModel
    robot: Entity
    names: ModelNames
    pose: InitialState
    joint_pos: tuple[float, ...]
    """[rad], shape (J,)"""
    rules: tuple[CollisionRule, ...]
    """The collision rules that hold."""
    data: mujoco.MjData = attrs.field(init=False)

    @data.default
    def _at_start(self) -> mujoco.MjData:
        data = mujoco.MjData(self.model)
        data.qpos[:], data.ctrl[:] = self.robot.start(self.model, self.pose, self.joint_pos)
        mujoco.mj_kinematics(self.model, data)
        return data

    def warnings(self) -> Iterator[str]:
        """What is odd. That the robot falls is said only where nothing else explains it."""
        odd = [*self._tilt(), *self._depth(), *self._idle_feet()]
        yield from (*self._beyond(), *odd, *self._lost_rules())
        feet = len(self._feet().bodies or self._feet().sites)
        if feet and not odd and self.robot.has_free_base and self._ground() is not None:
            yield from collapse(self.model, self.robot, self.data, feet)

    def _feet(self) -> Role:
        return self.facts.roles["feet"] if "feet" in self.facts.roles else Role()

    def _beyond(self) -> Iterator[str]:
        for joint, name, value in zip(self.robot.joints, self.names.joints, self.joint_pos, strict=True):
            low, high = self.model.jnt_range[joint]
            if self.model.jnt_limited[joint] and not low - 1e-6 <= value <= high + 1e-6:
                yield f"{name} is at {value:.4g} rad, outside of its range {low:.4g} .. {high:.4g}"

    def _tilt(self) -> Iterator[str]:
        upright = self.data.xmat[self.robot.base].reshape(3, 3)[2, 2]
        tilt = np.degrees(np.arccos(np.clip(upright, -1.0, 1.0)))
        if self.robot.has_free_base and tilt > _TILTED:
            yield (
                f"the base begins tilted by {tilt:.0f} deg: tasks take its z axis for up. Change quat, or turn the "
                "body's parts in the model, so that its z axis points up"
            )

    def _depth(self) -> Iterator[str]:
        depths = _depths(self.model, self.robot, self.data) if self.robot.has_free_base else {}
        if depths and max(depths.values()) > _SUNK:
            deepest = max(depths, key=depths.__getitem__)
            yield f"{deepest} is {depths[deepest]:.2g} m under the ground; raise pos"

    def _idle_feet(self) -> Iterator[str]:
        touching = {self.names.bodies[self.model.geom_bodyid[i]] for i in _touching(self.model)}
        idle = [name for name in self._feet().bodies if name not in touching]
        if idle:
            yield (
                f"the feet {listing(idle)} have no geom that collides with the ground, so nothing will feel them touch "
                "it. Name the bodies that carry such geoms in the role 'feet', or the geoms in a collision rule"
            )

    def _lost_rules(self) -> Iterator[str]:
        ground = self._ground()
        if ground is None:
            return
        for rule in self.rules:
            lost = _lost(self.model, ground, rule)
            if lost:
                yield (
                    f"{lost} of the collision rule of {listing(rule.geoms)} does not hold on the ground, which "
                    f"has as much to say at priority {rule.priority}: leave priority at 1"
                )

    def _ground(self) -> int | None:
        """The plane that everything stands on, if the model has one."""
        planes = (self.model.geom_bodyid == 0) & (self.model.geom_type == int(mujoco.mjtGeom.mjGEOM_PLANE))
        return int(np.argmax(planes)) if planes.any() else None


def _touching(model: mujoco.MjModel) -> list[int]:
    """Geoms that collide with the world."""
    return [i for i in range(model.ngeom) if model.geom_conaffinity[i] & WORLD]


def _lost(model: mujoco.MjModel, ground: int, rule: CollisionRule) -> str:
    """What a rule says of contacts with the ground that does not hold there."""
    if not rule.world or rule.priority > model.geom_priority[ground]:
        return ""
    wins = rule.priority == model.geom_priority[ground]
    own, other = np.array(rule.friction), model.geom_friction[ground, : len(rule.friction)]
    holds = np.maximum(own, other) if wins else other
    if rule.condim > 1 and not np.array_equal(own, holds):
        return f"friction {listing(f'{number:g}' for number in own)}"
    condim = int(model.geom_condim[ground])
    if not rule.self_collision and rule.condim != (max(rule.condim, condim) if wins else condim):
        return f"condim {rule.condim}"
    return "solref" if rule.solref is not None and not np.array_equal(rule.solref, model.geom_solref[ground]) else ""


def _depths(model: mujoco.MjModel, robot: Entity, data: mujoco.MjData) -> Mapping[str, float]:
    """How far each geom of the robot that collides with the ground reaches below it [m], by what it is called."""
    own = set(robot.bodies)
    touching = (i for i in _touching(model) if model.geom_bodyid[i] in own)
    return {_called(model, i): -_lowest(model, data, i) for i in touching}


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
