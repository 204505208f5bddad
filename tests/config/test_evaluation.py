from __future__ import annotations

import pytest

from mjsdk.config import SensorConfig, TerminationTermConfig
from mjsdk.config.settings import compose
from mjsdk.errors import ConfigError
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.task import EvaluationConfig
from mjsdk.testing.worlds import TESTBOT, TESTTASK

FELL = TerminationTermConfig(func="bad_orientation")


def composed(evaluation, sensors=None):
    """Settings of a task that is evaluated so, and has `sensors` itself."""
    session = open_session(TESTBOT, TESTTASK, core=core_terms)
    task = session.task()
    task.evaluation = evaluation
    task.env.scene.sensors.update(sensors or {})
    session.task = lambda: task
    return compose(session).config


def test_what_counts_as_failing_is_no_part_of_the_settings():
    sensors = {"ground": SensorConfig(type="groundcontacts", on="@feet")}
    config = composed(EvaluationConfig(terminations={"tilted": FELL}, sensors=sensors))
    assert "tilted" not in config.env.terminations
    assert "ground" not in config.env.scene.sensors


def test_mistakes_in_it_are_reported_before_a_training_all_at_once_and_are_the_tasks():
    touched = TerminationTermConfig(
        func="illegal_contact", params={"whole_sensor": "grund", "allowed_sensor": "ground", "longest_s": "much"}
    )
    mistaken = EvaluationConfig(
        terminations={"tilted": TerminationTermConfig(func="bad_orientatoin"), "touched": touched},
        sensors={
            "ground": SensorConfig(type="groundcontact", on="@feet"),
            "toes": SensorConfig(type="gyro", on="@toe"),
        },
    )
    with pytest.raises(ConfigError) as error:
        composed(mistaken)
    text = str(error.value)
    for part in (
        "evaluation.terminations.tilted.func: no termination term 'bad_orientatoin', did you mean 'bad_orientation'",
        "evaluation.terminations.touched.params.whole_sensor: there is no sensor 'grund', did you mean 'ground'",
        "evaluation.terminations.touched.params.longest_s",
        "evaluation.sensors.ground.type: no choice 'groundcontact', did you mean 'groundcontacts'",
        "evaluation.sensors.toes.on: no role 'toe'",
        "This comes from task",
    ):
        assert part in text


def test_its_sensors_need_names_of_their_own():
    gyro = {"gyro": SensorConfig(type="gyro", on="@imu")}
    evaluation = EvaluationConfig(terminations={"tilted": FELL}, sensors=gyro)
    with pytest.raises(ConfigError, match=r"evaluation\.sensors\.gyro: there is a sensor of that name"):
        composed(evaluation, gyro)


@pytest.mark.parametrize(
    "wrong",
    [
        {"terminations": {}},
        {"terminations": {"late": TerminationTermConfig(func="time_out", time_out=True)}},
        {"terminations": {"tilted": {"func": "bad_orientation"}}},
        {"terminations": {"tilted": FELL}, "sensors": ["ground"]},
    ],
)
def test_one_that_counts_nothing_or_is_of_another_kind_cannot_be_made(wrong):
    with pytest.raises((TypeError, ValueError)):
        EvaluationConfig(**wrong)
