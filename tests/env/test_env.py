from __future__ import annotations

import pytest
import torch

from mjsdk import ops
from mjsdk.config import CurriculumTermConfig, NoiseConfig, ObservationTermConfig, RewardTermConfig
from mjsdk.errors import ConfigError, HookError, PhysicsError
from mjsdk.mdp import compiled
from mjsdk.mdp import curriculum as curricula
from mjsdk.mdp.rewards import upright
from mjsdk.ops.compiled import Filled
from mjsdk.ops.loop import Loop
from mjsdk.testing.worlds import small_env


@pytest.fixture(params=[True, False], ids=["loops", "tensors"])
def _either_way(request, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", request.param)


loops_or_tensors = pytest.mark.usefixtures("_either_way")


def actions(env, seed=0):
    return torch.randn(env.num_envs, env.num_actions, generator=torch.Generator().manual_seed(seed)) * 0.5


def rollout(env, steps, seed=0):
    return [env.step(actions(env, seed + i)) for i in range(steps)]


def test_shapes_follow_the_number_of_worlds():
    for num_envs in (1, 5, 64):
        env = small_env(num_envs)
        obs, reward, terminated, truncated, _extras = env.step(actions(env))
        assert obs["actor"].shape == (num_envs, env.observation_dims["actor"])
        assert reward.shape == terminated.shape == truncated.shape == (num_envs,)


def test_the_same_seed_gives_the_same_rollout_and_another_seed_another():
    first, same, other = (rollout(small_env(seed=seed), 30)[-1][0]["actor"] for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@loops_or_tensors
def test_an_episode_ends_when_its_time_is_up_and_begins_anew():
    env = small_env()
    ends = [step[3] for step in rollout(env, 21)]
    assert not torch.stack(ends[:19]).any()
    assert ends[19].all()
    assert env.episode_length_buf.tolist() == [1] * env.num_envs


def test_staggered_worlds_do_not_end_all_at_once():
    env = small_env(64)
    env.stagger_episodes()
    ended = sum(int(step[3].sum()) for step in rollout(env, 5))
    assert 0 < ended < 64


def test_a_fall_is_no_time_out():
    env = small_env(edit=lambda c: c.env.terminations["fell_over"].params.update(limit_angle=0.0001))
    _obs, _reward, terminated, truncated, extras = env.step(actions(env))
    assert terminated.all()
    assert not truncated.any()
    assert not extras["time_outs"].any()


def test_observations_of_one_step_outlive_the_next():
    env = small_env()
    first = env.step(actions(env))[0]["actor"]
    kept = first.clone()
    second = env.step(actions(env, 1))[0]["actor"]
    assert torch.equal(first, kept)
    assert not torch.equal(first, second)


def test_getting_observations_again_computes_nothing():
    env = small_env()
    obs = env.step(actions(env))[0]["actor"]
    assert env.get_observations()["actor"].data_ptr() == obs.data_ptr()


@loops_or_tensors
def test_going_on_from_a_saved_state_is_exact():
    def edit(config):
        terms = config.env.observations["actor"].terms
        terms["joint_vel"] = ObservationTermConfig(
            func="joint_vel", noise=NoiseConfig(scale=0.1), delay_max_lag=2, history_length=3
        )
        config.env.observations["actor"].enable_corruption = True

    env, other = small_env(16, edit=edit), small_env(16, edit=edit, seed=5)
    rollout(env, 33)
    saved = env.state_dict()
    expected = rollout(env, 33, seed=100)
    other.load_state_dict(saved)
    assert torch.equal(other.get_observations()["actor"], saved["last/actor"])
    for ours, theirs in zip(rollout(other, 33, seed=100), expected, strict=True):
        assert torch.equal(ours[0]["actor"], theirs[0]["actor"])
        assert torch.equal(ours[1], theirs[1])


def test_state_tensors_are_views_of_the_physics_memory():
    env = small_env()
    memory = env.physics.bind("qpos")
    assert env.robot.joint_pos.data_ptr() == memory[:, 7:].data_ptr()
    assert env.robot.root_pos_w.data_ptr() == memory.data_ptr()


@loops_or_tensors
def test_the_log_gives_true_means_over_steps_and_worlds():
    env = small_env(8)
    env.log_iteration()
    rewards = torch.stack([step[1] for step in rollout(env, 10)])
    log = env.log_iteration()
    total = sum(value for name, value in log.items() if name.startswith("reward/"))
    assert total * env.step_dt == pytest.approx(float(rewards.mean()), rel=1e-5)
    assert "train/mean_reward" not in log


@loops_or_tensors
def test_the_log_counts_ended_episodes_and_why():
    env = small_env(8)
    rewards = torch.stack([step[1] for step in rollout(env, 20)]).sum(0)
    log = env.log_iteration()
    assert log["train/episodes"] == 8
    assert log["train/mean_episode_length_s"] == pytest.approx(0.4)
    assert log["train/mean_reward"] == pytest.approx(float(rewards.mean()), rel=1e-5)
    assert log["termination/time_out"] == 1.0
    assert log["metrics/fall_rate"] == 0.0
    assert log["termination/unstable"] == 0.0


@loops_or_tensors
def test_a_world_that_blows_up_ends_its_episode_without_reward_every_time():
    env = small_env(4)
    for _ in range(2):
        env.physics.write("qvel", torch.full((env.model.nv,), 1e12), env.worlds(None, torch.tensor([2])))
        obs, reward, terminated, _truncated, _extras = env.step(actions(env))
        assert terminated.tolist() == [False, False, True, False]
        assert torch.isfinite(obs["actor"]).all()
        assert reward[2] == 0.0
        assert (reward[[0, 1, 3]] > 0.0).all()
        assert not env.step(actions(env))[2].any()
    assert env.log_iteration()["termination/unstable"] == 1.0


def test_worlds_that_blow_up_in_every_step_do_not_fill_the_screen(caplog):
    env = small_env(4)
    for _ in range(100):
        env.physics.write("qvel", torch.full((4, env.model.nv), 1e12))
        env.step(actions(env))
        env.log_iteration()
    said = [record.getMessage() for record in caplog.records]
    assert 2 <= len(said) < 10
    assert "unstable in 4 episodes (4 so far)" in said[0]
    assert "unstable in 4 episodes (256 so far)" in said[-1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reward_that_is_not_finite_is_an_error_at_once_with_loops(value, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", True)
    env = small_env(4)
    env.rewards.terms["upright"].call = lambda: torch.tensor([1.0, value, 1.0, value])
    with pytest.raises(PhysicsError, match="reward term 'upright' is NaN or infinite in 2 of 4 worlds at step 1,"):
        env.step(actions(env))


def test_a_reward_that_is_not_finite_is_an_error_with_the_iteration_without_loops(monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", False)
    env = small_env(4)
    env.rewards.terms["upright"].call = lambda: torch.tensor([1.0, float("nan"), 1.0, 1.0])
    assert env.step(actions(env))[1].isfinite().all()
    with pytest.raises(PhysicsError, match="reward term 'upright' is NaN or infinite in 1 of 4 worlds at step 1,"):
        env.log_iteration()


def test_values_of_several_steps_that_are_not_finite_are_counted_as_such(monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", False)
    env = small_env(4)
    env.rewards.terms["upright"].call = lambda: torch.tensor([1.0, float("nan"), 1.0, 1.0])
    for _ in range(3):
        env.step(actions(env))
    with pytest.raises(PhysicsError, match="is NaN or infinite in 3 of 12 values of 3 steps, although"):
        env.log_iteration()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_setting_cannot_become_a_number_that_is_not_finite(value):
    env = small_env(2)
    with pytest.raises(ValueError, match="the setting env.rewards.upright.weight cannot become"):
        env.set_setting("rewards.upright.weight", value)


@pytest.mark.parametrize("shape", [(), (2,), (2, 1), (2, 3)])
def test_rows_of_another_width_are_refused_rather_than_written_to_some_of_the_parts(shape):
    env = small_env(2)
    before, good = env.physics.state_dict()["state"], torch.zeros(2, 2)
    for pos, vel in ((torch.zeros(shape), good), (good, torch.zeros(shape))):
        with pytest.raises(ValueError, match=r"of joints must have the shape \(rows, 2\), not "):
            env.robot.write_joints(env.all_worlds, pos, vel)
    with pytest.raises(ValueError, match=r"orientations of the base must have the shape \(rows, 7\), not "):
        env.robot.write_base(env.all_worlds, torch.zeros(2, 8), torch.zeros(2, 6))
    assert torch.equal(env.physics.state_dict()["state"], before)


def test_rewards_can_be_floored_at_zero():
    def edit(config):
        config.env.rewards["action_rate"].weight = -1e6
        config.env.only_positive_rewards = True

    assert (small_env(edit=edit).step(actions(small_env()))[1] == 0.0).all()


def test_a_weight_of_zero_switches_a_term_off():
    env = small_env(edit=lambda c: setattr(c.env.rewards["upright"], "weight", 0.0))
    assert list(env.rewards.terms) == ["action_rate"]


def test_a_setting_changes_while_training_goes_on():
    env = small_env()
    env.set_setting("rewards.upright.weight", 0.0)
    env.step(actions(env))
    assert env.log_iteration()["reward/upright"] == 0.0


def curriculum(func, **params):
    def edit(config):
        config.env.curriculum["changing"] = CurriculumTermConfig(func=func, params=params)

    return edit


def test_a_curriculum_goes_through_its_stages():
    stages = [{"step": 0, "value": 1.0}, {"step": 30, "value": 3.0}]
    env = small_env(edit=curriculum("stages", setting="rewards.upright.weight", stages=stages))
    rollout(env, 20)
    before = env.log_iteration()
    rollout(env, 21)
    rollout(env, 20)
    after = env.log_iteration()
    assert (before["curriculum/changing"], after["curriculum/changing"]) == (0.0, 1.0)
    assert after["reward/upright"] > before["reward/upright"]


STAGES = [{"step": 0, "value": 1.0}, {"step": 30, "value": 3.0}, {"step": 90, "value": 9.0}]


def test_progress_moves_to_another_number_of_worlds_with_the_curriculum_and_what_it_logs():
    env, other = (
        small_env(count, edit=curriculum("stages", setting="rewards.upright.weight", stages=STAGES))
        for count in (4, 12)
    )
    rollout(env, 41)  # two episodes of twenty steps end
    other.load_progress(env.progress())
    assert (other.common_step_counter, other.config.rewards["upright"].weight) == (41, 3.0)
    assert other.curriculum.values == {"changing": 1.0}


class Counting:
    """A curriculum that goes by what it has seen, which is in buffers of its own: ends of episodes, and calls."""

    def __init__(self, env):
        self.level, self.calls = env.buffers.new("curriculum/level"), env.buffers.new("curriculum/calls")

    def __call__(self, env, worlds):
        self.calls += 1.0
        self.level += worlds.mask.any()
        env.set_setting("rewards.upright.weight", float(self.level))
        return self.level


def counting(config):
    config.env.curriculum["changing"] = CurriculumTermConfig(func="counting")


@loops_or_tensors
def test_what_a_curriculum_remembers_is_part_of_the_progress_and_restoring_it_does_not_count(monkeypatch):
    monkeypatch.setitem(curricula.TERMS, "counting", Counting)
    env, other, same = (small_env(count, edit=counting) for count in (4, 12, 4))
    rollout(env, 41)
    other.load_progress(env.progress())
    same.load_state_dict(env.state_dict())
    assert env.progress()["curriculum/level"] == 3.0  # the first reset and two ends of episodes
    assert same.progress() == other.progress() == env.progress()


def test_progress_that_another_curriculum_does_not_know_is_left_out():
    env = small_env()
    env.load_progress({"env/step_counter": torch.tensor(7), "curriculum/level": torch.ones(3), "odd": torch.ones(1)})
    assert env.common_step_counter == 7


def test_a_curriculum_can_switch_a_reward_on():
    def edit(config):
        config.env.rewards["action_rate"].weight = 0.0
        stages = [{"step": 0, "value": 0.0}, {"step": 20, "value": -1.0}]
        curriculum("stages", setting="rewards.action_rate.weight", stages=stages)(config)

    env = small_env(edit=edit)
    rollout(env, 20)
    assert env.log_iteration()["reward/action_rate"] == 0.0
    rollout(env, 20)
    assert env.log_iteration()["reward/action_rate"] < 0.0


def test_going_on_in_the_middle_of_a_ramp_is_exact():
    params = {"setting": "rewards.upright.weight", "start": 0.0, "end": 5.0, "first_step": 0, "last_step": 60}
    env, other = (small_env(edit=curriculum("ramp", **params)) for _ in range(2))
    rollout(env, 33)
    other.load_state_dict(env.state_dict())
    for ours, theirs in zip(rollout(other, 15, seed=50), rollout(env, 15, seed=50), strict=True):
        assert torch.equal(ours[1], theirs[1])


@pytest.mark.parametrize(
    "setting", ["scene.num_envs", "events.reset_joints.params.position_range", "actions.joint_pos.scale"]
)
def test_a_setting_that_is_read_only_once_cannot_change_later(setting):
    with pytest.raises(ConfigError, match=f"env.{setting}: cannot change during training"):
        small_env(edit=curriculum("stages", setting=setting, stages=[{"step": 0, "value": 1}]))


@pytest.mark.parametrize("stages", [[], [{"steps": 0, "value": 1.0}], [{"step": 5, "value": 1.0}], ["now"]])
def test_stages_that_make_no_sense_are_an_error(stages):
    with pytest.raises(ConfigError, match="stages"):
        small_env(edit=curriculum("stages", setting="rewards.upright.weight", stages=stages))


def test_a_state_of_other_settings_does_not_fit():
    env, more = (
        small_env(),
        small_env(
            edit=curriculum("ramp", setting="rewards.upright.weight", start=0.0, end=1.0, first_step=0, last_step=9)
        ),
    )
    other = small_env(edit=lambda c: c.env.rewards.pop("action_rate"))
    later = small_env(seed=3)
    later.robot.body_quat_w.clone()
    assert env.fits(later.state_dict())
    assert not env.fits(other.state_dict())
    assert not env.fits(small_env(5).state_dict())
    assert env.fits(more.state_dict())


def test_a_reset_from_outside_begins_new_sums():
    env = small_env()
    rollout(env, 10)
    env.reset()
    rollout(env, 20)
    assert env.log_iteration()["train/mean_episode_length_s"] == pytest.approx(0.4)


def test_spaces_tell_the_shapes_of_one_world():
    env = small_env()
    assert env.action_space.shape == (2,)
    assert env.observation_space["actor"].shape == (env.observation_dims["actor"],)


def test_a_term_of_the_wrong_shape_is_an_error_that_names_it():
    env = small_env()
    env.rewards.terms["upright"].call = lambda: torch.zeros(3, 3)
    gave = r"upright gave a float32 tensor of shape \(3, 3\) on cpu; it must give a dense float tensor of shape \(4,\)"
    with pytest.raises(HookError, match=gave):
        env.step(actions(env))


def test_a_parameter_that_no_term_takes_and_one_that_is_missing_are_errors():
    def edit(config):
        config.env.rewards["bad"] = RewardTermConfig(func="base_height_l2", weight=1.0, params={"tarjet": 1.0})

    with pytest.raises(ConfigError) as error:
        small_env(edit=edit)
    assert "env.rewards.bad.params.tarjet" in str(error.value)
    assert "env.rewards.bad.params.target" in str(error.value)


@pytest.mark.parametrize("error", [ZeroDivisionError("oh no"), SystemExit(0)])
def test_a_term_that_raises_is_named_with_the_place(error):
    def bad():
        raise error

    env = small_env()
    env.rewards.terms["upright"].call = bad
    with pytest.raises(HookError, match=r"env.rewards.upright: the term upright raised .*test_env.py:\d+"):
        env.step(actions(env))


def bad_loop(out):
    out.no_such_thing()


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        (lambda env, std: Filled(env, Loop(bad_loop)), "raised Typing"),
        (lambda env, std: 1 / 0, "raised ZeroDivisionError"),
        (lambda env, std: 5, "raised TypeError"),
        (lambda env, std: lambda env: None, "gave None; it must give a dense float tensor"),
    ],
)
def test_a_compiled_version_that_cannot_be_used_is_named_with_its_term(maker, reason, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", True)
    monkeypatch.setitem(compiled.VERSIONS, upright, maker)
    with pytest.raises(HookError, match=f"env.rewards.upright: the term upright {reason}"):
        small_env()


def test_a_curriculum_leaves_the_configuration_alone_that_the_environment_was_made_from():
    given = []

    def edit(config):
        curriculum("ramp", setting="rewards.upright.weight", start=7.0, first_step=100, last_step=200)(config)
        given.append(config)

    env = small_env(edit=edit)
    own = given[0].env.rewards["upright"].weight
    assert env.config.rewards["upright"].weight == 7.0
    assert own != 7.0
    env.common_step_counter = 200
    env.reset()
    assert env.config.rewards["upright"].weight == own
