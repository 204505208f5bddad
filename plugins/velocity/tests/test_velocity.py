from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import torch

import mjsdk_task_velocity
from mjsdk.errors import BrokenRun, MissingRole
from mjsdk.evaluate.setup import Options, evaluation_config
from mjsdk.learn.policy import check_layout, describe_env
from mjsdk.mdp import core_terms
from mjsdk.plugins import find_plugin, open_session
from mjsdk.robot import Roles
from mjsdk.robot.selection import Sites
from mjsdk.testing.worlds import TESTBOT, small_env
from mjsdk_task_velocity.compiled import VERSIONS
from mjsdk_task_velocity.rewards import FootCrowding
from mjsdk_task_velocity.task import velocity_task

ROBOTS = [TESTBOT, "g1", "go1"]


def installed(robot):
    if robot in ("g1", "go1"):
        pytest.importorskip(f"mjsdk_robot_{robot}")
    return robot


def velocity_env(num_envs=4, robot=TESTBOT, **kwargs):
    return small_env(num_envs, robot=installed(robot), task="velocity", **kwargs)


def act(env, size=0.3, seed=0):
    return torch.randn(env.num_envs, env.num_actions, generator=torch.Generator().manual_seed(seed)) * size


def test_the_package_names_no_robot_and_no_joint():
    source = "\n".join(p.read_text() for p in Path(mjsdk_task_velocity.__file__).parent.glob("*.py"))
    assert not re.search(r"\b(g1|go1|knee|ankle|hip|thigh|calf|pelvis|trunk)\b", source, re.IGNORECASE)


@pytest.mark.parametrize("robot", ROBOTS)
def test_any_robot_with_the_roles_can_be_trained(robot):
    env = velocity_env(robot=robot)
    for i in range(5):
        obs, reward, *_ = env.step(act(env, seed=i))
    assert all(torch.isfinite(group).all() for group in obs.values())
    assert torch.isfinite(reward).all()
    assert {"lin_vel_error", "ang_vel_error"} <= set(env.metrics.terms)


@pytest.mark.parametrize("role", ["base", "torso", "imu", "feet"])
def test_a_robot_without_a_role_is_refused_by_its_name_before_physics_starts(role):
    session = open_session(TESTBOT, "velocity", core=core_terms)
    robot = session.robot()
    lacking = attrs.evolve(robot, roles=Roles(**{name: robot.roles[name] for name in robot.roles if name != role}))
    session.robot = lambda: lacking
    with pytest.raises(MissingRole, match=f"velocity.*'{role}'.*testbot"):
        session.task()


def test_the_actor_sees_only_what_a_real_robot_measures():
    task = velocity_task(open_session(TESTBOT).robot())
    seen = {term.func for term in task.env.observations["actor"].terms.values()}
    assert "base_lin_vel" not in seen
    assert not any(name.startswith("velocity:") for name in seen)
    assert "base_lin_vel" in {term.func for term in task.env.observations["critic"].terms.values()}


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_mirrored_world_feels_the_mirror_image(robot):
    """Two worlds, one the mirror image of the other, commanded and doing mirrored things, stay mirror images."""

    def quiet(config):
        config.env.events = {}
        config.env.commands["twist"].heading_command = False

    env = velocity_env(2, robot=robot, edit=quiet)
    twist, clock = env.commands.terms["twist"], env.commands.terms["gait"]
    twist.fix(env.all_worlds, torch.tensor([[0.4, 0.2, 0.3], [0.4, -0.2, -0.3]]))
    clock.phase.copy_(torch.tensor([0.0, 0.5]))
    env.commands.compute(0.0)
    env.observations.compute()
    for i in range(6):  # until a foot touches down: a little sooner in one world than in the other
        same_for_the_network = act(env, 0.2, seed=i)[:1].expand(2, -1)
        obs = env.step(same_for_the_network)[0]
        # The machines are symmetric up to small differences in their public inertias.
        assert (obs["critic"][0] - obs["critic"][1]).abs().mean() < 0.02, i
    assert torch.allclose(env.rewards.total[0], env.rewards.total[1], atol=2e-3)


GAITLESS = """
import attrs
from mjsdk.hookspecs import hookimpl
from mjsdk.testing import testbot

MJSDK_API = 1
mjsdk_load_spec = testbot.mjsdk_load_spec

@hookimpl
def mjsdk_robot():
    return attrs.evolve(testbot.mjsdk_robot(), name="hopper", gait=None)
"""


def test_a_robot_without_a_gait_is_paid_for_the_flights_of_its_feet_when_commanded_to_move(tmp_path):
    robot = tmp_path / "hopper.py"
    robot.write_text(GAITLESS)
    env = velocity_env(2, robot=str(robot), edit=lambda c: c.env.events.clear())
    assert {"air_time", "foot_clearance", "foot_slip"} <= set(env.rewards.terms)
    env.commands.terms["twist"].fix(env.all_worlds, torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    state, nothing = env.robot, torch.zeros(2, 3)
    state.write_root(
        env.all_worlds, state.root_pos_w + torch.tensor([0.0, 0.0, 0.05]), state.root_quat_w, nothing, nothing
    )
    flown, landed = 0.0, False
    while not landed and flown < 0.2:
        assert not env.rewards.terms["air_time"]().any()
        env.step(torch.zeros(2, env.num_actions))
        flown += env.step_dt
        landed = bool((env.sensor("feet_contact").norm(dim=-1) > 1.0).all())
    assert 0.1 < flown < 0.2  # a fall of 5 cm
    assert env.rewards.terms["air_time"]().tolist() == pytest.approx([2.0 * (flown - 0.4), 0.0], abs=1e-5)


def test_standing_commands_ask_for_all_feet_on_the_ground():
    def still(config):
        config.env.actions["joint_pos"].lift = 0.0
        config.env.curriculum = {}

    env = velocity_env(4, edit=still)
    env.commands.terms["twist"].fix(env.all_worlds, torch.zeros(3))
    for _ in range(25):
        env.step(torch.zeros(4, env.num_actions))
    contact = env.contacts["feet_contact"]
    assert not env.commands.terms["gait"].moving.any()
    standing = contact.in_contact.all(1)
    assert standing.any()
    assert (env.rewards.terms["gait"]()[standing] > 0.5).all()


def test_the_policy_may_march_at_first_and_has_to_stand_later_by_the_setting_of_the_user():
    env = velocity_env(2, edit=lambda c: setattr(c.env.commands["gait"], "recovery_tilt", 0.3))
    catch = env.commands.terms["gait"].config
    assert catch.recovery_tilt < 0.02
    env.common_step_counter = 10_000
    env.reset()
    assert catch.recovery_tilt == pytest.approx(0.3)


def test_stepping_to_catch_itself_earns_less_than_standing():
    """So that a robot that is commanded to stand does not lean on purpose to be allowed to march."""
    env = velocity_env(2)
    clock, contact = env.commands.terms["gait"], env.contacts["feet_contact"]
    env.commands.terms["twist"].fix(env.all_worlds, torch.zeros(3))
    env.commands.compute(0.0)
    env.sensor("feet_velocity").zero_()
    clock.moving.fill_(True)
    clock.foot_phase.copy_(torch.tensor([[0.2, 0.7], [0.2, 0.7]]))
    contact.in_contact.copy_(torch.tensor([[True, True], [False, True]]))
    contact.load.copy_(torch.tensor([[100.0, 100.0], [0.0, 200.0]]))
    standing, stepping = env.rewards.terms["gait"]().tolist()
    assert standing == pytest.approx(1.0)
    assert stepping == pytest.approx(0.5)
    assert env.rewards.terms["marching"]().tolist() == [1.0, 1.0]
    env.commands.terms["twist"].fix(env.all_worlds, torch.tensor([0.5, 0.0, 0.0]))
    env.commands.compute(0.0)
    clock.foot_phase.copy_(torch.tensor([[0.2, 0.7], [0.2, 0.7]]))
    standing, stepping = env.rewards.terms["gait"]().tolist()
    assert stepping > standing
    assert env.rewards.terms["marching"]().tolist() == [0.0, 0.0]


def test_feet_may_come_as_near_as_their_share_of_the_pose_and_pay_beyond():
    env = velocity_env(2)
    feet = env.robot.site_pos_w[:, env.rewards.terms["foot_crowding"].params["feet"].index]
    pose = float((feet[0, 0] - feet[0, 1])[:2].norm())
    for share, cost in ((1.0, 0.0), (0.7, 0.0), (0.35, 0.5), (0.0, 1.0)):
        feet[:, 1] = feet[:, 0] + torch.tensor([share * pose, 0.0, 0.3])
        assert env.rewards.terms["foot_crowding"]().tolist() == pytest.approx([cost, cost], abs=1e-4)


def test_feet_that_begin_one_above_the_other_may_be_near():
    feet = Sites(("foot", "foot above"), (0, 1), index=slice(0, 2))
    robot = SimpleNamespace(site_pos_w=torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.3]]]).expand(2, 2, 3).contiguous())
    robot.pos_of_sites_w = lambda feet: robot.site_pos_w
    env = SimpleNamespace(robot=robot, num_envs=2, device="cpu", zeros=torch.zeros)
    terms = [make(env, feet) for make in (FootCrowding, VERSIONS[FootCrowding])]
    robot.site_pos_w[1, 1, 0] = 0.01
    assert [term(env).tolist() for term in terms] == [[0.0, 0.0]] * 2


def test_the_pose_reward_is_best_at_the_pose_and_looser_when_walking():
    def quiet(config):
        config.env.events = {}
        config.env.actions["joint_pos"].lift = 0.0

    env = velocity_env(2, edit=quiet)
    pose = env.rewards.terms["pose"]
    env.commands.terms["twist"].fix(env.worlds(None, torch.tensor([0])), torch.zeros(3))
    env.commands.terms["twist"].fix(env.worlds(None, torch.tensor([1])), torch.tensor([0.5, 0.0, 0.0]))
    assert torch.allclose(pose(), torch.ones(2), atol=1e-4)
    bent = (env.robot.default_joint_pos + 0.1).expand(2, -1)
    env.robot.write_joints(env.all_worlds, bent, torch.zeros_like(bent))
    standing, walking = pose().tolist()
    assert standing < walking < 1.0


def test_a_robot_that_shuffles_on_its_knees_has_fallen_in_an_evaluation():
    """Upright, and on its feet now and then: what an untrained quadruped does when it is commanded to walk."""
    installed("go1")

    def judged(config):
        session = open_session("go1", "velocity", core=core_terms)
        config.env = evaluation_config(config, session, Options(num_envs=2), session.task().evaluation).env

    env = velocity_env(2, robot="go1", edit=judged)
    env.commands.terms["twist"].fix(env.all_worlds, torch.tensor([0.5, 0.0, 0.0]))
    env.reset()
    reasons = torch.zeros(len(env.terminations.names), 2, dtype=torch.bool)
    for _ in range(150):
        env.step(torch.zeros(2, env.num_actions))
        reasons |= env.terminations.reasons
    assert dict(zip(env.terminations.names, reasons.all(1).tolist(), strict=True)) == {
        "time_out": False,
        "fell_over": False,
        "touched_ground": True,
        "unstable": False,
    }


def test_a_policy_does_not_fit_a_robot_that_has_learnt_another_gait_since():
    """The settings say "as the robot does", so a checkpoint has to say what that was."""
    env = velocity_env()
    trained = describe_env(env)
    assert trained["meaning"]["commands.gait.frequency"] == pytest.approx(env.gait.frequency)
    env.commands.terms["gait"].config.frequency = 3.5
    run = SimpleNamespace(name="then", info={})
    with pytest.raises(BrokenRun, match=r"commands\.gait\.frequency was .*, is 3\.5"):
        check_layout(trained, describe_env(env), run)
    env.gait = attrs.evolve(env.gait, offsets=(0.0, 0.25))
    with pytest.raises(BrokenRun, match=r"gait\.offsets was \[0\.0, 0\.5\]"):
        check_layout(trained, describe_env(env), run)


def test_the_plugin_is_found_by_its_name():
    assert find_plugin("task", "velocity").dist == "mjsdk-task-velocity"
