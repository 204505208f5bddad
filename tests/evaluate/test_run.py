from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from mjsdk.errors import ConfigError, UnknownRun
from mjsdk.evaluate.commands import STANDARD
from mjsdk.evaluate.run import evaluate_run
from mjsdk.evaluate.setup import Options
from mjsdk.learn import checkpoints
from mjsdk.learn.checkpoints import read_checkpoint, write_checkpoint
from mjsdk.play import make_show
from mjsdk.runs import Run


def evaluate(run, **options):
    return evaluate_run(run, Options(num_envs=8, horizon_s=1.5, **options)).data


@pytest.fixture(scope="module")
def data(run):
    return evaluate(run)


def test_errors_are_the_distances_between_commanded_and_actual_velocity(data):
    """The glider moves with 0.3 m/s whatever it is commanded."""
    errors = {tuple(row["command"]): row["lin_vel_error"] for row in data["commands"]}
    for command, error in errors.items():
        assert error == pytest.approx(((command[0] - 0.3) ** 2 + command[1] ** 2) ** 0.5, abs=0.02)
    assert data["metrics"]["lin_vel_error"] == pytest.approx(sum(errors.values()) / 8, abs=1e-6)
    yaw = {tuple(row["command"]): row["ang_vel_error"] for row in data["commands"]}
    assert yaw[0, 0, 0.8] == pytest.approx(0.8, abs=0.02)


def test_mean_velocities_are_what_the_robot_did(data):
    for row in data["commands"]:
        assert row["mean_velocity"] == pytest.approx([0.3, 0.0, 0.0], abs=0.03)


def test_every_command_has_the_same_number_of_worlds(run):
    data = evaluate_run(run, Options(num_envs=9, horizon_s=0.1)).data
    assert data["episodes"] == 16
    assert [row["episodes"] for row in data["commands"]] == [2] * len(STANDARD)


def test_all_survive_their_time_and_are_paid_for_it(data):
    assert data["fall_rate"] == 0.0
    assert data["survival"]["rate"] == 1.0
    assert data["survival"]["low"] == pytest.approx(0.025 ** (1 / 8))
    assert data["mean_episode_length_s"] == pytest.approx(1.5)
    assert data["mean_reward"] == pytest.approx(1.5)


def test_standing_is_judged_by_speed_and_by_feet_on_the_ground(data):
    assert data["standing"]["mean_base_speed"] == pytest.approx(0.3, abs=0.02)
    assert data["standing"]["feet_on_ground"] == 0.0
    assert data["metrics"]["foot_slip"] is None


def test_the_same_seed_gives_the_same_numbers_and_another_one_the_same_robot(run, data):
    assert evaluate(run) == data
    assert evaluate(run, seed=2)["seed"] == 2


def test_the_training_s_pushes_are_left_out_and_ours_come_when_asked_for(run, data):
    pushed = evaluate(run, push=True)
    assert pushed["push"]
    assert 0 < pushed["pushes"]["count"] <= 8  # of those 1.5 s the first is left alone
    assert pushed["pushes"]["recovered"] == 1.0
    assert abs(pushed["standing"]["mean_base_speed"] - data["standing"]["mean_base_speed"]) < 0.5  # not 9 m/s
    assert pushed["commands"] != data["commands"]


def test_a_world_that_fails_is_a_fall_with_a_short_life(run, monkeypatch):
    from mjsdk.evaluate import run as module

    original = module.evaluation_config

    def sinking(*args):
        config = original(*args)
        config.env.events["start"].params["velocity_range"] = {"z": [-4.0, -4.0]}
        return config

    monkeypatch.setattr(module, "evaluation_config", sinking)
    data = evaluate(run)
    assert data["fall_rate"] == 1.0
    assert data["mean_episode_length_s"] == pytest.approx(0.26, abs=0.03)  # 1 m at 4 m/s
    assert data["survival"]["high"] < 0.4
    assert data["metrics"]["lin_vel_error"] is not None


def test_a_task_without_a_velocity_command_runs_under_its_own(run, monkeypatch):
    from mjsdk.mdp.commands import UniformVelocity

    monkeypatch.setattr(UniformVelocity, "quantity", "")
    data = evaluate(run)
    assert "commands" not in data
    assert data["metrics"]["lin_vel_error"] is None
    assert data["mean_reward"] == pytest.approx(1.5)
    assert not data["standard_commands"]


def test_unknown_physics_and_checkpoints_name_the_legal_ones(run):
    with pytest.raises(ConfigError, match=r"'faithfull', did you mean 'faithful'.*Legal: faithful, fast, as-trained"):
        evaluate(run, sim="faithfull")
    with pytest.raises(UnknownRun, match=r"no checkpoint 'model_7.pt'.*model_0.pt"):
        evaluate_run(run, Options(num_envs=8), checkpoint="model_7.pt")


@pytest.mark.parametrize(("tells", "steps"), [(True, 288), (False, 5 * 8)])
def test_an_evaluation_is_as_far_along_as_the_checkpoint_or_its_iterations_if_that_does_not_tell(
    run, tmp_path, monkeypatch, tells, steps
):
    monkeypatch.setattr(checkpoints, "misfit_of_learner", lambda _: "")  # its learner has not done five iterations
    copy = Run(Path(shutil.copytree(run.path, tmp_path / "copy")))
    state = read_checkpoint(copy, copy.newest_checkpoint())
    state["iter"] = 5
    state["infos"]["totals"] = {"timesteps": 1, "seconds": 1.0}
    if tells:
        counters = ("env/step_counter", "curriculum/looked_at")
        state["infos"]["totals"]["progress"] = {name: torch.tensor(288) for name in counters}
    state["infos"] |= {"env": {}, "shapes": {}, "format": 2 if tells else 1}
    write_checkpoint(copy.checkpoint_path(5), state)
    assert copy.config_data["agent"]["num_steps_per_env"] == 8
    assert make_show(copy, Options(num_envs=1), None, None).env.common_step_counter == steps
