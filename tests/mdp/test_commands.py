from __future__ import annotations

import pytest
import torch

from mjsdk.env.rotations import quat_from_euler
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.mdp.commands import UniformVelocityConfig
from mjsdk.testing.worlds import small_env


def twist(**settings):
    config = UniformVelocityConfig(func="uniform_velocity", **settings)
    return lambda c: c.env.commands.update({"twist": config})


def shares(**given):
    return {f"rel_{kind}_envs": given.get(kind, 0.0) for kind in ("standing", "heading", "forward", "turn")}


def test_kinds_of_commands_exclude_each_other_and_have_their_shares():
    env = small_env(4096, edit=twist(heading_command=False, **shares(standing=0.1, forward=0.2, turn=0.3)))
    command = env.command("twist")
    standing = (command == 0).all(1)
    forward = (command[:, 0] != 0) & (command[:, 1:] == 0).all(1)
    turn = (command[:, 2] != 0) & (command[:, :2] == 0).all(1)
    for mask, share in ((standing, 0.1), (forward, 0.2), (turn, 0.3)):
        assert float(mask.float().mean()) == pytest.approx(share, abs=0.03)


def test_a_straight_command_stays_straight_though_others_hold_a_direction():
    env = small_env(512, edit=twist(**shares(heading=0.5, forward=0.5)))
    for _ in range(3):
        env.step(torch.zeros(512, env.num_actions))
    command = env.command("twist")
    forward = command[:, 1] == 0
    assert 0.4 < float(forward.float().mean()) < 0.6
    assert (command[forward, 2] == 0).all()
    assert (command[~forward, 2] != 0).any()


def test_worlds_that_hold_a_direction_turn_towards_it():
    env = small_env(64, edit=twist(heading_control_stiffness=1.0, **shares(heading=1.0)))
    term = env.commands.terms["twist"]
    error = torch.remainder(term._heading - env.robot.heading_w + torch.pi, 2 * torch.pi) - torch.pi
    assert torch.allclose(env.command("twist")[:, 2], error.clamp(-1.0, 1.0), atol=1e-5)


def test_commands_are_drawn_anew_when_their_time_is_over():
    env = small_env(64, edit=twist(resampling_time_range=[0.1, 0.1], heading_command=False, **shares()))
    first = env.command("twist").clone()
    for _ in range(4):
        env.commands.compute(0.02)
    assert torch.equal(env.command("twist"), first)
    for _ in range(3):
        env.commands.compute(0.02)
    assert (env.command("twist") != first).all()


def test_a_fixed_command_outlasts_draws_and_resets():
    env = small_env(4, edit=twist(resampling_time_range=[0.02, 0.02]))
    value = torch.tensor([0.3, 0.0, 0.1])
    env.commands.terms["twist"].fix(env.worlds(None, torch.tensor([1, 2])), value)
    for _ in range(25):
        env.step(torch.zeros(4, env.num_actions))
    assert torch.equal(env.command("twist")[1:3], value.expand(2, 3))


def clocked(config):
    twist(heading_command=False, **shares())(config)
    config.env.commands["gait"] = GaitClockConfig(func="gait_clock", velocity_command="twist", frequency=1.0)


def test_commanded_to_stand_the_robot_ends_its_step_and_the_clock_stops():
    env = small_env(4, edit=clocked)
    clock = env.commands.terms["gait"]
    for _ in range(5):
        env.commands.compute(0.02)
    env.commands.terms["twist"].fix(env.all_worlds, torch.zeros(3))
    env.commands.compute(0.02)
    assert clock.moving.all()
    for _ in range(25):
        env.commands.compute(0.02)
    assert not clock.moving.any()
    assert (torch.remainder(clock.phase, 0.5) == 0).all()
    assert (env.command("gait") == 0).all()


def test_feet_swing_in_turn():
    env = small_env(4, edit=clocked)
    swinging = env.commands.terms["gait"].foot_phase < 0.5
    assert (swinging[:, 0] != swinging[:, 1]).all()


@pytest.mark.parametrize(
    ("axis", "lean", "steps"),
    [("pitch", 0.1, False), ("pitch", 0.3, True), ("roll", -0.1, False), ("roll", -0.3, True)],
)
def test_commanded_to_stand_a_robot_that_tips_over_steps_to_catch_itself(axis, lean, steps):
    def catching(config):
        clocked(config)
        config.env.commands["gait"].recovery_tilt = 0.2

    env = small_env(4, edit=catching)
    env.commands.terms["twist"].fix(env.all_worlds, torch.zeros(3))
    angles = {axis: torch.full((4,), lean)}
    quat = quat_from_euler(*(angles.get(name, torch.zeros(4)) for name in ("roll", "pitch", "yaw")))
    env.robot.write_root(env.all_worlds, torch.zeros(4, 3), quat, torch.zeros(4, 3), torch.zeros(4, 3))
    for _ in range(30):
        env.commands.compute(0.02)
    clock = env.commands.terms["gait"]
    assert clock.moving.tolist() == [steps] * 4
    assert not clock.step_commanded.any()


def test_it_catches_itself_with_the_foot_on_the_side_that_it_falls_to():
    def catching(config):
        clocked(config)
        config.env.commands["gait"].recovery_tilt = 0.2

    env = small_env(2, edit=catching)
    env.commands.terms["twist"].fix(env.all_worlds, torch.zeros(3))
    for _ in range(30):
        env.commands.compute(0.02)
    to_the_left_and_right = torch.tensor([-0.3, 0.3])  # roll about the axis that points forward
    quat = quat_from_euler(to_the_left_and_right, torch.zeros(2), torch.zeros(2))
    env.robot.write_root(env.all_worlds, torch.zeros(2, 3), quat, torch.zeros(2, 3), torch.zeros(2, 3))
    for _ in range(3):
        env.commands.compute(0.02)
    swinging = env.commands.terms["gait"].foot_phase < 0.5
    assert swinging.tolist() == [[True, False], [False, True]]  # left, right
