"""The robot in all worlds, as terms see it."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env.buffers import Buffers
from mjsdk.env.rotations import matrix_factors, matrix_from_quat
from mjsdk.errors import SceneError
from mjsdk.physics import Physics
from mjsdk.scene import Scene
from mjsdk.scene.joints import has_free_base, scalar_joints
from mjsdk.selection import Selection


class RobotState:
    """Views of the physics' memory, and what follows from them. `E` worlds, `J` joints with one degree of freedom.

    Quantities of the base and the joints follow from `qpos` and `qvel` and are current. Positions of bodies and sites,
    forces and sensors belong to the state before the last physics step: the same rule in every world and backend.
    """

    def __init__(self, physics: Physics, scene: Scene, buffers: Buffers) -> None:
        model = scene.model
        self._physics = physics
        self._cache: dict[str, Tensor] = {}
        self._sites: dict[tuple[int, ...], Tensor] = {}
        self.shared: dict[str, Tensor] = {}
        """What several terms read, computed by the first that asks, until the state or the commands change."""
        self._turned: list[Tensor] = []
        """Worlds whose rotation has changed since it was computed."""
        self._factors = matrix_factors(physics.device)
        # (ax, ay) x (vx, vy) as xx, xy, yx, yy: along an axis goes xx + yy, to its left xy - yx.
        self._turn = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 0.0]], device=physics.device)
        self._qpos = physics.bind("qpos")
        self._qvel = physics.bind("qvel")
        self.has_free_base = has_free_base(model)
        hinges = scalar_joints(model)
        self._qpos_columns = as_index([int(model.jnt_qposadr[i]) for i in hinges])
        self._qvel_columns = as_index([int(model.jnt_dofadr[i]) for i in hinges])
        self.joint_names = scene.names.joints
        """Names of the joints, in the order of all joint tensors."""
        self.default_joint_pos = torch.tensor(scene.default_joint_pos, device=physics.device)
        """Joint positions of the pose that episodes start from [rad], shape (J,)."""
        limits = torch.tensor(model.jnt_range[hinges], dtype=torch.float32, device=physics.device)
        limits[torch.tensor(model.jnt_limited[hinges] == 0)] = torch.tensor([-torch.inf, torch.inf])
        self.joint_pos_limits = limits
        """Range of the joints [rad], shape (J, 2); infinite where there is none."""
        self.soft_joint_pos_limits = _shrink(limits, scene.robot.soft_joint_pos_limit_factor)
        """The middle part of the range that tasks treat as its limits [rad], shape (J, 2)."""
        self.encoder_bias = buffers.new("robot/encoder_bias", physics.num_envs, len(hinges))
        """What the encoders read too much [rad], shape (E, J). Zero unless an event sets it."""

    def invalidate(self, ids: Tensor | None = None) -> None:
        """Forget derived quantities, after the state has changed in the worlds `ids`, shape (n,), or in all."""
        rotation = self._cache.get("rotation")
        self._cache.clear()
        self._sites.clear()
        self.shared.clear()
        if ids is None or rotation is None:
            self._turned.clear()
        else:  # Few worlds, as after a reset: the rotations of all others are still right.
            self._cache["rotation"] = rotation
            if not any(other is ids for other in self._turned):
                self._turned.append(ids)

    @property
    def joint_pos(self) -> Tensor:
        """Joint position [rad], shape (E, J)."""
        return self._qpos[:, self._qpos_columns]

    @property
    def joint_pos_rel(self) -> Tensor:
        """Joint position relative to the default pose [rad], shape (E, J)."""
        if "joint_pos_rel" not in self._cache:
            self._cache["joint_pos_rel"] = self.joint_pos - self.default_joint_pos
        return self._cache["joint_pos_rel"]

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
    def root_pos_w(self) -> Tensor:
        """Position of the base [m], world frame, shape (E, 3)."""
        return self._base(self._qpos)[:, :3]

    @property
    def root_quat_w(self) -> Tensor:
        """Orientation of the base, wxyz, shape (E, 4)."""
        return self._base(self._qpos)[:, 3:7]

    @property
    def root_lin_vel_w(self) -> Tensor:
        """Velocity of the base [m/s], world frame, shape (E, 3)."""
        return self._base(self._qvel)[:, :3]

    @property
    def root_ang_vel_b(self) -> Tensor:
        """Angular velocity of the base [rad/s], base frame, shape (E, 3)."""
        return self._base(self._qvel)[:, 3:6]

    @property
    def rotation_w(self) -> Tensor:
        """Orientation of the base as a matrix, from base frame to world frame, shape (E, 3, 3)."""
        if "rotation" not in self._cache:
            self._cache["rotation"] = matrix_from_quat(self.root_quat_w, self._factors)
        rotation = self._cache["rotation"]
        while self._turned:
            ids = self._turned.pop()
            rotation.index_copy_(0, ids, matrix_from_quat(self.root_quat_w.index_select(0, ids), self._factors))
        return rotation

    @property
    def root_lin_vel_b(self) -> Tensor:
        """Velocity of the base [m/s], base frame, shape (E, 3)."""
        if "lin_vel_b" not in self._cache:
            self._cache["lin_vel_b"] = (self.root_lin_vel_w.unsqueeze(2) * self.rotation_w).sum(1)
        return self._cache["lin_vel_b"]

    @property
    def projected_gravity_b(self) -> Tensor:
        """Direction of gravity [-], base frame, shape (E, 3); (0, 0, -1) when upright."""
        if "gravity" not in self._cache:
            self._cache["gravity"] = -self.rotation_w[:, 2]
        return self._cache["gravity"]

    @property
    def heading_w(self) -> Tensor:
        """Direction of the base's x axis around the vertical [rad], shape (E,)."""
        x_axis = self.rotation_w[:, :2, 0]
        return torch.atan2(x_axis[:, 1], x_axis[:, 0])

    @property
    def root_lin_vel_yaw(self) -> Tensor:
        """Horizontal velocity of the base [m/s] in the frame that turns with its heading only, shape (E, 2)."""
        if "yaw" not in self._cache:
            axis = self.rotation_w[:, :2, 0]
            products = (axis.unsqueeze(2) * self.root_lin_vel_w[:, :2].unsqueeze(1)).flatten(1)
            self._cache["yaw"] = (products @ self._turn).mul_((axis * axis).sum(1, True).rsqrt_())
        return self._cache["yaw"]

    @property
    def yaw_rate(self) -> Tensor:
        """Rate at which the base turns around the vertical [rad/s], shape (E,)."""
        if "yaw_rate" not in self._cache:
            # The vertical in the base frame is the direction against gravity.
            self._cache["yaw_rate"] = (self.rotation_w[:, 2] * self.root_ang_vel_b).sum(1)
        return self._cache["yaw_rate"]

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
        self._base(self._qpos)
        self._physics.write("qpos", torch.cat((pos_w, quat_w), 1), ids)
        self._physics.write("qvel", torch.cat((lin_vel_w, ang_vel_b), 1), ids)
        self.invalidate(ids)

    def write_joints(self, ids: Tensor, pos: Tensor, vel: Tensor) -> None:
        """Set the joints of the worlds `ids`: positions [rad] and velocities [rad/s], shape (n, J)."""
        for field, state, columns, values in (
            ("qpos", self._qpos, self._qpos_columns, pos),
            ("qvel", self._qvel, self._qvel_columns, vel),
        ):
            if isinstance(columns, slice):
                self._physics.write(field, values, ids, columns.start)
            else:
                rows = state[ids]
                rows[:, columns] = values
                self._physics.write(field, rows, ids)
        self.invalidate(ids)

    def _base(self, state: Tensor) -> Tensor:
        if not self.has_free_base:
            raise SceneError("this robot's base is fixed: a term that asks for its motion cannot be used with it")
        return state


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
