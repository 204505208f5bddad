"""Rewards for feet and posture, on any robot with the role `feet`."""

from __future__ import annotations

import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.env.robot_state import take
from mjsdk.mdp.actions import SteppingJointPosition
from mjsdk.mdp.clock import gait_clock
from mjsdk.mdp.commands import STANDING, commanded_speed
from mjsdk.robot.selection import Bodies, PerJoint, Sites
from mjsdk.terms import ActionName, CommandName, SensorName

_ABOVE = 1e-4
"""Horizontal distance of feet below which one is above the other [m]."""


def _moving(env: Env, command: str) -> Tensor:
    """1 in worlds that are commanded to move, shape (E,)."""
    return (commanded_speed(env, command) > STANDING).float()


def _squared_ground_speed(env: Env, velocity: str) -> Tensor:
    """Squared horizontal speed of what carries a velocity sensor [m^2/s^2], shape (E, parts)."""
    return env.derived.get(("squared_ground_speed", velocity), lambda: env.sensor(velocity)[..., :2].square().sum(-1))


def foot_slip(env: Env, sensor: SensorName = "feet_contact", velocity: SensorName = "feet_velocity") -> Tensor:
    """Squared horizontal speed of feet that touch the ground, summed [m^2/s^2].

    Args:
        sensor: Name of the feet's contact sensor.
        velocity: Name of the feet's velocity sensor (framelinvel).
    """
    return (_squared_ground_speed(env, velocity) * env.contact(sensor).in_contact).sum(1)


def foot_clearance(
    env: Env,
    command: CommandName,
    feet: Sites = "@feet",  # type: ignore[assignment]
    velocity: SensorName = "feet_velocity",
    target: float = 0.1,
) -> Tensor:
    """Distance of moving feet from a height, weighted by their horizontal speed, summed [m^2/s].

    Args:
        command: Name of the velocity command; without one to move there is no penalty.
        feet: The feet's sites.
        velocity: Name of the feet's velocity sensor (framelinvel).
        target: Height of the site in mid swing [m]. Recommended: 0.02..0.3. Higher steps clear rougher ground and cost
            energy.
    """
    speed = _squared_ground_speed(env, velocity).sqrt()
    error = (env.robot.pos_of_sites_w(feet)[:, :, 2] - target).abs()
    return (error * speed).sum(1) * _moving(env, command)


def air_time(env: Env, command: CommandName, sensor: SensorName = "feet_contact", target: float = 0.4) -> Tensor:
    """Time that each flight lasted beyond a target, summed over the feet that touch down [s].

    Args:
        command: Name of the velocity command; without one to move there is no reward.
        sensor: Name of the feet's contact sensor, with track_air_time.
        target: Length of a good flight [s]. Recommended: 0.1..0.8. Shorter steps look like drumming.
    """
    flights = env.contact(sensor).flights
    return ((flights.last_air_time - target) * flights.first_contact).sum(1) * _moving(env, command)


def soft_landing(env: Env, sensor: SensorName = "feet_contact") -> Tensor:
    """Force on feet that touch down in this step, summed [N].

    Args:
        sensor: Name of the feet's contact sensor.
    """
    contact = env.contact(sensor)
    return (contact.load * contact.flights.first_contact).sum(1)


def body_upright(env: Env, bodies: Bodies = "@torso", std: float = 0.45) -> Tensor:  # type: ignore[assignment]
    """How upright bodies are: exp(-mean(sin^2 of the tilt) / std^2).

    Args:
        bodies: The bodies whose z axis should be vertical.
        std: Sine of the tilt at which the reward has fallen to 37 % [-]. Recommended: 0.1..1. Bounds: 0.001..1000.
    """
    # With s = x^2 + y^2 of the quaternion, the cosine of the tilt is 1 - 2 s, so its squared sine is 4 s (1 - s).
    x_and_y = take(env.robot.body_quat_w, bodies.index)[..., 1:3]
    half = (x_and_y * x_and_y).sum(-1)
    return torch.exp((half - half * half).sum(1) * (-4.0 / (std * std * len(bodies))))


class GaitReward:
    """How well the feet keep the rhythm of the clock, from about -0.5 to 1 per foot, averaged.

    A foot that should swing earns half for carrying no load and half for its height, and pays for carrying weight; a
    foot that should stand earns for touching the ground without slipping. Commanded to stand, all feet should stand,
    also where the clock lets the robot step to catch itself: it should not have to.
    """

    def __init__(
        self,
        env: Env,
        clock: CommandName = "gait",
        feet: Sites = "@feet",  # type: ignore[assignment]
        sensor: SensorName = "feet_contact",
        velocity: SensorName = "feet_velocity",
        height: float = 0.08,
        load: float = 20.0,
        slip: float = 0.3,
    ) -> None:
        """Build the term.

        Args:
            env: The environment.
            clock: Name of the gait clock.
            feet: The feet's sites.
            sensor: Name of the feet's contact sensor.
            velocity: Name of the feet's velocity sensor (framelinvel).
            height: Lift of a foot over its height in the default pose in mid swing [m]. Recommended: 0.02..0.2.
                Bounds: 0.001..10.
            load: Force above which a foot carries weight [N]. Recommended: 5..100.
            slip: Speed at which the reward for standing has fallen to 37 % [m/s]. Recommended: 0.1..1. Bounds:
                0.001..1000.
        """
        self.clock = gait_clock(env, clock, "env.rewards.gait.params.clock")
        self.feet = feet
        self.contact = env.contact(sensor)
        self.velocity = velocity
        self.height, self.load, self.slip = height, load, slip
        self.rest = float(env.robot.pos_of_sites_w(feet)[0, :, 2].min())

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        swing = (self.clock.foot_phase < self.clock.config.swing) & self.clock.step_commanded.unsqueeze(1)
        touching, loaded = self.contact.in_contact, self.contact.load > self.load
        lift = (env.robot.pos_of_sites_w(self.feet)[:, :, 2] - self.rest).mul_(0.5 / self.height).clamp_(0.0, 0.5)
        swinging = lift.add_(0.5).sub_(touching.float().add_(loaded), alpha=0.5)
        slip = _squared_ground_speed(env, self.velocity) * (-1.0 / (self.slip * self.slip))
        standing = slip.exp_().mul_(touching)
        return torch.where(swing, swinging, standing).sum(1) * (1.0 / len(self.feet))


def marching(env: Env, clock: CommandName = "gait") -> Tensor:
    """1 while the robot steps although it is commanded to stand: to catch itself, or to end a step.

    Args:
        clock: Name of the gait clock.
    """
    gait = gait_clock(env, clock, "env.rewards.marching.params.clock")
    return (gait.moving & ~gait.step_commanded).float()


class FootCrowding:
    """How far feet come nearer to each other than they may, as a share of that distance, summed over pairs of feet.

    Collisions between legs cost physics and are often left out of training; a robot that crosses its legs there would
    trip over them.
    """

    def __init__(self, env: Env, feet: Sites = "@feet", share: float = 0.7) -> None:  # type: ignore[assignment]
        """Build the term.

        Args:
            env: The environment.
            feet: The feet's sites.
            share: Part of their horizontal distance in the default pose that every two feet should keep [-].
                Recommended: 0.3..0.9. Bounds: 0.01..100. Larger keeps legs apart, and hinders sideways steps.
        """
        self.feet = feet
        self.pairs = torch.combinations(torch.arange(len(feet), device=env.device), 2).T
        # Feet that begin one above the other, as in a robot that begins on its side, may be as near as they like.
        self.pairs = self.pairs[:, self._distances(env)[0] > _ABOVE]
        self.inverse = 1.0 / (share * self._distances(env)[0])

    def __call__(self, env: Env) -> Tensor:
        """The penalty, shape (E,)."""
        return (1.0 - self._distances(env) * self.inverse).clamp_(min=0.0).sum(1)

    def _distances(self, env: Env) -> Tensor:
        """Horizontal distance of every two feet [m], shape (E, pairs)."""
        pos = env.robot.pos_of_sites_w(self.feet)
        first, second = (pos.index_select(1, feet) for feet in self.pairs)
        between = (first - second)[..., :2]
        return (between * between).sum(-1).sqrt_()


class VariablePosture:
    """How close the joints are to the default pose, with tolerances that depend on the commanded speed.

    The pose includes the open-loop step of the action term, if there is one, so that stepping is not punished.
    """

    def __init__(
        self,
        env: Env,
        command: CommandName,
        standing: PerJoint = 0.05,  # type: ignore[assignment]
        walking: PerJoint = 0.3,  # type: ignore[assignment]
        running: PerJoint = 0.5,  # type: ignore[assignment]
        running_speed: float = 1.5,
        action: ActionName = "joint_pos",
    ) -> None:
        """Build the term.

        Args:
            env: The environment.
            command: Name of the velocity command.
            standing: Tolerance of each joint when commanded to stand [rad].
            walking: Tolerance of each joint when commanded to walk [rad].
            running: Tolerance of each joint when commanded to run [rad].
            running_speed: Commanded speed from which on running counts [m/s]. Recommended: 1..3.
            action: Name of the action term whose open-loop step is part of the pose.
        """
        self.command = command
        tolerances = torch.stack([torch.as_tensor(each, device=env.device) for each in (standing, walking, running)])
        self.factors = -tolerances.square().reciprocal() / tolerances.shape[1]
        self.from_speed = torch.tensor([STANDING, running_speed], device=env.device)
        term = env.actions.terms.get(action)
        self.stepping = term if isinstance(term, SteppingJointPosition) else None

    def __call__(self, env: Env) -> Tensor:
        """The reward, shape (E,)."""
        gait = torch.bucketize(commanded_speed(env, self.command), self.from_speed)
        error = env.robot.joint_pos_rel
        if self.stepping is not None:
            error = error.clone()
            error[:, self.stepping.index] -= self.stepping.last_step
        return (self.factors.index_select(0, gait) * error * error).sum(1).exp()


TERMS = {
    "air_time": air_time,
    "body_upright": body_upright,
    "foot_clearance": foot_clearance,
    "foot_crowding": FootCrowding,
    "foot_slip": foot_slip,
    "gait": GaitReward,
    "marching": marching,
    "posture": VariablePosture,
    "soft_landing": soft_landing,
}
