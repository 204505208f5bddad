import math

import pytest
import torch
from torch.distributions import Distribution, Normal

from mjsdk.errors import BrokenRun, Diverged, HookError, RenderError, StorageError
from mjsdk.learn import checkpoints
from mjsdk.learn import trainer as trainer_module
from mjsdk.learn.interrupts import Interrupt
from mjsdk.learn.report import Dispensable
from mjsdk.learn.trainer import as_tensordict


class Curve:
    """Keeps what is the same whenever the same training is run again."""

    def __init__(self):
        self.rows = []

    def iteration(self, report):
        self.rows.append({name: value for name, value in report.row().items() if not name.startswith("time/")})

    def close(self):
        pass


class Failing:
    def iteration(self, report):
        if report.iteration == 3:
            raise StorageError("cannot write metrics.jsonl: No space left on device.")

    def close(self):
        pass


def train(trainer, until, **options):
    curve = Curve()
    reason = trainer.learn(until, watchers=[curve], **options)
    return curve.rows, reason


def test_the_same_seed_gives_the_same_curve_and_the_same_weights(lab):
    one = lab.start()
    curve = train(one, 3)
    two = lab.start()
    assert train(two, 3) == curve
    for a, b in zip(one.algorithm.actor.parameters(), two.algorithm.actor.parameters(), strict=True):
        assert torch.equal(a, b)


def test_another_seed_gives_another_curve(lab):
    one = train(lab.start(), 1)
    lab.config.agent.seed = 2
    assert train(lab.start(seed=2), 1) != one


@pytest.mark.parametrize("kind", ["mlp", "gru", "lstm"])
def test_a_resumed_training_goes_on_exactly_as_if_it_had_not_stopped(lab, kind):
    for network in (lab.config.agent.actor, lab.config.agent.critic):
        network.class_name = kind
    whole, _ = train(lab.start(), 6)
    stopped = lab.start()
    first, _ = train(stopped, 3)
    second, _ = train(lab.resume(stopped.run), 6)
    assert first + second == whole
    assert [row["iteration"] for row in second] == [4, 5, 6]


def test_resuming_in_the_middle_repeats_what_came_after(lab):
    trainer = lab.start()
    rows, _ = train(trainer, 5)
    assert train(lab.resume(trainer.run, iteration=2), 5)[0] == rows[2:]


def test_the_learning_rate_of_the_adaptive_schedule_and_the_totals_are_restored(lab):
    trainer = lab.start()
    train(trainer, 3)
    again = lab.resume(trainer.run)
    assert again.algorithm.learning_rate == trainer.algorithm.learning_rate != 1e-3
    assert (again.iteration, again.timesteps, again.seconds) == (3, trainer.timesteps, trainer.seconds)


def test_learning_raises_the_reward(lab):
    lab.config.agent.num_steps_per_env = 24
    lab.config.agent.algorithm.entropy_coef = 0.0
    rows, _ = train(lab.start(num_envs=64), 25)
    assert rows[-1]["reward/near"] > rows[0]["reward/near"] + 0.05


def test_checkpoints_come_at_the_start_after_the_first_iteration_at_the_interval_and_at_the_end(lab):
    trainer = lab.start()
    train(trainer, 5)
    assert [path.name for path in trainer.run.checkpoints()] == [f"model_{i}.pt" for i in (0, 1, 2, 4, 5)]


def test_a_deadline_ends_the_training_with_a_checkpoint(lab):
    trainer = lab.start()
    assert trainer.learn(100, deadline=0.0) == "time"
    assert trainer.run.newest_checkpoint().name == "model_1.pt"


def test_an_interrupt_ends_the_training_after_the_iteration_with_a_checkpoint(lab):
    trainer = lab.start()
    train(trainer, 2)
    interrupt = Interrupt()
    interrupt(2, None)
    assert trainer.learn(100, interrupt=interrupt) == "interrupt"
    assert trainer.run.newest_checkpoint().name == "model_3.pt"


def test_the_normalisers_know_the_observations_before_the_first_iteration(lab):
    normalizer = lab.start().algorithm.actor.obs_normalizer
    assert normalizer.count == 24 * 8
    assert (normalizer.std != 1).all()


def test_the_warm_up_leaves_the_environment_as_a_fresh_one(lab):
    trainer = lab.start()
    assert int(trainer.env.steps) == 0
    assert trainer.env.log_iteration() == {"reward/near": 0.0}


def test_the_storage_keeps_only_the_groups_that_networks_see(lab):
    trainer = lab.start()
    assert set(trainer.algorithm.storage.observations.keys()) == {"actor", "critic"}
    assert set(as_tensordict(trainer.env.get_observations()).keys()) == {"actor", "critic"}


def test_time_outs_are_bootstrapped_and_failures_are_not(lab):
    trainer = lab.start(max_episode_length=1)
    seen = []
    process = trainer.algorithm.process_env_step
    trainer.algorithm.process_env_step = lambda obs, reward, dones, extras: (
        seen.append((dones.clone(), extras["time_outs"].clone())),
        process(obs, reward, dones, extras),
    )
    train(trainer, 1)
    assert all(dones.all() and time_outs.any() for dones, time_outs in seen)


def test_actions_are_clipped_for_the_environment(lab):
    lab.config.agent.clip_actions = 0.25
    trainer = lab.start()
    largest = []
    step = trainer.env.step
    trainer.env.step = lambda actions: largest.append(float(actions.abs().max())) or step(actions)
    train(trainer, 1)
    assert max(largest) == 0.25


def test_an_observation_that_is_not_finite_is_named_and_changes_no_weight(lab):
    trainer = lab.start()
    train(trainer, 1)
    before = [parameter.clone() for parameter in trainer.algorithm.actor.parameters()]
    trainer.env.poison = int(trainer.env.steps) + 3
    with pytest.raises(
        Diverged, match=r"observation 'age' of group 'critic' is infinite in 1 of 8 worlds \(3\) at step 3"
    ):
        train(trainer, 2)
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.algorithm.actor.parameters(), strict=True))
    assert [path.name for path in trainer.run.checkpoints()] == ["model_0.pt", "model_1.pt"]


def test_what_was_learned_is_kept_when_the_worlds_are_spoilt(lab, caplog):
    trainer = lab.start()
    train(trainer, 3)
    trainer.run.checkpoint_path(3).unlink()
    trainer.env.poison = 0
    with pytest.raises(Diverged):
        train(trainer, 4)
    again = lab.resume(trainer.run)
    assert again.iteration == 3
    assert "the worlds start over" in caplog.text
    assert train(again, 4)[0][0]["iteration"] == 4


def test_a_term_that_raises_in_the_middle_loses_no_iteration(lab):
    trainer = lab.start()
    train(trainer, 3)
    trainer.run.checkpoint_path(3).unlink()

    def step(actions):
        raise HookError("env.rewards.near: the term raised ZeroDivisionError")

    trainer.env.step = step
    with pytest.raises(HookError):
        train(trainer, 4)
    assert lab.resume(trainer.run).iteration == 3


def test_a_watcher_that_fails_loses_no_iteration(lab):
    class Camera(Curve):
        def iteration(self, report):
            if report.iteration == 3:
                raise RenderError("no picture")

    trainer = lab.start()
    with pytest.raises(RenderError):
        trainer.learn(4, watchers=[Camera()])
    assert lab.resume(trainer.run).iteration == 3


def test_weights_that_are_not_finite_never_reach_a_checkpoint(lab):
    trainer = lab.start()
    train(trainer, 1)
    update = trainer.algorithm.update

    def diverging():
        losses = update()
        next(trainer.algorithm.actor.parameters()).data[0] = math.nan
        return losses

    trainer.algorithm.update = diverging
    with pytest.raises(Diverged, match=r"a weight of the networks is NaN or infinite.*--preset stable"):
        train(trainer, 2)
    assert trainer.run.newest_checkpoint().name == "model_1.pt"


def test_a_collapsing_noise_stops_at_its_lower_bound(lab):
    lab.config.agent.actor.noise_std_range = [0.3, 10.0]
    trainer = lab.start()
    trainer.algorithm.actor.distribution.std_param.data.fill_(-1.0)
    rows, _ = train(trainer, 1)
    assert rows[0]["policy/mean_std"] == pytest.approx(0.3)


def test_a_full_disk_ends_the_training_and_saves_it_elsewhere(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer_module.tempfile, "gettempdir", lambda: str(tmp_path))
    trainer = lab.start()
    with pytest.raises(StorageError, match=r"(?s)No space left.*Iteration 3 is saved in .*model_3\.pt") as caught:
        trainer.learn(5, watchers=[Failing()])
    assert "newest checkpoint is model_2.pt" in str(caught.value)
    (rescued,) = tmp_path.glob("mjsdk-rescue-*/model_3.pt")
    rescued.rename(trainer.run.checkpoint_path(3))
    assert lab.resume(trainer.run).iteration == 3


def test_another_number_of_worlds_begins_them_anew_and_says_so(lab, caplog):
    trainer = lab.start()
    train(trainer, 2)
    again = lab.resume(trainer.run, num_envs=4)
    assert "the worlds start over, because there were 8 and are 4 now" in caplog.text
    assert train(again, 3)[0][-1]["iteration"] == 3


def test_another_layout_of_observations_cannot_be_resumed(lab, monkeypatch):
    trainer = lab.start()
    monkeypatch.setattr(
        trainer.env.__class__, "observation_slices", {"actor": {"pos": slice(0, 4)}, "critic": {"pos": slice(0, 5)}}
    )
    with pytest.raises(
        BrokenRun, match=r"actor observations without vel, with other sizes or places: pos \(2 then, 4 now\)"
    ):
        lab.resume(trainer.run)


def test_training_leaves_the_checks_of_distributions_as_they_were(lab):
    before = Distribution._validate_args
    train(lab.start(), 1)
    assert Distribution._validate_args is before
    with pytest.raises(ValueError, match="scale"):
        Normal(0.0, -1.0)


# Whatever ends a training, the iterations done are saved


class Once(Curve):
    """Fails at the third iteration."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def iteration(self, report):
        super().iteration(report)
        if report.iteration == 3:
            raise self.error


ENDS = [BrokenPipeError(32, "Broken pipe"), KeyboardInterrupt(), SystemExit(7), RuntimeError("odd"), GeneratorExit()]


@pytest.mark.parametrize("error", ENDS, ids=lambda error: type(error).__name__)
def test_whatever_a_watcher_raises_the_iteration_is_saved_whole(lab, error):
    whole = train(lab.start(), 4)[0]
    trainer = lab.start()
    with pytest.raises(type(error)):
        trainer.learn(4, watchers=[Once(error)])
    assert train(lab.resume(trainer.run), 4)[0] == whole[3:]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(7), RuntimeError("odd")], ids=repr)
@pytest.mark.parametrize("where", ["step", "update"])
def test_what_ends_a_training_in_the_middle_of_an_iteration_loses_only_that(lab, error, where):
    trainer = lab.start()
    train(trainer, 3)
    trainer.run.checkpoint_path(3).unlink()
    owner = trainer.env if where == "step" else trainer.algorithm
    real, calls = getattr(owner, where), []

    def failing(*given):
        calls.append(given)
        if where == "update" or len(calls) == 5:
            raise error
        return real(*given)

    setattr(owner, where, failing)
    with pytest.raises(type(error)):
        train(trainer, 4)
    again = lab.resume(trainer.run)
    assert (again.iteration, again.env.common_step_counter) == (3, 3 * 8)


@pytest.mark.parametrize("error", [*ENDS[:1], *ENDS[2:]], ids=lambda error: type(error).__name__)
def test_a_view_that_fails_is_left_out_and_the_training_goes_on(lab, error, caplog):
    view = Once(error)
    trainer = lab.start()
    assert trainer.learn(5, watchers=[Dispensable(view)]) == "done"
    assert [row["iteration"] for row in view.rows] == [1, 2, 3]
    assert len(caplog.records) == 1
    assert "the training continues without Once, which failed: " in caplog.text


# How far the training is


@pytest.mark.parametrize("worlds", [4, 8, 32])
def test_progress_is_the_learners_however_many_worlds_there_are(lab, worlds):
    trainer = lab.start()
    train(trainer, 3)
    again = lab.resume(trainer.run, num_envs=worlds)
    train(again, 4)
    assert again.env.common_step_counter == 4 * 8
    assert again.timesteps == 3 * 8 * 8 + 8 * worlds


@pytest.mark.parametrize(("spoilt", "steps"), [(False, 7), (True, 3 * 8)])
def test_an_old_checkpoint_has_its_progress_from_its_worlds_or_iterations(lab, spoilt, steps):
    trainer = lab.start()
    train(trainer, 3)
    state = trainer.state_dict()
    del state["infos"]["totals"]["progress"]
    state["infos"] |= {"format": 1, "env": {} if spoilt else {"buffer/env/step_counter": torch.tensor(7)}}
    path = trainer.run.checkpoint_path(3)
    checkpoints.write_checkpoint(path, state)
    again = lab.start(num_envs=4)
    again.load_state_dict(checkpoints.read_checkpoint(trainer.run, path))
    assert again.env.common_step_counter == steps
