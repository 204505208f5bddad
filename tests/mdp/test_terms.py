"""Every term of the core gives what it says, on every robot."""

from __future__ import annotations

import re

import mujoco
import numpy as np
import pytest
import torch

from mjsdk.config import CurriculumTermConfig, EventTermConfig, RewardTermConfig, SensorConfig
from mjsdk.mdp.actions import JointPositionConfig, SteppingJointPositionConfig
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.mdp.commands import UniformVelocityConfig, VelocityRanges
from mjsdk.testing.terms import FREE_BASE, GAIT, Effect, Event, Stage, Value
from mjsdk.testing.worlds import TESTARM, TESTBOT

BASE, FEET = (FREE_BASE,), ("feet",)
TWIST = {"command": "twist"}
STD = 0.4


def soft_limits(now):
    """Nine tenths of each joint's range, shape (2, J)."""
    low, high = now.model.jnt_range[now.joints].T
    free = now.model.jnt_limited[now.joints] == 0
    return np.where(free, [[-np.inf], [np.inf]], [low + 0.05 * (high - low), high - 0.05 * (high - low)])


def beyond(now):
    low, high = soft_limits(now)
    return np.maximum(low - now.joint_pos, 0).sum() + np.maximum(now.joint_pos - high, 0).sum()


def tilt(now):
    """Angle from the base's z axis to the vertical."""
    return np.arccos(now.rotation[2, 2])


def errors(now):
    """Of the horizontal velocity and of the yaw rate."""
    error = now.asked("twist") - now.heading_vel
    return np.array([np.hypot(*error[:2]), abs(error[2])])


def drift(now):
    return errors(now)[0] if abs(now.asked("twist")).sum() <= 0.05 else 0.0


def knees(now):
    """Whether anything but feet touches the ground."""
    return bool(now.touches[-1].grounded - set(now.robot.roles["feet"].geoms))


OBSERVATIONS = {
    "base_ang_vel": Value(lambda now: now.data.qvel[3:6], needs=BASE),
    "base_height": Value(lambda now: now.data.qpos[2:3], needs=BASE),
    "base_lin_vel": Value(lambda now: now.rotation.T @ now.data.qvel[:3], needs=BASE),
    "contact": Value(
        lambda now: now.loads(now.robot.roles["feet"].bodies)[-1] > 1.0,
        {"sensor": "feet"},
        {"feet": SensorConfig(type="contact", on="@feet")},
        needs=FEET,
    ),
    "generated_commands": Value(lambda now: now.asked("twist"), TWIST),
    "joint_pos_rel": Value(lambda now: now.joint_error + now.kept("robot/encoder_bias"), {"biased": True}),
    "joint_vel": Value(lambda now: now.joint_vel),
    "last_action": Value(lambda now: now.actions[0]),
    "projected_gravity": Value(lambda now: -now.rotation[2], needs=BASE),
    "sensor": Value(
        lambda now: now.velocities(now.robot.roles["imu"].sites, local=True)[0, :3],
        {"sensor": "imu"},
        {"imu": SensorConfig(type="gyro", on="@imu")},
        needs=("imu",),
    ),
}
REWARDS = {
    "action_acc_l2": Value(lambda now: (np.diff(now.actions, 2, axis=0) ** 2).sum()),
    "action_rate_l2": Value(lambda now: ((now.actions[0] - now.actions[1]) ** 2).sum()),
    "ang_vel_xy_l2": Value(lambda now: (now.data.qvel[3:5] ** 2).sum(), needs=BASE),
    "angular_velocity_error_l2": Value(lambda now: errors(now)[1] ** 2, TWIST, needs=BASE),
    "base_height_l2": Value(lambda now: (now.data.qpos[2] - 0.2) ** 2, {"target": 0.2}, needs=BASE),
    "drift": Value(drift, TWIST, needs=BASE),
    "electrical_power": Value(lambda now: np.maximum(now.torques * now.joint_vel, 0).sum()),
    "flat_orientation_l2": Value(lambda now: np.sin(tilt(now)) ** 2, needs=BASE),
    "is_alive": Value(lambda now: not now.terminated),
    "is_terminated": Value(lambda now: now.terminated),
    "joint_acc_l2": Value(lambda now: (now.data.qacc[now.model.jnt_dofadr[now.joints]] ** 2).sum()),
    "joint_pos_limits": Value(beyond),
    "joint_torques_l2": Value(lambda now: (now.torques**2).sum()),
    "joint_vel_l2": Value(lambda now: (now.joint_vel**2).sum()),
    "lin_vel_z_l2": Value(lambda now: now.data.qvel[2] ** 2, needs=BASE),
    "linear_velocity_error_l2": Value(lambda now: errors(now)[0] ** 2, TWIST, needs=BASE),
    "posture": Value(lambda now: np.exp(-np.mean((now.joint_error / STD) ** 2)), {"std": STD}),
    "track_angular_velocity": Value(
        lambda now: np.exp(-((errors(now)[1] / STD) ** 2)), {**TWIST, "std": STD}, needs=BASE
    ),
    "track_linear_velocity": Value(
        lambda now: np.exp(-((errors(now)[0] / STD) ** 2)), {**TWIST, "std": STD}, needs=BASE
    ),
    "upright": Value(lambda now: np.exp(-((np.sin(tilt(now)) / STD) ** 2)), {"std": STD}, needs=BASE),
}
TERMINATIONS = {
    "bad_orientation": Value(lambda now: tilt(now) > 1.3, {"limit_angle": 1.3}, needs=BASE),
    "illegal_contact": Value(
        knees,
        {"whole_sensor": "whole", "allowed_sensor": "soles", "longest_s": 0.0},
        {
            "whole": SensorConfig(type="subtreegroundcontacts", on="@base"),
            "soles": SensorConfig(type="groundcontacts", on="@feet"),
        },
        needs=FEET,
    ),
    "root_height_below": Value(lambda now: now.data.qpos[2] < 0.2, {"minimum_height": 0.2}, needs=BASE),
    "time_out": Value(lambda now: now.age >= 15),
}
METRICS = {
    "ang_vel_error": Value(lambda now: errors(now)[1], TWIST, needs=BASE),
    "lin_vel_error": Value(lambda now: errors(now)[0], TWIST, needs=BASE),
}


def start(env):
    """qpos and qvel as episodes begin, shape (E, nq + nv)."""
    qpos = env.model.key("initial").qpos
    return np.tile(np.concatenate((qpos, np.zeros(env.model.nv))), (env.num_envs, 1))


def moved(low, high, slow, fast):
    """The base between offsets (x, y, z, roll, pitch, yaw), with velocities between others, in the world's frame."""
    low, high, slow, fast = map(np.array, (low, high, slow, fast))

    def nearest(env, values):
        wanted, nq, turn = start(env), env.model.nq, np.empty(9)
        for row, value in zip(wanted, values, strict=True):
            mujoco.mju_quat2Mat(turn, value[3:7])
            matrix = turn.reshape(3, 3)
            angles = np.arctan2(matrix[2, 1], matrix[2, 2]), -np.arcsin(matrix[2, 0]), np.arctan2(*matrix[1::-1, 0])
            row[:3] = value[:3].clip(row[:3] + low[:3], row[:3] + high[:3])
            mujoco.mju_euler2Quat(row[3:7], np.clip(angles, low[3:], high[3:]), "XYZ")
            row[3:7] *= np.sign(row[3:7] @ value[3:7])
            row[nq : nq + 3] = value[nq : nq + 3].clip(slow[:3], fast[:3])
            row[nq + 3 : nq + 6] = matrix.T @ (matrix @ value[nq + 3 : nq + 6]).clip(slow[3:], fast[3:])
        return wanted

    return nearest


def pushed(env, values):
    """Upright, and as fast as the push, whichever way."""
    wanted, way = start(env), values[:, env.model.nq : env.model.nq + 2]
    wanted[:, env.model.nq : env.model.nq + 2] = 0.7 * way / np.linalg.norm(way, axis=1, keepdims=True).clip(1e-9)
    return wanted


def bent(env, values):
    """Joints from 0.1 below to 2 above the pose, but in nine tenths of their range, and not faster than 0.5."""
    wanted, model = start(env), env.model
    for joint in np.flatnonzero(model.jnt_type >= int(mujoco.mjtJoint.mjJNT_SLIDE)):
        pos, vel = model.jnt_qposadr[joint], model.nq + model.jnt_dofadr[joint]
        (low, high), limited = model.jnt_range[joint], model.jnt_limited[joint]
        low, high = (low + 0.05 * (high - low), high - 0.05 * (high - low)) if limited else (-np.inf, np.inf)
        wanted[:, pos] = values[:, pos].clip(max(wanted[0, pos] - 0.1, low), min(wanted[0, pos] + 2.0, high))
        wanted[:, vel] = values[:, vel].clip(-0.5, 0.5)
    return wanted


def changed(field, low, high):
    """The base's row of a field of the model between two offsets."""

    def nearest(env, values):
        wanted = np.broadcast_to(getattr(env.model, field), values.shape).copy()
        base = env.model.body(env.roles["base"].bodies[0]).id
        wanted[:, base] = values[:, base].clip(wanted[:, base] + low, wanted[:, base] + high)
        return wanted

    return nearest


def rubbed(env, values):
    """The same sliding friction for all feet of a world."""
    wanted = np.broadcast_to(env.model.geom_friction, values.shape).copy()
    feet = [i for i, name in enumerate(env.names.geoms) if name in env.roles["feet"].geoms]
    wanted[:, feet, 0] = values[:, feet[:1], 0].clip(0.2, 0.5)
    return wanted


LEAN = {"pose_range": {"roll": [0.5, 0.5]}, "velocity_range": {}}
EVENTS = {
    "push_by_setting_velocity": Event(
        {"velocity_range": {"x": [0.1, 0.3], "z": [-0.2, 0.0], "pitch": [0.5, 1.0], "yaw": [-1.0, -0.5]}},
        "state",
        moved([0, 0, 0, 0.5, 0, 0], [0, 0, 0, 0.5, 0, 0], [0.1, 0, -0.2, 0, 0.5, -1], [0.3, 0, 0, 0, 1, -0.5]),
        needs=BASE,
        first={"lean": EventTermConfig(func="reset_root_state_uniform", params=LEAN)},
    ),
    "push_in_random_direction": Event({"speed": 0.7}, "state", pushed, needs=BASE),
    "randomize_com": Event(
        {"bodies": "@base", "x": [0.01, 0.02], "y": [0.0, 0.0], "z": [-0.02, -0.01]},
        "body_ipos",
        changed("body_ipos", [0.01, 0, -0.02], [0.02, 0, -0.01]),
        needs=("base",),
    ),
    "randomize_encoder_bias": Event({"bias_range": [-0.02, 0.01]}, "encoder_bias", lambda _, v: v.clip(-0.02, 0.01)),
    "randomize_friction": Event({"geoms": "@feet", "friction_range": [0.2, 0.5]}, "geom_friction", rubbed, needs=FEET),
    "randomize_mass": Event(
        {"bodies": "@base", "mass_range": [0.5, 1.0]}, "body_mass", changed("body_mass", 0.5, 1.0), needs=("base",)
    ),
    "reset_joints_by_offset": Event({"position_range": [-0.1, 2.0], "velocity_range": [-0.5, 0.5]}, "state", bent),
    "reset_root_state_uniform": Event(
        {
            "pose_range": {"x": [0.1, 0.3], "z": [0.0, 0.1], "pitch": [0.2, 0.4], "yaw": [-2.0, 2.0]},
            "velocity_range": {"y": [-0.3, -0.1], "roll": [0.5, 1.0], "yaw": [-1.0, 0.0]},
        },
        "state",
        moved([0.1, 0, 0, 0, 0.2, -2], [0.3, 0, 0.1, 0, 0.4, 2], [0, -0.3, 0, 0.5, 0, -1], [0, -0.1, 0, 1, 0, 0]),
        needs=BASE,
    ),
}


def act(config):
    """Settings with one action term."""
    return lambda settings: settings.actions.update(joint_pos=config)


def targets(env):
    """What the servos are commanded, and what they should be, in worlds that walk and that stand."""
    clock, term = env.commands.terms["gait"], env.actions.terms["joint_pos"]
    env.robot.encoder_bias.copy_(torch.linspace(0.0, 0.02, env.num_envs).unsqueeze(1))
    env.commands.terms["twist"].fix(
        env.all_worlds, torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]] * (env.num_envs // 2))
    )
    for _ in range(40):
        env.commands.compute(0.021)
    walking = clock.moving.numpy().astype(float)[:, None]
    bump = (1.25 * np.sin(np.pi * np.minimum(clock.foot_phase.numpy() / 0.5, 1.0)) - 0.25).clip(0.0) * walking
    action = np.linspace(-2.0, 2.0, env.num_envs * env.num_actions).reshape(env.num_envs, -1)
    size = walking + getattr(term.config, "standing", 1.0) * (1.0 - walking)
    lift = getattr(term.config, "lift", 0.0)
    wanted = np.tile(env.model.key("initial").ctrl, (env.num_envs, 1))
    for column, joint in enumerate(env.names.joints):
        servo = env.model.actuator(joint).id
        wanted[:, servo] += (
            0.3 * size[:, 0] * action[:, column].clip(-1.0, 0.5) - env.robot.encoder_bias[:, column].numpy()
        )
        for foot, joints in enumerate(env.gait.lift if lift else ()):
            found = [value for pattern, value in joints.items() if re.fullmatch(pattern, joint)]
            wanted[:, servo] += lift * bump[:, foot] * (found[0] if found else 0.0)
    env.step(torch.tensor(action, dtype=torch.float32))
    return env.actions.controls.clone(), wanted


ACTIONS = {
    "joint_position": Effect(act(JointPositionConfig(func="joint_position", scale=0.3, clip=[-1.0, 0.5])), targets),
    "stepping_joint_position": Effect(
        act(
            SteppingJointPositionConfig(
                func="stepping_joint_position", scale=0.3, clip=[-1.0, 0.5], lift=0.8, standing=0.4
            )
        ),
        targets,
        needs=(GAIT,),
    ),
}


def drawn(env):
    """Each number of a command between its bounds."""
    command = env.command("twist")
    return command.clone(), command.numpy().clip([0.2, -0.1, 0.5], [0.4, 0.0, 0.6])


def ticked(env):
    """Sine and cosine of the clock after three steps from a step of either side."""
    before = env.command("gait").numpy().copy()
    for _ in range(3):
        env.step(torch.zeros(env.num_envs, env.num_actions))
    phase = np.arctan2(before[:, 0], before[:, 1]) + 2.0 * np.pi * 2.0 * 3 * env.step_dt
    assert np.allclose(abs(before), [0.0, 1.0], atol=1e-6)
    return env.command("gait").clone(), np.stack((np.sin(phase), np.cos(phase)), 1)


COMMANDS = {
    "gait_clock": Effect(lambda c: c.commands.update(gait=GaitClockConfig(func="gait_clock", frequency=2.0)), ticked),
    "uniform_velocity": Effect(
        lambda c: c.commands.update(
            twist=UniformVelocityConfig(
                func="uniform_velocity",
                ranges=VelocityRanges(lin_vel_x=[0.2, 0.4], lin_vel_y=[-0.1, 0.0], ang_vel_z=[0.5, 0.6]),
                heading_command=False,
                **dict.fromkeys(("rel_standing_envs", "rel_heading_envs", "rel_forward_envs", "rel_turn_envs"), 0.0),
            )
        ),
        drawn,
    ),
}


def changing(func, weights, **params):
    """A curriculum of a reward's weight, which should be `weights` by control step."""

    def put(config):
        config.rewards["speed"] = RewardTermConfig(func="joint_vel_l2", weight=-1.0)
        config.curriculum["it"] = CurriculumTermConfig(func=func, params={"setting": "rewards.speed.weight", **params})

    def run(env):
        found = []
        for step in weights:
            env.common_step_counter = step
            env.reset()
            found.append(env.config.rewards["speed"].weight)
        return torch.tensor(found), list(weights.values())

    return Effect(put, run)


CURRICULUM = {
    "ramp": changing("ramp", {0: 0.0, 10: 0.0, 15: -0.5, 20: -1.0, 99: -1.0}, start=0.0, first_step=10, last_step=20),
    "stages": changing(
        "stages", {0: -2.0, 9: -2.0, 10: -3.0}, stages=[{"step": 0, "value": -2.0}, {"step": 10, "value": -3.0}]
    ),
}

TABLES = {
    "observation": OBSERVATIONS,
    "reward": REWARDS,
    "termination": TERMINATIONS,
    "metric": METRICS,
    "event": EVENTS,
    "action": ACTIONS,
    "command": COMMANDS,
    "curriculum": CURRICULUM,
}
CASES = {f"{kind}/{name}": case for kind, table in TABLES.items() for name, case in table.items()}


@pytest.fixture(scope="module", params=[TESTBOT, TESTARM, "g1", "go1"], ids=["testbot", "testarm", "g1", "go1"])
def stage(request):
    if request.param in ("g1", "go1"):
        pytest.importorskip(f"mjsdk_robot_{request.param}")
    return Stage(CASES, request.param, thorough=request.param in (TESTBOT, TESTARM))


def test_every_term_has_a_case(stage):
    stage.check_complete()


@pytest.mark.parametrize("name", CASES)
def test_a_term_gives_what_it_says(stage, name):
    stage.check(name)
