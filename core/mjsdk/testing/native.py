"""Native MuJoCo beside an environment, to work out by other means what its terms should give."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs
import mujoco
import numpy as np
from torch import Tensor

from mjsdk.env import Env
from mjsdk.robot import Robot


@attrs.frozen
class Touch:
    """What a world touches."""

    forces: np.ndarray
    """Net contact force on each body [N], world frame, shape (bodies, 3)."""
    grounded: frozenset[str]
    """Names of the geoms that touch the world."""


@attrs.frozen
class Moment:
    """One world after a control step, before its episode ends."""

    robot: Robot
    model: mujoco.MjModel
    data: mujoco.MjData
    """`qpos` and `qvel` are current; what follows from them belongs to the state before the last physics step."""
    old_qpos: np.ndarray
    old_qvel: np.ndarray
    """That state."""
    dt: float
    """Length of a control step [s]."""
    actions: np.ndarray
    """Raw actions, newest first, zeros before the episode, shape (3, A)."""
    touches: tuple[Touch, ...]
    """Since the episode began, newest last; the first is that of the state that it began with."""
    terminated: bool
    kept: Callable[[str], np.ndarray]
    """What the environment remembered of this world under a name as the step began; see `Env.buffers`."""

    @property
    def age(self) -> int:
        """Control steps since the episode began."""
        return len(self.touches) - 1

    def asked(self, command: str) -> np.ndarray:
        """What the policy was asked for."""
        return self.kept(f"command/{command}/command")

    @property
    def joints(self) -> np.ndarray:
        """Hinges and slides, shape (J,)."""
        return np.flatnonzero(self.model.jnt_type >= int(mujoco.mjtJoint.mjJNT_SLIDE))

    @property
    def joint_pos(self) -> np.ndarray:
        """Of these joints [rad], shape (J,)."""
        return self.data.qpos[self.model.jnt_qposadr[self.joints]]

    @property
    def joint_vel(self) -> np.ndarray:
        """Of these joints [rad/s], shape (J,)."""
        return self.data.qvel[self.model.jnt_dofadr[self.joints]]

    @property
    def joint_error(self) -> np.ndarray:
        """Distance from the pose that episodes start from [rad], shape (J,)."""
        return self.joint_pos - self.model.key("initial").qpos[self.model.jnt_qposadr[self.joints]]

    @property
    def torques(self) -> np.ndarray:
        """Torque of the motor at each joint before the last physics step [N m], shape (J,), by the robot's facts."""
        return np.array([self._torque(joint, self.model.joint(joint).name) for joint in self.joints])

    def _torque(self, joint: int, name: str) -> float:
        groups = (g for g in self.robot.actuators if any(re.fullmatch(pattern, name) for pattern in g.joints))
        motor = next(groups, None)
        if motor is None:
            return 0.0
        error = self.data.actuator(name).ctrl[0] - self.old_qpos[self.model.jnt_qposadr[joint]]
        torque = motor.kp * error - motor.kd * self.old_qvel[self.model.jnt_dofadr[joint]]
        return float(np.clip(torque, -motor.effort_limit, motor.effort_limit))

    @property
    def rotation(self) -> np.ndarray:
        """From the base's frame to the world's, shape (3, 3)."""
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, self.data.qpos[3:7])
        return matrix.reshape(3, 3)

    @property
    def heading_vel(self) -> np.ndarray:
        """Velocity of the base forward and to the left [m/s], and its yaw rate [rad/s], shape (3,)."""
        yaw = np.arctan2(*self.rotation[1::-1, 0])
        x, y = self.data.qvel[:2]
        forward, left = x * np.cos(yaw) + y * np.sin(yaw), y * np.cos(yaw) - x * np.sin(yaw)
        return np.array([forward, left, (self.rotation @ self.data.qvel[3:6])[2]])

    def velocities(self, sites: tuple[str, ...], local: bool = False) -> np.ndarray:
        """Angular [rad/s] and linear velocity [m/s] of sites, in the world's frame or their own, shape (n, 6)."""
        found = np.empty((len(sites), 6))
        for row, site in zip(found, sites, strict=True):
            site_id = self.model.site(site).id
            mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_SITE, site_id, row, local)
        return found

    def places(self, sites: tuple[str, ...]) -> np.ndarray:
        """Positions of sites [m], world frame, shape (n, 3)."""
        return np.array([self.data.site(site).xpos for site in sites])

    def forces(self, bodies: tuple[str, ...]) -> np.ndarray:
        """Net contact force on bodies [N], world frame, in all steps of the episode, shape (age + 1, n, 3)."""
        ids = [self.model.body(body).id for body in bodies]
        return np.array([touch.forces[ids] for touch in self.touches])

    def loads(self, bodies: tuple[str, ...]) -> np.ndarray:
        """Size of these forces, shape (age + 1, n)."""
        return np.linalg.norm(self.forces(bodies), axis=-1)


class Native:
    """A copy of every world of an environment that native MuJoCo steps."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._datas = [mujoco.MjData(env.model) for _ in range(env.num_envs)]
        self._touches: list[tuple[Touch, ...]] = [()] * env.num_envs
        self._actions = np.zeros((env.num_envs, 3, env.num_actions))
        self._old = [(data.qpos.copy(), data.qvel.copy()) for data in self._datas]
        self.begin(np.ones(env.num_envs, bool))

    @property
    def state(self) -> np.ndarray:
        """`qpos` and `qvel`, shape (E, nq + nv)."""
        return np.array([np.concatenate((data.qpos, data.qvel)) for data in self._datas])

    def load(self) -> None:
        """Take over the environment's state."""
        for field in ("qpos", "qvel", "qacc_warmstart", "ctrl"):
            for data, values in zip(self._datas, self._env.physics.bind(field), strict=True):
                getattr(data, field)[:] = values

    def begin(self, begun: Tensor | np.ndarray) -> None:
        """Begin an episode where the model says, exactly: feet that just touch there must not be rounded away."""
        model = self._env.model
        for e in np.flatnonzero(begun):
            mujoco.mj_resetDataKeyframe(model, self._datas[e], model.key("initial").id)
            mujoco.mj_forward(model, self._datas[e])
            self._actions[e] = 0.0
            self._touches[e] = (_touch(model, self._datas[e]),)

    def step(self) -> None:
        """Take the control step that the environment took just now."""
        model = self._env.model
        for e, data in enumerate(self._datas):
            data.ctrl[:] = self._env.actions.controls[e]
            mujoco.mj_step(model, data, self._env.config.decimation - 1)
            self._old[e] = (data.qpos.copy(), data.qvel.copy())
            mujoco.mj_step(model, data)

    def moments(self, start: Mapping[str, Tensor], action: Tensor, terminated: Tensor) -> list[Moment]:
        """Likewise, from a state of the environment with an action, shape (E, A), and which worlds failed then."""
        self.step()
        self._actions = np.concatenate((action.numpy()[:, None], self._actions[:, :2]), 1)
        for e, data in enumerate(self._datas):
            self._touches[e] += (_touch(self._env.model, data),)
        return [self._moment(e, start, bool(terminated[e])) for e in range(self._env.num_envs)]

    def _moment(self, e: int, start: Mapping[str, Tensor], terminated: bool) -> Moment:
        return Moment(
            self._env.scene.robot,
            self._env.model,
            self._datas[e],
            *self._old[e],
            dt=self._env.step_dt,
            actions=self._actions[e],
            touches=self._touches[e],
            terminated=terminated,
            kept=lambda name: start[f"buffer/{name}"][e].numpy(),
        )


def _touch(model: mujoco.MjModel, data: mujoco.MjData) -> Touch:
    forces, grounded, found = np.zeros((model.nbody, 3)), set(), np.empty(6)
    for i, contact in enumerate(data.contact):
        first, second = model.geom_bodyid[contact.geom]
        mujoco.mj_contactForce(model, data, i, found)
        force = contact.frame.reshape(3, 3).T @ found[:3]
        forces[first] -= force
        forces[second] += force
        grounded |= {
            model.geom(g).name for g, other in (contact.geom, contact.geom[::-1]) if not model.geom_bodyid[other]
        }
    return Touch(forces, frozenset(grounded))
