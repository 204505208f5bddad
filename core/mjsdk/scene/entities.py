"""What of a compiled model is the robot: its bodies and joints, and where their numbers stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
import mujoco
import numpy as np

from mjsdk.robot import InitialState, Robot

_FREE, _SLIDE = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_OF_JOINTS = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))


@attrs.frozen
class Entity:
    """The robot in a model that may hold other things too: objects, doors, mocap bodies.

    `J` joints are its hinges and slides. It may have ball joints besides, which keep to themselves.
    """

    base: int
    """Body that moves freely, or that the rest is fixed to."""
    bodies: tuple[int, ...]
    free_joint: int | None
    """The joint that lets the base move; none if it is fixed."""
    base_qpos: int
    base_qvel: int
    """First column of the base in `qpos` and `qvel`; 0 if it is fixed."""
    joints: tuple[int, ...]
    """The model's number of each joint, shape (J,)."""
    actuators: tuple[int | None, ...]
    """The actuator of each joint, shape (J,); none where nothing drives it."""
    qpos: tuple[int, ...]
    qvel: tuple[int, ...]
    """Column of each joint, shape (J,)."""
    dofs: tuple[int, ...]
    """Columns in `qvel` of all that moves: base, joints, balls."""
    mass: float
    """[kg]"""

    @property
    def pose(self) -> slice:
        """Columns of position and orientation of a free base in `qpos`."""
        return slice(self.base_qpos, self.base_qpos + 7)

    @property
    def velocity(self) -> slice:
        """Columns of linear and angular velocity of a free base in `qvel`."""
        return slice(self.base_qvel, self.base_qvel + 6)

    @property
    def has_free_base(self) -> bool:
        """Whether the base moves."""
        return self.free_joint is not None

    @property
    def driven(self) -> tuple[int, ...]:
        """Positions among the joints of those that an actuator drives."""
        return tuple(i for i, actuator in enumerate(self.actuators) if actuator is not None)

    def start(
        self, model: mujoco.MjModel, pose: InitialState, joint_pos: Iterable[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """`qpos` and `ctrl` with the robot in a pose and servos that hold it; all else is as the model has it."""
        qpos, ctrl = model.qpos0.copy(), np.zeros(model.nu)
        if self.has_free_base:
            qpos[self.pose] = [*pose.pos, *pose.quat]
        for column, actuator, value in zip(self.qpos, self.actuators, joint_pos, strict=True):
            qpos[column] = value
            if actuator is not None:
                ctrl[actuator] = value
        return qpos, ctrl


def find_robot(model: mujoco.MjModel, robot: Robot) -> Entity:
    """The robot in a model: the tree of its base, else the trees of the joints that are driven, else the first one."""
    drivers = {int(model.actuator_trnid[i, 0]): i for i in range(model.nu) if model.actuator_trntype[i] in _OF_JOINTS}
    bases = robot.roles["base"].bodies if "base" in robot.roles else ()
    named = [i for name in bases if (i := mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name)) > 0]
    roots = {_top(model, body) for body in named}
    if not named:
        movable = [int(model.jnt_bodyid[i]) for i in range(model.njnt) if model.jnt_type[i] == _FREE]
        driven = {int(model.body_rootid[model.jnt_bodyid[joint]]) for joint in drivers}
        roots = driven or set(movable[:1]) or set(range(1, min(model.nbody, 2)))
    own = np.zeros(model.nbody, bool)  # bodies that are below the roots, or are one
    for body in range(1, model.nbody):
        own[body] = body in roots or own[model.body_parentid[body]]
    joints = np.flatnonzero(own[model.jnt_bodyid]) if model.njnt else np.zeros(0, int)
    free = [int(i) for i in joints if model.jnt_type[i] == _FREE]
    scalar = [int(i) for i in joints if model.jnt_type[i] >= _SLIDE]
    return Entity(
        base=int(model.jnt_bodyid[free[0]]) if free else named[0] if named else int(np.argmax(own)),
        bodies=tuple(np.flatnonzero(own).tolist()),
        free_joint=free[0] if free else None,
        base_qpos=int(model.jnt_qposadr[free[0]]) if free else 0,
        base_qvel=int(model.jnt_dofadr[free[0]]) if free else 0,
        joints=tuple(scalar),
        actuators=tuple(drivers.get(i) for i in scalar),
        qpos=tuple(model.jnt_qposadr[scalar].tolist()),
        qvel=tuple(model.jnt_dofadr[scalar].tolist()),
        dofs=tuple(np.flatnonzero(own[model.dof_bodyid]).tolist()) if model.nv else (),
        mass=float(np.where(own, model.body_mass, 0.0).sum()),
    )


def _top(model: mujoco.MjModel, body: int) -> int:
    """The highest body above one that moves, or that body itself."""
    moving = [above for above in upward(model, body) if model.body_jntnum[above]]
    return moving[-1] if moving else body


def upward(model: mujoco.MjModel, body: int) -> Iterator[int]:
    """The body and those above it, without the world."""
    while body:
        yield body
        body = int(model.body_parentid[body])
