"""What happens as episodes begin, in order: curriculum, start state, events, commands, what derives from the state."""

from __future__ import annotations

import pytest
import torch

from mjsdk import ops
from mjsdk.config import CommandTermConfig, CurriculumTermConfig, EventTermConfig
from mjsdk.env import CommandTerm
from mjsdk.env.rotations import quat_from_euler
from mjsdk.mdp import commands, curriculum, events
from mjsdk.testing.worlds import small_env


@pytest.fixture(params=[True, False], ids=["loops", "tensors"], autouse=True)
def _either_way(request, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", request.param)


def zeros(env):
    return torch.zeros(env.num_envs, env.num_actions)


def end(env, *ids):
    """Let the time of some worlds be up, and take a step."""
    env.episode_length_buf[list(ids)] = env.max_episode_length
    return env.step(zeros(env))


def raise_starts(env, worlds):
    """A curriculum that lets world i start i / 10 m above 1 m."""
    heights = 1.0 + torch.arange(env.num_envs) / 10.0
    env.physics.write_start("qpos", worlds.take(heights).unsqueeze(1), worlds, 2)
    note("curriculum", env, worlds)
    return heights.mean()


class Lying(CommandTerm):
    """A command that lays the robot on its side, 3 m up, as episodes begin."""

    size = 1

    def compute(self, dt):
        pass

    def reset(self, worlds):
        note("command", self.env, worlds)
        pos = torch.tensor([[0.0, 0.0, 3.0]]).expand(worlds.rows, -1)
        quat = quat_from_euler(*(torch.full((worlds.rows,), angle) for angle in (torch.pi / 2, 0.0, 0.0)))
        self.env.robot.write_root(worlds, pos, quat, *torch.zeros(2, worlds.rows, 3))


NOTES: list[tuple[str, list[int], list[float]]] = []


def note(what, env, worlds):
    """Who acts on which worlds, and how high all of them are then."""
    NOTES.append((what, worlds.ids.tolist(), env.robot.root_pos_w[:, 2].tolist()))


@pytest.fixture
def terms(monkeypatch):
    NOTES.clear()
    monkeypatch.setitem(curriculum.TERMS, "higher", raise_starts)
    monkeypatch.setitem(commands.TERMS, "lying", Lying)
    monkeypatch.setitem(events.TERMS, "note", lambda env, worlds: note("event", env, worlds))


def higher(config):
    config.env.events = {"note": EventTermConfig(func="note")}
    config.env.curriculum["height"] = CurriculumTermConfig(func="higher")


def lying(config):
    higher(config)
    del config.env.terminations["fell_over"]
    config.env.commands["lie"] = CommandTermConfig(func="lying")


def test_the_order(terms):
    env = small_env(3, edit=lying)
    for _ in range(3):
        env.step(zeros(env))
    NOTES.clear()
    end(env, 0, 2)
    assert [(what, ids) for what, ids, _ in NOTES] == [(what, [0, 2]) for what in ("curriculum", "event", "command")]
    before, at_event, at_command = (heights for _, _, heights in NOTES)
    assert before[0] == before[2] != pytest.approx(1.0)
    assert at_event == at_command == [pytest.approx(1.0), before[1], pytest.approx(1.2)]


def test_what_derives_from_the_state_is_that_of_the_state_that_a_command_set(terms):
    env = small_env(3, edit=lying)
    trunk, where = env.model.body("trunk").id, env.observation_slices["actor"]["projected_gravity"]
    for _ in range(3):
        env.step(zeros(env))
    assert (env.robot.body_pos_w[:, trunk, 2] < 3.0).all()
    obs = end(env, 0, 2)[0]["actor"]
    assert env.robot.body_pos_w[[0, 2], trunk, 2].tolist() == [3.0, 3.0]
    assert env.robot.body_pos_w[1, trunk, 2] < 3.0
    torch.testing.assert_close(env.robot.projected_gravity_b[0], torch.tensor([0.0, -1.0, 0.0]))
    assert torch.equal(obs[:, where], env.robot.projected_gravity_b)


def test_each_world_starts_where_the_curriculum_says(terms):
    env = small_env(4, edit=higher)
    heights = torch.tensor([1.0, 1.1, 1.2, 1.3])
    torch.testing.assert_close(env.robot.root_pos_w[:, 2], heights)
    for _ in range(5):
        env.step(zeros(env))
    end(env, 1, 3)
    torch.testing.assert_close(env.robot.root_pos_w[[1, 3], 2], heights[[1, 3]])
    assert (env.robot.root_pos_w[[0, 2], 2] < heights[[0, 2]] - 1e-3).all()


def test_an_event_moves_the_base_from_the_start_of_its_world(terms):
    def edit(config):
        higher(config)
        params = {"pose_range": {"z": [0.5, 0.5], "x": [0.0, 1.0]}, "velocity_range": {}}
        config.env.events["root"] = EventTermConfig(func="reset_root_state_uniform", params=params)

    env = small_env(4, edit=edit)
    torch.testing.assert_close(env.robot.root_pos_w[:, 2], torch.tensor([1.5, 1.6, 1.7, 1.8]))
    assert len(env.robot.root_pos_w[:, 0].unique()) == 4


def test_start_states_are_saved_with_the_environment(terms):
    env = small_env(4, edit=higher)
    env.physics.write_start("qpos", torch.tensor([[2.0], [3.0], [4.0], [5.0]]), None, 2)
    saved, other = env.state_dict(), small_env(4, edit=higher, seed=7)
    assert other.fits(saved)
    other.load_state_dict(saved)
    assert other.physics.start_state("qpos")[:, 2].tolist() == [2.0, 3.0, 4.0, 5.0]
    for _ in range(25):  # past the end of the episode
        first, second = (each.step(zeros(each))[0]["actor"] for each in (env, other))
        assert torch.equal(first, second)


def test_start_states_that_come_later_in_training_do_not_keep_a_state_from_fitting():
    env, other = small_env(4), small_env(4, seed=7)
    env.physics.write_start("qpos", torch.tensor([2.0]), env.all_worlds, 2)
    assert other.fits(env.state_dict())
    assert env.fits(other.state_dict())
    other.load_state_dict(env.state_dict())
    assert other.physics.start_state("qpos")[:, 2].tolist() == [2.0] * 4


def test_a_curriculum_may_give_a_tensor_which_is_logged_as_a_number(terms):
    env = small_env(4, edit=higher)
    assert env.log_iteration()["curriculum/height"] == pytest.approx(1.15)
    assert isinstance(env.log_iteration()["curriculum/height"], float)
