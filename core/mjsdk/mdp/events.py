"""Event terms: `term(env, worlds, **params) -> None`, on some of the worlds."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import mujoco
import torch
from torch import Tensor

from mjsdk.env.env import Env
from mjsdk.env.rotations import quat_from_euler, quat_multiply, quat_rotate_inverse
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.robot.selection import Bodies, Geoms

logger = logging.getLogger(__name__)

_AXES = ("x", "y", "z", "roll", "pitch", "yaw")
Ranges = dict[str, list[float]]


class ResetRoot:
    """Put the base at the initial pose plus a random offset, with a random velocity."""

    def __init__(self, env: Env, pose_range: Ranges, velocity_range: Ranges) -> None:
        """Build the term.

        Args:
            env: The environment.
            pose_range: Smallest and largest offset for any of x, y, z [m], roll, pitch, yaw [rad].
            velocity_range: Smallest and largest velocity for any of x, y, z [m/s], roll, pitch, yaw [rad/s], in the
                world's frame.
        """
        self._low, self._high = torch.cat((_bounds(env, pose_range), _bounds(env, velocity_range))).T.contiguous()
        ranges = {*pose_range, *velocity_range}
        self._signs = torch.tensor([-1.0, -1.0, 1.0, 1.0], device=env.device)
        self._tilts = bool({"roll", "pitch"} & ranges) or any(env.scene.initial.quat[1:3])

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Reset some worlds."""
        drawn, start = worlds.uniform(self._low, self._high, 12), worlds.take(env.robot.start_pose_w).float()
        quat = self._turned(start[:, 3:], drawn)
        spin = drawn[:, 9:]
        # About the vertical, which a robot that only turns shares with the world, nothing needs to be rotated.
        ang_vel_b = quat_rotate_inverse(quat, spin) if self._tilts else spin
        env.robot.write_root(worlds, start[:, :3] + drawn[:, :3], quat, drawn[:, 6:9], ang_vel_b)

    def _turned(self, quat: Tensor, drawn: Tensor) -> Tensor:
        if self._tilts:
            return quat_multiply(quat_from_euler(*drawn[:, 3:6].unbind(1)), quat)
        # (cos a/2, 0, 0, sin a/2) times (w, x, y, z) is cos a/2 (w, x, y, z) + sin a/2 (-z, -y, x, w).
        half = drawn[:, 5:6] * 0.5
        return torch.addcmul(quat * half.cos(), quat.flip(1) * self._signs, half.sin())


class ResetJoints:
    """Put the joints at the default pose plus random offsets, inside their soft limits."""

    def __init__(self, env: Env, position_range: list[float], velocity_range: list[float]) -> None:
        """Build the term.

        Args:
            env: The environment.
            position_range: Smallest and largest offset [rad].
            velocity_range: Smallest and largest velocity [rad/s].
        """
        default = env.robot.default_joint_pos
        (first, last), (slowest, fastest) = position_range, velocity_range
        self._low = torch.cat((default + first, torch.full_like(default, slowest)))
        self._high = torch.cat((default + last, torch.full_like(default, fastest)))
        limits = env.robot.soft_joint_pos_limits.T
        self._bounds = torch.cat((limits, limits.new_tensor([[-torch.inf], [torch.inf]]).expand_as(limits)), 1)

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Reset some worlds."""
        env.robot.write_joints(worlds, *self.draw(worlds).chunk(2, 1))

    def draw(self, worlds: Worlds) -> Tensor:
        """Positions [rad] and velocities [rad/s] of joints, shape (rows, 2 J)."""
        return worlds.uniform(self._low, self._high, len(self._low)).clamp_(*self._bounds)


class PushBySettingVelocity:
    """Add a random velocity to the base: a push that lasts no time."""

    def __init__(self, env: Env, velocity_range: Ranges) -> None:
        """Build the term.

        Args:
            env: The environment.
            velocity_range: Smallest and largest change for any of x, y, z [m/s], roll, pitch, yaw [rad/s], world frame.
        """
        self._low, self._high = _bounds(env, velocity_range).unbind(1)

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Push some worlds."""
        _push(env, worlds, worlds.uniform(self._low, self._high, 6))


def push_in_random_direction(env: Env, worlds: Worlds, speed: float = 0.5) -> None:
    """Change the base's horizontal velocity by a fixed speed in a random direction.

    Args:
        speed: Size of the change [m/s]. Recommended: 0.1..1.5. 0.5 m/s is a firm shove for a humanoid.
    """
    push_towards(env, worlds, worlds.uniform(-torch.pi, torch.pi), speed)


def push_towards(env: Env, worlds: Worlds, angle: Tensor, speed: float) -> None:
    """Change the base's horizontal velocity by `speed` [m/s] towards `angle` [rad], world frame, shape (rows,)."""
    nothing = torch.zeros_like(angle)
    _push(env, worlds, torch.stack((speed * torch.cos(angle), speed * torch.sin(angle), *[nothing] * 4), 1))


def _push(env: Env, worlds: Worlds, change: Tensor) -> None:
    """Change the base's linear [m/s] and angular velocity [rad/s], world frame, shape (rows, 6)."""
    robot = env.robot
    quat = worlds.take(robot.root_quat_w)
    linear = worlds.take(robot.root_lin_vel_w) + change[:, :3]
    angular = worlds.take(robot.root_ang_vel_b) + quat_rotate_inverse(quat, change[:, 3:])
    robot.write_root(worlds, worlds.take(robot.root_pos_w), quat, linear, angular)


class RandomizeFriction:
    """Give the geoms a sliding friction, the same for all geoms of a world."""

    def __init__(self, env: Env, geoms: Geoms, friction_range: list[float]) -> None:
        """Build the term.

        Args:
            env: The environment.
            geoms: The geoms, as a role or patterns.
            friction_range: Smallest and largest sliding friction [-].
        """
        self._bounds = _checked("randomize_friction: friction_range", friction_range, least=0.0)
        self._at = torch.tensor(geoms.ids, device=env.device)
        _warn_of_lost_friction(env.model, geoms, self._bounds[0])

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Change some worlds."""
        worlds.write(env.physics.expand("geom_friction")[..., 0], worlds.uniform(*self._bounds, 1), self._at)


def _warn_of_lost_friction(model: mujoco.MjModel, geoms: Geoms, least: float) -> None:
    """MuJoCo takes the larger friction of two geoms of the same priority, and that of the one with the higher."""
    colliding = [i for i in geoms.ids if model.geom_contype[i] or model.geom_conaffinity[i]]
    ground = max(
        (float(model.geom_friction[i, 0]) for i in range(model.ngeom) if not model.geom_bodyid[i]), default=0.0
    )
    losing = [model.geom(i).name for i in colliding if model.geom_bodyid[i] and model.geom_priority[i] < 1]
    if not colliding:
        logger.warning("randomize_friction has no effect: none of %s collides", listing(geoms.names))
    elif losing and least < ground:
        logger.warning(
            "randomize_friction: less than the ground's friction of %g has no effect on %d geoms, such as '%s'; "
            "give their collision rule priority=1",
            ground,
            len(losing),
            losing[0],
        )


class RandomizeMass:
    """Add to the mass of bodies, without changing their inertia."""

    def __init__(self, env: Env, bodies: Bodies, mass_range: list[float]) -> None:
        """Build the term.

        Args:
            env: The environment.
            bodies: The bodies, as a role or patterns.
            mass_range: Smallest and largest addition [kg].
        """
        self._bounds = _checked("randomize_mass: mass_range", mass_range)
        self._at = torch.tensor(bodies.ids, device=env.device)
        self._original = torch.tensor(env.model.body_mass[list(bodies.ids)], dtype=torch.float32, device=env.device)
        for name, mass in zip(bodies.names, self._original.tolist(), strict=True):
            _check_mass(name, mass, self._bounds[0])

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Change some worlds."""
        drawn = self._original + worlds.uniform(*self._bounds, len(self._at))
        worlds.write(env.physics.expand("body_mass"), drawn, self._at)
        env.physics.set_const(worlds)


def _check_mass(body: str, mass: float, added: float) -> None:
    if mass + added <= 0.0 and added < 0.0:
        message = f"body '{body}' weighs {mass:.4g} kg; {added:g} kg more leave nothing. Legal: above {-mass:.4g}"
        raise ConfigError([Mistake("randomize_mass: mass_range", message)])


class RandomizeCom:
    """Shift the centre of mass of bodies."""

    def __init__(self, env: Env, bodies: Bodies, x: list[float], y: list[float], z: list[float]) -> None:
        """Build the term.

        Args:
            env: The environment.
            bodies: The bodies, as a role or patterns.
            x: Smallest and largest shift forward [m].
            y: Smallest and largest shift to the left [m].
            z: Smallest and largest shift up [m].
        """
        self._bounds = [_checked(f"randomize_com: {axis}", given) for axis, given in (("x", x), ("y", y), ("z", z))]
        self._at = torch.tensor(bodies.ids, device=env.device)
        self._original = torch.tensor(env.model.body_ipos[list(bodies.ids)], dtype=torch.float32, device=env.device)

    def __call__(self, env: Env, worlds: Worlds) -> None:
        """Change some worlds."""
        shift = torch.stack([worlds.uniform(*bounds, len(self._at)) for bounds in self._bounds], -1)
        worlds.write(env.physics.expand("body_ipos"), self._original + shift, self._at)
        env.physics.set_const(worlds)


def randomize_encoder_bias(env: Env, worlds: Worlds, bias_range: list[float]) -> None:
    """Let every encoder read a constant error.

    Args:
        bias_range: Smallest and largest error [rad].
    """
    bias = env.robot.encoder_bias
    low, high = _checked("randomize_encoder_bias: bias_range", bias_range)
    worlds.write(bias, worlds.uniform(low, high, bias.shape[1]))


def _checked(path: str, bounds: Sequence[float], least: float = -math.inf) -> tuple[float, float]:
    """Smallest and largest value. Raises `ConfigError` if they are no two finite numbers in order, from `least` on."""
    pair = len(bounds) == 2 and all(map(math.isfinite, bounds))
    if not pair or not least <= bounds[0] <= bounds[1]:
        legal = "two finite numbers, the smallest first" + ("" if least < 0.0 else f", from {least:g} on")
        raise ConfigError([Mistake(path, f"must be {legal}, not {list(bounds)}")])
    return bounds[0], bounds[1]


def _bounds(env: Env, ranges: Ranges) -> Tensor:
    """Smallest and largest number for x, y, z, roll, pitch, yaw, shape (6, 2); 0 where there is no range."""
    unknown = [axis for axis in ranges if axis not in _AXES]
    if unknown:
        raise ConfigError([Mistake("env.events", f"no axis {listing(unknown)}. Legal: {listing(_AXES)}")])
    return torch.tensor([ranges.get(axis, [0.0, 0.0]) for axis in _AXES], dtype=torch.float32, device=env.device)


TERMS = {
    "push_by_setting_velocity": PushBySettingVelocity,
    "push_in_random_direction": push_in_random_direction,
    "randomize_com": RandomizeCom,
    "randomize_encoder_bias": randomize_encoder_bias,
    "randomize_friction": RandomizeFriction,
    "randomize_mass": RandomizeMass,
    "reset_joints_by_offset": ResetJoints,
    "reset_root_state_uniform": ResetRoot,
}
