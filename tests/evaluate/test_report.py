from __future__ import annotations

import pytest
import torch

from mjsdk.evaluate.commands import Command
from mjsdk.evaluate.episode_statistics import EpisodeStatistics
from mjsdk.evaluate.report import make_report
from mjsdk.evaluate.rollout import Episodes

DT, MASS = 0.5, 10.0
QUANTITIES = {
    "lin_vel_error": [0.0, 0.2],
    "ang_vel_error": [0.0, 0.1],
    "action_change": [0.1, 0.3],
    "speed": [0.0, 2.0],
    "distance": [0.0, 1.0],
    "energy": [7.0, 49.05],
    "grounded": [1.0, 0.0],
    "contacts": [2.0, 1.0],
    "slip": [0.0, 0.6],
}
"""Of a world that stands and of one that walks, in every step."""


def episodes_of(steps=6, fall=None, pushes=None):
    """Two worlds, one commanded to stand and one to walk, for `steps` of a possible six; `fall` is a world and a
    step."""
    episodes = Episodes(EpisodeStatistics(2, DT), (Command(), Command(forward=2.0)), 6, torch.arange(2))
    episodes.pushes = None if pushes is None else torch.tensor(pushes)
    for step in range(steps):
        fell = torch.tensor([fall == (world, step) for world in range(2)])
        over = torch.full((2,), step == 5)
        values = {name: torch.tensor(value) for name, value in QUANTITIES.items()}
        episodes.statistics.add(torch.ones(2), fell, over, values)
    return episodes


def report(steps=6, fall=None, pushes=None):
    return make_report(episodes_of(steps, fall, pushes), MASS, {}).data


def test_cost_of_transport_is_work_over_weight_and_way_of_those_that_walk():
    data = report()
    assert data["metrics"]["cost_of_transport"] == pytest.approx(49.05 / (MASS * 9.81 * 1.0))
    stand, walk = data["commands"]
    assert stand["cost_of_transport"] is None
    assert walk["cost_of_transport"] == data["metrics"]["cost_of_transport"]


@pytest.mark.parametrize(("gravity", "cost"), [(1.62, 49.05 / (MASS * 1.62)), (0.0, None)])
def test_cost_of_transport_is_that_under_the_gravity_of_the_evaluation(gravity, cost):
    found = make_report(episodes_of(), MASS, {}, gravity).data["metrics"]["cost_of_transport"]
    assert found == (None if cost is None else pytest.approx(cost))


def test_slip_is_a_mean_over_feet_that_are_on_the_ground():
    data = report()
    assert data["metrics"]["foot_slip"] == pytest.approx(0.6 / 3)
    assert [row["foot_slip"] for row in data["commands"]] == pytest.approx([0.0, 0.6])


def test_falling_is_neither_smooth_nor_cheap():
    data = report(fall=(1, 4))
    walk = data["commands"][1]
    assert [walk[name] for name in ("cost_of_transport", "foot_slip", "action_change")] == [None] * 3
    assert [data["metrics"][name] for name in ("cost_of_transport", "foot_slip", "action_change")] == [None] * 3
    stand = data["commands"][0]
    assert (stand["foot_slip"], stand["action_change"]) == (0.0, pytest.approx(0.1))
    assert walk["lin_vel_error"] == pytest.approx(0.2)


def test_a_push_that_a_fall_follows_is_not_recovered_from():
    assert "pushes" not in report()
    assert report(pushes=[3, 5])["pushes"] == {"velocity": 0.5, "interval_s": 3.0, "count": 8, "recovered": 1.0}
    assert report(fall=(1, 4), pushes=[3, 5])["pushes"]["recovered"] == pytest.approx(7 / 8)
    assert report(fall=(1, 4), pushes=[4, 0])["pushes"]["recovered"] == 1.0  # it fell by itself
    assert report(pushes=[0, 0])["pushes"]["recovered"] is None


def test_changes_of_the_action_and_errors_are_means_over_time_and_commands():
    data = report()
    assert data["metrics"]["action_change"] == pytest.approx(0.2)
    assert data["metrics"]["lin_vel_error"] == pytest.approx(0.1)
    assert data["metrics"]["ang_vel_error"] == pytest.approx(0.05)


def test_who_falls_no_longer_stands():
    assert report()["standing"]["feet_on_ground"] == pytest.approx(1.0)
    data = report(fall=(0, 3))
    assert data["standing"]["feet_on_ground"] == pytest.approx(3 / 5)
    assert data["standing"]["mean_base_speed"] == 0.0
    assert (data["survival"]["rate"], data["commands"][0]["fall_rate"]) == (0.5, 1.0)
