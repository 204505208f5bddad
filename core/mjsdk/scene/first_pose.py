"""The robot as episodes begin: what of its facts makes no sense there, or has no effect."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import mujoco
import numpy as np

from mjsdk.errors import listing
from mjsdk.robot import CollisionRule, InitialState, Robot, Role
from mjsdk.robot.selection import ModelNames, per_joint
from mjsdk.scene.collisions import WORLD
from mjsdk.scene.entities import Entity
from mjsdk.scene.stand import collapse

_SUNK = 0.02
"""How deep a geom may start in the ground without a warning [m]."""
_DROP = 0.1
"""How far above the ground a robot may begin without a warning [m]."""
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
        """What is odd. What may follow from something else, such as a fall, is said only where nothing else is."""
        depths = self._depths() if self.robot.has_free_base else {}
        deepest = max(depths, key=depths.__getitem__, default="")
        odd = [*self._beyond(), *self._tilt()]
        if depths and depths[deepest] > _SUNK:
            odd.append(f"{deepest} is {depths[deepest]:.2g} m under the ground; raise pos")
        odd += [*self._idle_feet(), *self._weak_joints()]
        yield from (*odd, *self._lost_rules(), *self._foreign_parts())
        if odd:
            return
        height, feet = -max(depths.values(), default=0.0), len(self._feet.bodies or self._feet.sites)
        if height > _DROP:
            yield f"it begins {height:.2g} m above the ground, and falls on it; lower pos"
        elif feet and self.robot.has_free_base and self._ground is not None:
            yield from list(collapse(self.model, self.robot, self.data, feet)) or self._idle_lifts()
        else:
            yield from self._idle_lifts()

    @property
    def _feet(self) -> Role:
        return self.facts.roles["feet"] if "feet" in self.facts.roles else Role()

    @property
    def _ground(self) -> int | None:
        """The plane that everything stands on, if the model has one."""
        planes = (self.model.geom_bodyid == 0) & (self.model.geom_type == int(mujoco.mjtGeom.mjGEOM_PLANE))
        return int(np.argmax(planes)) if planes.any() else None

    def _touching(self) -> Iterator[int]:
        """Geoms that collide with the world."""
        return (i for i in range(self.model.ngeom) if self.model.geom_conaffinity[i] & WORLD)

    def _depths(self) -> dict[str, float]:
        """How far each geom of the robot that collides with the ground reaches below it [m], by what it is called."""
        model, found = self.model, {}
        for geom in self._touching():
            body, name = int(model.geom_bodyid[geom]), model.geom(geom).name
            if body in self.robot.bodies:
                called = f"geom '{name}'" if name else f"a geom of body '{model.body(body).name}'"
                found[called] = -_lowest(model, self.data, geom)
        return found

    def _beyond(self) -> Iterator[str]:
        found = []
        for joint, name, value in zip(self.robot.joints, self.names.joints, self.joint_pos, strict=True):
            low, high = self.model.jnt_range[joint]
            if self.model.jnt_limited[joint] and not low - 1e-6 <= value <= high + 1e-6:
                found.append(f"{name} is at {value:.4g} rad, outside of its range {low:.4g} .. {high:.4g}")
        if found:
            yield found[0] + (f", and so are {len(found) - 1} other joints" if found[1:] else "")

    def _tilt(self) -> Iterator[str]:
        upright = self.data.xmat[self.robot.base].reshape(3, 3)[2, 2]
        tilt = np.degrees(np.arccos(np.clip(upright, -1.0, 1.0)))
        if self.robot.has_free_base and tilt > _TILTED:
            yield (
                f"the base begins tilted by {tilt:.0f} deg: tasks take its z axis for up. Change quat, or turn the "
                "body's parts in the model, so that its z axis points up"
            )

    def _idle_feet(self) -> Iterator[str]:
        touching = {self.names.bodies[self.model.geom_bodyid[i]] for i in self._touching()}
        idle = [name for name in self._feet.bodies if name not in touching]
        if idle:
            yield (
                f"the feet {listing(idle)} have no geom that collides with the ground, so nothing will feel them touch "
                "it. Name the bodies that carry such geoms in the role 'feet', or the geoms in a collision rule"
            )

    def _weak_joints(self) -> Iterator[str]:
        model, found = self.model, []
        for joint, name, actuator in zip(self.robot.joints, self.names.joints, self.robot.actuators, strict=True):
            if actuator is not None and model.jnt_actfrclimited[joint]:
                wanted, most = model.actuator_forcerange[actuator, 1], np.abs(model.jnt_actfrcrange[joint]).min()
                if wanted > most * (1.0 + 1e-6):
                    found.append(f"{name} takes {most:.4g} N m at most (actuatorfrcrange), not {wanted:.4g}")
        if found:
            more = f", and so with {len(found) - 1} other joints" if found[1:] else ""
            yield f"an effort_limit does not hold in the model: {found[0]}{more}. Make them equal"

    def _foreign_parts(self) -> Iterator[str]:
        """The parts that are felt or stood on must be the robot's; roles of other names may be objects'."""
        own = set(self.model.body_rootid[list(self.robot.bodies)].tolist())
        for role in (role for role in ("torso", "imu", "feet") if role in self.facts.roles):
            parts = self.facts.roles[role]
            places = [(name, self.model.body(name).id) for name in parts.bodies]
            places += [(name, int(self.model.site(name).bodyid[0])) for name in parts.sites]
            places += [(name, int(self.model.geom(name).bodyid[0])) for name in parts.geoms]
            foreign = [name for name, body in places if self.model.body_rootid[body] not in own]
            if foreign:
                yield f"role '{role}': {listing(foreign)} is not on the robot, which is the tree of its role 'base'"

    def _idle_lifts(self) -> Iterator[str]:
        """Lifts are changes of the default pose."""
        gait, sites = self.facts.gait, self._feet.sites
        lifts = gait.lift if gait and self.pose == self.facts.default_pose else ()
        pairs = zip(lifts, sites, strict=True) if len(sites) == len(lifts) else ()
        idle = []
        for lift, site in pairs:
            moved = mujoco.MjData(self.model)  # the base stays where it is
            moved.qpos[:] = self.data.qpos
            moved.qpos[list(self.robot.qpos)] += per_joint(lift, self.names, self.facts.roles, default=0.0)
            mujoco.mj_kinematics(self.model, moved)
            if lift and not moved.site(site).xpos[2] > self.data.site(site).xpos[2]:
                idle.append(site)
        if idle:
            yield f"gait: the lift of {listing(idle)} does not move it up from there; look at its joints and signs"

    def _lost_rules(self) -> Iterator[str]:
        ground = self._ground
        if ground is None:
            return
        for rule in self.rules:
            lost = _lost(self.model, ground, rule)
            if lost:
                yield (
                    f"{lost} of the collision rule of {listing(rule.geoms)} does not hold on the ground, which "
                    f"has as much to say at priority {rule.priority}: leave priority at 1"
                )


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
