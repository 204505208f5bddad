"""The robot in all worlds, as terms see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mjsdk.env.rotations import matrix_from_quat
from mjsdk.env.worlds import Worlds
from mjsdk.errors import SceneError
from mjsdk.robot.selection import Selection

if TYPE_CHECKING:
    from mjsdk.env.env import Env


class RobotState:
    """Views of the physics' memory, and what follows from them. `E` worlds, `J` joints with one degree of freedom.

    All of it is written over by the next step: `clone()` what should outlast it.

    Quantities of the base and the joints follow from `qpos` and `qvel` and are current. Positions of bodies and sites,
    forces and sensors belong to the state before the last physics step: the same rule in every world and backend.
    """

    def __init__(self, env: Env) -> None:
        model, entity, device = env.model, env.scene.entity, env.device
        self._derived = env.derived
        self._physics = env.physics
        self._qpos, self._qvel = env.physics.bind("qpos"), env.physics.bind("qvel")
        self.has_free_base = entity.has_free_base
        self._entity = entity
        self._pose, self._velocity = self._qpos[:, entity.pose], self._qvel[:, entity.velocity]
        self._pos_w, self._quat_w = self._pose[:, :3], self._pose[:, 3:]
        self._lin_vel_w, self._ang_vel_b = self._velocity[:, :3], self._velocity[:, 3:]
        gravity = np.array(model.opt.gravity, np.float32)
        gravity_w = torch.tensor(gravity / (np.linalg.norm(gravity) or 1.0), device=device)
        self._motion = env.zeros(env.num_envs, 12)
        self._motions = (*self._motion[:, :11].split((3, 3, 3, 2), 1), self._motion[:, 11])
        moving = (self._pose, self._velocity, gravity_w, self._motion)
        self._measure = env.ops.prepared(env.ops.base_motion, *moving)
        joints = list(entity.joints)
        self._qpos_columns, self._qvel_columns = (as_index(list(at), device) for at in (entity.qpos, entity.qvel))
        self._qpos_runs, self._qvel_runs = runs(entity.qpos), runs(entity.qvel)
        self._dofs = as_index(list(entity.dofs), device)
        self.joints_in_place = isinstance(self._qpos_columns, slice) and isinstance(self._qvel_columns, slice)
        """Whether `joint_pos` and `joint_vel` are views of the physics' memory: joints follow each other evenly."""
        self.default_joint_pos = torch.tensor(env.scene.default_joint_pos, device=device)
        """Joint positions of the pose that episodes start from [rad], shape (J,)."""
        limits = torch.tensor(model.jnt_range[joints], dtype=torch.float32)
        limits[torch.tensor(model.jnt_limited[joints] == 0)] = torch.tensor([-torch.inf, torch.inf])
        self.joint_pos_limits = limits.to(device)
        """Range of the joints [rad], shape (J, 2); infinite where there is none."""
        self.soft_joint_pos_limits = _shrink(self.joint_pos_limits, env.scene.robot.soft_joint_pos_limit_factor)
        """The middle part of the range that tasks treat as its limits [rad], shape (J, 2)."""
        self.encoder_bias = env.buffers.new("robot/encoder_bias", env.num_envs, len(joints))
        """What the encoders read too much [rad], shape (E, J). Zero unless an event sets it."""

    @property
    def joint_pos(self) -> Tensor:
        """Joint position [rad], shape (E, J)."""
        return self._qpos[:, self._qpos_columns]

    @property
    def joint_pos_rel(self) -> Tensor:
        """Joint position relative to the default pose [rad], shape (E, J)."""
        return self._derived.get("joint_pos_rel", lambda: self.joint_pos - self.default_joint_pos)

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
        return self._of_free_base(self._pos_w)

    @property
    def root_quat_w(self) -> Tensor:
        """Orientation of the base, wxyz, shape (E, 4)."""
        return self._of_free_base(self._quat_w)

    @property
    def root_lin_vel_w(self) -> Tensor:
        """Velocity of the base [m/s], world frame, shape (E, 3)."""
        return self._of_free_base(self._lin_vel_w)

    @property
    def root_ang_vel_b(self) -> Tensor:
        """Angular velocity of the base [rad/s], base frame, shape (E, 3)."""
        return self._of_free_base(self._ang_vel_b)

    @property
    def rotation_w(self) -> Tensor:
        """Orientation of the base as a matrix, from base frame to world frame, shape (E, 3, 3)."""
        return self._derived.get("rotation_w", lambda: matrix_from_quat(self.root_quat_w))

    @property
    def heading_w(self) -> Tensor:
        """Direction of the base's x axis around the vertical [rad], shape (E,)."""
        x_axis = self.rotation_w[:, :2, 0]
        return torch.atan2(x_axis[:, 1], x_axis[:, 0])

    @property
    def root_lin_vel_b(self) -> Tensor:
        """Velocity of the base [m/s], base frame, shape (E, 3)."""
        return self.base_motion()[2]

    @property
    def projected_gravity_b(self) -> Tensor:
        """Direction of gravity [-], base frame, shape (E, 3); (0, 0, -1) when upright where gravity points down.

        Zeros where there is no gravity.
        """
        return self.base_motion()[0]

    @property
    def down_b(self) -> Tensor:
        """Direction against the world's z axis [-], base frame, shape (E, 3), whatever gravity is."""
        return self.base_motion()[1]

    @property
    def root_lin_vel_yaw(self) -> Tensor:
        """Horizontal velocity of the base [m/s] in the frame that turns with its heading only, shape (E, 2)."""
        return self.base_motion()[3]

    @property
    def yaw_rate(self) -> Tensor:
        """Rate at which the base turns around the vertical [rad/s], shape (E,)."""
        return self.base_motion()[4]

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
        return self._derived.get(("site_pos_w", sites.ids), lambda: take(self.site_pos_w, sites.index))

    @property
    def start_pose_w(self) -> Tensor:
        """Position [m] and orientation (wxyz) of the base that each world's episodes start from, shape (E, 7).

        In the precision of the physics.
        """
        return self._of_free_base(self._physics.start_state("qpos")[:, self._entity.pose])

    def write_root(self, worlds: Worlds, pos_w: Tensor, quat_w: Tensor, lin_vel_w: Tensor, ang_vel_b: Tensor) -> None:
        """Set the base of some worlds, a row for each; units and frames as of the properties."""
        self.write_base(worlds, torch.cat((pos_w, quat_w), 1), torch.cat((lin_vel_w, ang_vel_b), 1))

    def write_base(self, worlds: Worlds, pose: Tensor, velocity: Tensor) -> None:
        """Likewise, with position and orientation in one row, shape (rows, 7), and velocities, shape (rows, 6)."""
        _check_rows(pose, 7, "positions and orientations of the base")
        _check_rows(velocity, 6, "velocities of the base")
        self._physics.write("qpos", self._of_free_base(pose), worlds, self._entity.pose.start)
        self._physics.write("qvel", velocity, worlds, self._entity.velocity.start)
        self._derived.state_changed()

    def write_joints(self, worlds: Worlds, pos: Tensor, vel: Tensor) -> None:
        """Set the joints of some worlds: positions [rad] and velocities [rad/s], shape (rows, J)."""
        for values in (pos, vel):
            _check_rows(values, len(self.default_joint_pos), "positions and velocities of joints")
        for field, parts, values in (("qpos", self._qpos_runs, pos), ("qvel", self._qvel_runs, vel)):
            for column, part in parts:
                self._physics.write(field, values[:, part], worlds, column)
        self._derived.state_changed()

    def _of_free_base(self, values: Tensor) -> Tensor:
        if not self.has_free_base:
            raise SceneError(
                "a term asks for the motion of this robot's base, which is fixed: give it a free joint, or leave the "
                "term out"
            )
        return values

    def base_motion(self) -> tuple[Tensor, ...]:
        """`projected_gravity_b`, `down_b`, `root_lin_vel_b`, `root_lin_vel_yaw` and `yaw_rate`, all brought up to date.

        Their memory stays: who has it calls this before reading it.
        """
        return self._derived.get("base_motion", self._compute_base_motion)

    def _compute_base_motion(self) -> tuple[Tensor, ...]:
        self._of_free_base(self._pose)
        self._measure()
        return self._motions


def runs(columns: Sequence[int]) -> list[tuple[int, slice]]:
    """Columns that follow each other: the first of each run, and which of the given ones they are."""
    breaks = [i for i in range(1, len(columns)) if columns[i] != columns[i - 1] + 1]
    bounds = [0, *breaks, len(columns)] if columns else []
    return [(columns[start], slice(start, end)) for start, end in pairwise(bounds)]


def as_index(columns: list[int], device: str) -> slice | Tensor:
    """A slice where the columns are evenly spaced, so that indexing gives a view; else an index tensor."""
    start = columns[0] if columns else 0
    step = max(columns[1] - start, 1) if len(columns) > 1 else 1
    evenly = slice(start, start + step * len(columns), step)
    return evenly if columns == list(range(evenly.start, evenly.stop, step)) else torch.tensor(columns, device=device)


def take(values: Tensor, index: slice | Tensor) -> Tensor:
    """`values[:, index]`, by the quickest way."""
    return values[:, index] if isinstance(index, slice) else values.index_select(1, index)


def _shrink(limits: Tensor, factor: float) -> Tensor:
    middle, half = limits.mean(1), (limits[:, 1] - limits[:, 0]) / 2
    soft = torch.stack((middle - factor * half, middle + factor * half), 1)
    return torch.where(limits.isfinite(), soft, limits)


def _check_rows(values: Tensor, width: int, what: str) -> None:
    """Refuse rows of another width, of which some columns would be left out, or would go to other parts."""
    if values.shape[1:] != (width,):
        raise ValueError(f"{what} must have the shape (rows, {width}), not {tuple(values.shape)}")
