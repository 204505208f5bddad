from __future__ import annotations

import pytest

from mjsdk.config import CurriculumTermConfig, SensorConfig, TerminationTermConfig
from mjsdk.errors import ConfigError
from mjsdk.evaluate.setup import FEET_FORCE, Options, evaluation_config
from mjsdk.task import EvaluationConfig


@pytest.fixture
def parts(run):
    session = run.session()
    return run.config(session), session


def test_faithful_physics_keeps_the_control_rate_of_the_training(parts):
    config, session = parts
    config.env.decimation, config.env.sim.timestep, config.env.sim.solver = 1, 0.01, "pgs"
    made = evaluation_config(config, session, Options())
    assert made.env.step_dt == pytest.approx(0.01)
    assert (made.env.decimation, made.env.sim.timestep) == (2, pytest.approx(0.005))
    assert (made.env.sim.solver, made.env.sim.iterations, made.env.sim.ls_iterations) == ("newton", 10, 20)
    assert made.env.scene.collisions == "full"


@pytest.mark.parametrize(
    ("sim", "physics", "solver", "iterations"),
    [
        ("fast", "auto", "pgs", 8),
        ("fast", "warp", "newton", 6),
        ("faithful", "auto", "newton", 10),
        ("faithful", "warp", "newton", 10),
    ],
)
def test_a_run_of_any_physics_can_be_evaluated_on_any_other(parts, sim, physics, solver, iterations):
    config, session = parts
    config.train.physics, config.train.device = "warp", "cuda:7"
    made = evaluation_config(config, session, Options(sim=sim, physics=physics))
    assert (made.env.sim.solver, made.env.sim.iterations) == (solver, iterations)
    assert (made.train.device, made.train.physics) == ("cpu", "cpu" if physics == "auto" else "warp")


def test_a_solver_that_warp_lacks_cannot_be_kept_as_trained(parts):
    config, session = parts
    config.env.sim.solver = "pgs"
    with pytest.raises(ConfigError, match="has no pgs. Legal: cg, newton; --sim faithful and --sim fast") as caught:
        evaluation_config(config, session, Options(sim="as-trained", physics="warp"))
    assert [mistake.path for mistake in caught.value.mistakes] == ["env.sim.solver"]


def test_as_trained_keeps_the_physics(parts):
    config, session = parts
    config.env.sim.iterations = 7
    made = evaluation_config(config, session, Options(sim="as-trained"))
    assert made.env.sim == config.env.sim
    assert made.env.scene.collisions == config.env.scene.collisions


def test_noise_and_events_during_episodes_are_off_unless_asked_for(parts):
    config, session = parts
    made = evaluation_config(config, session, Options())
    assert not made.env.observations["actor"].enable_corruption
    assert list(made.env.events) == ["start"]
    noisy = evaluation_config(config, session, Options(noise=True))
    assert noisy.env.observations["actor"].enable_corruption


def test_what_the_task_counts_as_failing_replaces_the_terminations_of_the_run(parts):
    config, session = parts
    config.env.terminations["gone"] = TerminationTermConfig(func="bad_orientation", params={"limit_angle": 3.0})
    for name, setting in (("strict", "terminations.gone.params.limit_angle"), ("pay", "rewards.alive.weight")):
        config.env.curriculum[name] = CurriculumTermConfig(func="ramp", params={"setting": setting, "start": 1.0})
    assert "gone" in evaluation_config(config, session, Options()).env.terminations
    counted = EvaluationConfig(
        terminations={"tilted": TerminationTermConfig(func="bad_orientation")},
        sensors={"ground": SensorConfig(type="groundcontacts", on="@feet")},
    )
    made = evaluation_config(config, session, Options(), counted)
    assert list(made.env.terminations) == ["tilted"]
    assert "ground" in made.env.scene.sensors
    assert list(made.env.curriculum) == ["pay"]
    assert "gone" in config.env.terminations


def test_the_run_s_own_settings_stay_as_they_were(parts):
    config, session = parts
    evaluation_config(config, session, Options(num_envs=64))
    assert config.env.observations["actor"].enable_corruption
    assert config.env.scene.num_envs == 4
    assert FEET_FORCE not in config.env.scene.sensors
