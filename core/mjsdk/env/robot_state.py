"""The robot in all worlds, as terms see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.base_motion import BaseMotion
from mjsdk.env.buffers import Buffers
from mjsdk.env.derived import Derived
from mjsdk.env.rotations import matrix_from_quat
from mjsdk.errors import SceneError
from mjsdk.kernels import Call
from mjsdk.kernels.sums import differences
from mjsdk.physics import Physics
from mjsdk.robot.selection import Selection
from mjsdk.scene import Scene


class RobotState:
    """Views of the physics' memory, and what follows from them. `E` worlds, `J` joints with one degree of freedom.

    All of it is written over by the next step: `clone()` what should outlast it.

    Quantities of the base and the joints follow from `qpos` and `qvel` and are current. Positions of bodies and sites,
    forces and sensors belong to the state before the last physics step: the same rule in every world and backend.
    """

    def __init__(self, physics: Physics, scene: Scene, buffers: Buffers) -> None:
        model, entity = scene.model, scene.entity
        self._physics = physics
        self._cache: dict[str, Tensor] = {}
        self._sites: dict[tuple[int, ...], Tensor] = {}
        self.shared: dict[str, Any] = {}
        """What several terms read, computed by the first that asks, until the state or the commands change."""
        self._qpos = physics.bind("qpos")
        self._qvel = physics.bind("qvel")
        self.has_free_base = entity.has_free_base
        self._base_columns = place, speed = entity.base_qpos, entity.base_qvel
        self._pose, self._velocity = self._qpos[:, place : place + 7], self._qvel[:, speed : speed + 6]
        gravity = model.opt.gravity.tolist()
        self._motion = BaseMotion(self._qpos, self._qvel, self._base_columns, gravity)
        self._derived: list[Derived] = []
        self._of_base = self.derive(self._motion.calculation()) if self.has_free_base else None
        hinges = list(entity.joints)
        self._qpos_columns, self._qvel_columns = as_index(list(entity.qpos)), as_index(list(entity.qvel))
        self._qpos_runs, self._qvel_runs = runs(entity.qpos), runs(entity.qvel)
        self._dofs = as_index(list(entity.dofs))
        self.joints_in_place = isinstance(self._qpos_columns, slice) and isinstance(self._qvel_columns, slice)
        """Whether `joint_pos` and `joint_vel` are views of the physics' memory: joints follow each other evenly."""
        self.joint_names = scene.names.joints
        """Names of the robot's own joints, in the order of all joint tensors."""
        self.default_joint_pos = torch.tensor(scene.default_joint_pos, device=physics.device)
        """Joint positions of the pose that episodes start from [rad], shape (J,)."""
        self._joint_pos_rel = kernels.zeros(physics.num_envs, len(hinges), device=physics.device)
        self._of_joints = self.derive(self._relation_of_joints())
        limits = torch.tensor(model.jnt_range[hinges], dtype=torch.float32, device=physics.device)
        limits[torch.tensor(model.jnt_limited[hinges] == 0)] = torch.tensor([-torch.inf, torch.inf])
        self.joint_pos_limits = limits
        """Range of the joints [rad], shape (J, 2); infinite where there is none."""
        self.soft_joint_pos_limits = _shrink(limits, scene.robot.soft_joint_pos_limit_factor)
        """The middle part of the range that tasks treat as its limits [rad], shape (J, 2)."""
        self.encoder_bias = buffers.new("robot/encoder_bias", physics.num_envs, len(hinges))
        """What the encoders read too much [rad], shape (E, J). Zero unless an event sets it."""

    def derive(self, compute: Call, from_commands: bool = False) -> Derived:
        """Something that follows from the state, and from the commands too if so.

        `compute` is called once after each change, if someone asks.
        """
        self._derived.append(Derived(compute, from_commands))
        return self._derived[-1]

    def invalidate(self) -> None:
        """Forget derived quantities, after the state has changed in any world."""
        self._cache.clear()
        self._sites.clear()
        self.shared.clear()
        for quantity in self._derived:
            quantity.stale = True

    def commands_changed(self) -> None:
        """Forget what follows from the commands."""
        self.shared.clear()
        for quantity in self._derived:
            quantity.stale |= quantity.from_commands

    def refresh(self) -> None:
        """Bring all derived quantities up to date: prepared terms read their memory, and do not ask."""
        for quantity in self._derived:
            quantity.update()

    @property
    def joint_pos(self) -> Tensor:
        """Joint position [rad], shape (E, J)."""
        return self._qpos[:, self._qpos_columns]

    @property
    def joint_pos_rel(self) -> Tensor:
        """Joint position relative to the default pose [rad], shape (E, J)."""
        self._of_joints.update()
        return self._joint_pos_rel

    def _relation_of_joints(self) -> Call:
        default, relative = self.default_joint_pos, self._joint_pos_rel
        if self.joints_in_place and kernels.used_on(self._physics.device):
            return differences.bind(self.joint_pos, default, relative)
        return lambda: torch.sub(self.joint_pos, default, out=relative)

    @property
    def joint_vel(self) -> Tensor:
        """Joint velocity [rad/s], shape (E, J)."""
        return self._qvel[:, self._qvel_columns]

    @property
    def joint_acc(self) -> Tensor:
        """Joint acceleration [rad/s^2], shape (E, J)."""
        return self._physics.bind("qacc")[:, self._qvel_columns]

    @property
    def actuator_force(self) -> Tensor:
        """Torque of each actuator [N m], shape (E, A), in the order of the actuators."""
        return self._physics.bind("actuator_force")

    @property
    def joint_torque(self) -> Tensor:
        """Torque of the motors at each joint [N m], shape (E, J); 0 where nothing drives it."""
        return self._physics.bind("qfrc_actuator")[:, self._qvel_columns]

    @property
    def power(self) -> Tensor:
        """What the motors do to each degree of freedom, |torque x speed| [W], shape (E, degrees of freedom)."""
        torque = self._physics.bind("qfrc_actuator")[:, self._dofs]
        return (torque * self._qvel[:, self._dofs]).abs()

    @property
    def root_pos_w(self) -> Tensor:
        """Position of the base [m], world frame, shape (E, 3)."""
        return self._of_free_base(self._pose)[:, :3]

    @property
    def root_quat_w(self) -> Tensor:
        """Orientation of the base, wxyz, shape (E, 4)."""
        return self._of_free_base(self._pose)[:, 3:7]

    @property
    def root_lin_vel_w(self) -> Tensor:
        """Velocity of the base [m/s], world frame, shape (E, 3)."""
        return self._of_free_base(self._velocity)[:, :3]

    @property
    def root_ang_vel_b(self) -> Tensor:
        """Angular velocity of the base [rad/s], base frame, shape (E, 3)."""
        return self._of_free_base(self._velocity)[:, 3:6]

    @property
    def rotation_w(self) -> Tensor:
        """Orientation of the base as a matrix, from base frame to world frame, shape (E, 3, 3)."""
        if "rotation" not in self._cache:
            self._cache["rotation"] = matrix_from_quat(self.root_quat_w)
        return self._cache["rotation"]

    @property
    def heading_w(self) -> Tensor:
        """Direction of the base's x axis around the vertical [rad], shape (E,)."""
        x_axis = self.rotation_w[:, :2, 0]
        return torch.atan2(x_axis[:, 1], x_axis[:, 0])

    @property
    def root_lin_vel_b(self) -> Tensor:
        """Velocity of the base [m/s], base frame, shape (E, 3)."""
        return self._free().lin_vel_b

    @property
    def projected_gravity_b(self) -> Tensor:
        """Direction of gravity [-], base frame, shape (E, 3); (0, 0, -1) when upright where gravity points down.

        Zeros where there is no gravity.
        """
        return self._free().gravity_b

    @property
    def down_b(self) -> Tensor:
        """Direction against the world's z axis [-], base frame, shape (E, 3), whatever gravity is."""
        return self._free().down_b

    @property
    def root_lin_vel_yaw(self) -> Tensor:
        """Horizontal velocity of the base [m/s] in the frame that turns with its heading only, shape (E, 2)."""
        return self._free().lin_vel_yaw

    @property
    def yaw_rate(self) -> Tensor:
        """Rate at which the base turns around the vertical [rad/s], shape (E,)."""
        return self._free().yaw_rate

    @property
    def body_pos_w(self) -> Tensor:
        """Positions of all bodies [m], world frame, shape (E, bodies, 3)."""
        return self._physics.bind("xpos")

    @property
    def body_quat_w(self) -> Tensor:
        """Orientations of all bodies, wxyz, shape (E, bodies, 4)."""
        return self._physics.bind("xquat")

    @property
    def site_pos_w(self) -> Tensor:
        """Positions of all sites [m], world frame, shape (E, sites, 3)."""
        return self._physics.bind("site_xpos")

    def pos_of_sites_w(self, sites: Selection) -> Tensor:
        """Positions of some sites [m], world frame, shape (E, sites, 3)."""
        if sites.ids not in self._sites:
            self._sites[sites.ids] = take(self.site_pos_w, sites.index)
        return self._sites[sites.ids]

    def write_root(self, ids: Tensor, pos_w: Tensor, quat_w: Tensor, lin_vel_w: Tensor, ang_vel_b: Tensor) -> None:
        """Set the base of the worlds `ids`, shape (n,); units and frames as of the properties."""
        self.write_base(ids, torch.cat((pos_w, quat_w), 1), torch.cat((lin_vel_w, ang_vel_b), 1))

    def write_base(self, ids: Tensor, pose: Tensor, velocity: Tensor) -> None:
        """Likewise, with position and orientation in one tensor, shape (n, 7), and velocities in one, shape (n, 6)."""
        place, speed = self._base_columns
        self._physics.write("qpos", self._of_free_base(pose), ids, place)
        self._physics.write("qvel", velocity, ids, speed)
        self.invalidate()

    def write_joints(self, ids: Tensor, pos: Tensor, vel: Tensor) -> None:
        """Set the joints of the worlds `ids`: positions [rad] and velocities [rad/s], shape (n, J)."""
        for field, parts, values in (("qpos", self._qpos_runs, pos), ("qvel", self._qvel_runs, vel)):
            for column, part in parts:
                self._physics.write(field, values[:, part], ids, column)
        self.invalidate()

    def _of_free_base(self, values: Tensor) -> Tensor:
        if not self.has_free_base:
            raise SceneError(
                "a term asks for the motion of this robot's base, which is fixed: give it a free joint, or leave the "
                "term out"
            )
        return values

    def _free(self) -> BaseMotion:
        self._of_free_base(self._pose)
        if self._of_base is not None:
            self._of_base.update()
        return self._motion


def runs(columns: Sequence[int]) -> list[tuple[int, slice]]:
    """Columns that follow each other: the first of each run, and which of the given ones they are."""
    breaks = [i for i in range(1, len(columns)) if columns[i] != columns[i - 1] + 1]
    bounds = [0, *breaks, len(columns)] if columns else []
    return [(columns[start], slice(start, end)) for start, end in pairwise(bounds)]


def as_index(columns: list[int]) -> slice | Tensor:
    """A slice where the columns are evenly spaced, so that indexing gives a view; else an index tensor."""
    start = columns[0] if columns else 0
    step = max(columns[1] - start, 1) if len(columns) > 1 else 1
    evenly = slice(start, start + step * len(columns), step)
    return evenly if columns == list(range(evenly.start, evenly.stop, step)) else torch.tensor(columns)


def take(values: Tensor, index: slice | Tensor) -> Tensor:
    """`values[:, index]`, by the quickest way."""
    return values[:, index] if isinstance(index, slice) else values.index_select(1, index)


def _shrink(limits: Tensor, factor: float) -> Tensor:
    middle, half = limits.mean(1), (limits[:, 1] - limits[:, 0]) / 2
    soft = torch.stack((middle - factor * half, middle + factor * half), 1)
    return torch.where(limits.isfinite(), soft, limits)
