"""Event terms: `term(env, ids, **params) -> None`, on the worlds `ids`, shape (n,)."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import mujoco
import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.env.env import Env
from mjsdk.env.rotations import quat_from_euler, quat_rotate_inverse
from mjsdk.errors import ConfigError, Mistake, listing
from mjsdk.kernels.draws import between, upright_pose
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
        bounds = torch.cat((_bounds(env, pose_range), _bounds(env, velocity_range)))
        self._low, self._width = bounds[:, 0], bounds[:, 1] - bounds[:, 0]
        self._pos = torch.tensor(env.scene.initial.pos, device=env.device)
        quat = tuple(env.scene.initial.quat)
        self._after_turn = None if quat == (1.0, 0.0, 0.0, 0.0) else _times(quat, env.device)
        self._turn_from = torch.tensor([torch.pi / 2.0, 0.0, 0.0, 0.0], device=env.device)
        self._turn_by = torch.tensor([0.5, 0.0, 0.0, 0.5], device=env.device)
        self._tilts = any(axis in ranges for ranges in (pose_range, velocity_range) for axis in ("roll", "pitch"))
        self._tilts |= any(env.scene.initial.quat[1:3])

    def __call__(self, env: Env, ids: Tensor) -> None:
        """Reset the worlds `ids`, shape (n,)."""
        random = env.rand(len(ids), 12)
        if kernels.used_on(env.device) and not self._tilts and self._after_turn is None:
            pose, velocity = random.new_empty(len(ids), 7), random.new_empty(len(ids), 6)
            upright_pose(*map(kernels.array, (random, self._low, self._width, self._pos, pose, velocity)))
            env.robot.write_base(ids, pose, velocity)
        else:
            self._write(env, ids, torch.addcmul(self._low, random, self._width))

    def _write(self, env: Env, ids: Tensor, drawn: Tensor) -> None:
        quat = self._turn(drawn)
        if self._after_turn is not None:
            quat = quat @ self._after_turn
        spin = drawn[:, 9:]
        # About the vertical, which a robot that only turns shares with the world, nothing needs to be rotated.
        ang_vel_b = quat_rotate_inverse(quat, spin) if self._tilts else spin
        env.robot.write_root(ids, self._pos + drawn[:, :3], quat, drawn[:, 6:9], ang_vel_b)

    def _turn(self, drawn: Tensor) -> Tensor:
        if self._tilts:
            return quat_from_euler(*drawn[:, 3:6].unbind(1))
        # A turn by a about the vertical is (cos a/2, 0, 0, sin a/2): four sines.
        return torch.addcmul(self._turn_from, drawn[:, 5:6], self._turn_by).sin_()


def _times(quat: Sequence[float], device: str) -> Tensor:
    """The matrix that multiplies quaternions, shape (n, 4), by `quat` from the right."""
    w, x, y, z = quat
    rows = [[w, x, y, z], [-x, w, -z, y], [-y, z, w, -x], [-z, -y, x, w]]
    return torch.tensor(rows, dtype=torch.float32, device=device)


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
        self._width = torch.cat((torch.full_like(default, last - first), torch.full_like(default, fastest - slowest)))
        limits = env.robot.soft_joint_pos_limits.T
        self._bounds = torch.cat((limits, limits.new_tensor([[-torch.inf], [torch.inf]]).expand_as(limits)), 1)

    def __call__(self, env: Env, ids: Tensor) -> None:
        """Reset the worlds `ids`, shape (n,)."""
        random = env.rand(len(ids), len(self._low))
        if kernels.used_on(env.device):
            drawn = torch.empty_like(random)
            between(*map(kernels.array, (random, self._low, self._width, self._bounds, drawn)))
        else:
            drawn = torch.addcmul(self._low, random, self._width).clamp_(*self._bounds)
        env.robot.write_joints(ids, *drawn.chunk(2, 1))


def push_by_setting_velocity(env: Env, ids: Tensor, velocity_range: Ranges) -> None:
    """Add a random velocity to the base: a push that lasts no time.

    Args:
        velocity_range: Smallest and largest change for any of x, y, z [m/s], roll, pitch, yaw [rad/s], world frame.
    """
    robot = env.robot
    change = _draw(env, velocity_range, len(ids))
    quat = robot.root_quat_w[ids]
    lin = robot.root_lin_vel_w[ids] + change[:, :3]
    ang = robot.root_ang_vel_b[ids] + quat_rotate_inverse(quat, change[:, 3:])
    robot.write_root(ids, robot.root_pos_w[ids], quat, lin, ang)


def push_in_random_direction(env: Env, ids: Tensor, speed: float = 0.5) -> None:
    """Change the base's horizontal velocity by a fixed speed in a random direction.

    Args:
        speed: Size of the change [m/s]. Sane: 0.1..1.5. 0.5 m/s is a firm shove for a humanoid.
    """
    push_towards(env, ids, env.uniform(-torch.pi, torch.pi, len(ids)), speed)


def push_towards(env: Env, ids: Tensor, angle: Tensor, speed: float) -> None:
    """Change the base's horizontal velocity by `speed` [m/s] in directions `angle` [rad], world frame, shape (n,)."""
    robot = env.robot
    change = speed * torch.stack((torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)), 1)
    lin = robot.root_lin_vel_w[ids] + change
    robot.write_root(ids, robot.root_pos_w[ids], robot.root_quat_w[ids], lin, robot.root_ang_vel_b[ids])


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
        self._at = torch.tensor(geoms.ids)
        _warn_of_lost_friction(env.model, geoms, self._bounds[0])

    def __call__(self, env: Env, ids: Tensor) -> None:
        """Change the worlds `ids`, shape (n,)."""
        friction = env.physics.expand("geom_friction")
        drawn = env.draw(self._bounds, len(ids), 1).expand(len(ids), len(self._at))
        friction[ids.unsqueeze(1), self._at, 0] = drawn


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
        self._at = torch.tensor(bodies.ids)
        self._original = torch.tensor(env.model.body_mass[list(bodies.ids)], dtype=torch.float32)
        for name, mass in zip(bodies.names, self._original.tolist(), strict=True):
            _check_mass(name, mass, self._bounds[0])

    def __call__(self, env: Env, ids: Tensor) -> None:
        """Change the worlds `ids`, shape (n,)."""
        mass = env.physics.expand("body_mass")
        mass[ids.unsqueeze(1), self._at] = self._original + env.draw(self._bounds, len(ids), len(self._at))
        env.physics.set_const(ids)


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
        self._at = torch.tensor(bodies.ids)
        self._original = torch.tensor(env.model.body_ipos[list(bodies.ids)], dtype=torch.float32)

    def __call__(self, env: Env, ids: Tensor) -> None:
        """Change the worlds `ids`, shape (n,)."""
        com = env.physics.expand("body_ipos")
        shift = torch.stack([env.draw(bounds, len(ids), len(self._at)) for bounds in self._bounds], -1)
        com[ids.unsqueeze(1), self._at] = self._original + shift
        env.physics.set_const(ids)


def randomize_encoder_bias(env: Env, ids: Tensor, bias_range: list[float]) -> None:
    """Let every encoder read a constant error.

    Args:
        bias_range: Smallest and largest error [rad].
    """
    bias = env.robot.encoder_bias
    bias[ids] = env.draw(_checked("randomize_encoder_bias: bias_range", bias_range), len(ids), bias.shape[1])


def _checked(path: str, bounds: Sequence[float], least: float = -math.inf) -> tuple[float, float]:
    """Smallest and largest value. Raises `ConfigError` if they are no two finite numbers in order, from `least` on."""
    pair = len(bounds) == 2 and all(map(math.isfinite, bounds))
    if not pair or not least <= bounds[0] <= bounds[1]:
        legal = "two finite numbers, the smallest first" + ("" if least < 0.0 else f", from {least:g} on")
        raise ConfigError([Mistake(path, f"must be {legal}, not {list(bounds)}")])
    return bounds[0], bounds[1]


def _draw(env: Env, ranges: Ranges, count: int) -> Tensor:
    """Random numbers for x, y, z, roll, pitch, yaw, shape (count, 6); 0 where there is no range."""
    bounds = _bounds(env, ranges)
    return torch.addcmul(bounds[:, 0], env.rand(count, len(_AXES)), bounds[:, 1] - bounds[:, 0])


def _bounds(env: Env, ranges: Ranges) -> Tensor:
    """Smallest and largest number for x, y, z, roll, pitch, yaw, shape (6, 2); 0 where there is no range."""
    unknown = [axis for axis in ranges if axis not in _AXES]
    if unknown:
        raise ConfigError([Mistake("env.events", f"no axis {listing(unknown)}. Legal: {listing(_AXES)}")])
    return torch.tensor([ranges.get(axis, [0.0, 0.0]) for axis in _AXES], dtype=torch.float32, device=env.device)


TERMS = {
    "push_by_setting_velocity": push_by_setting_velocity,
    "push_in_random_direction": push_in_random_direction,
    "randomize_com": RandomizeCom,
    "randomize_encoder_bias": randomize_encoder_bias,
    "randomize_friction": RandomizeFriction,
    "randomize_mass": RandomizeMass,
    "reset_joints_by_offset": ResetJoints,
    "reset_root_state_uniform": ResetRoot,
}
