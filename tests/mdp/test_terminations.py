from __future__ import annotations

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import booleans, lists

from mjsdk.config import EnvConfig, SceneConfig, SensorConfig
from mjsdk.env.buffers import Buffers
from mjsdk.env.worlds import Worlds
from mjsdk.errors import ConfigError
from mjsdk.mdp.terminations import IllegalContact


@attrs.define
class Ground:
    """Three worlds whose contacts a test decides: two feet, and all of the robot."""

    step_dt: float = 0.1
    num_envs: int = 3
    buffers: Buffers = attrs.field(factory=lambda: Buffers("cpu"))
    feet: torch.Tensor = attrs.field(factory=lambda: torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]).unsqueeze(-1))
    whole: torch.Tensor = attrs.field(factory=lambda: torch.tensor([2.0, 1.0, 0.0]).view(3, 1, 1))

    @property
    def config(self):
        kinds = {"whole": "subtreegroundcontacts", "feet": "groundcontacts"}
        sensors = {name: SensorConfig(type=kind, on=".*") for name, kind in kinds.items()}
        return EnvConfig(scene=SceneConfig(sensors=sensors))

    def sensor(self, name):
        return getattr(self, name)

    def put(self, *knees):
        """Let the knees of each world touch the ground or not."""
        self.whole[:] = self.feet.sum(1, keepdim=True) + torch.tensor(knees).view(3, 1, 1)


def fallen_after(term, ground, seconds, *knees):
    ground.put(*knees)
    for _ in range(round(seconds / ground.step_dt)):
        fallen = term(ground)
    return fallen.tolist()


def test_feet_may_touch_and_knees_only_for_a_while():
    ground = Ground()
    term = IllegalContact(ground, whole_sensor="whole", allowed_sensor="feet", longest_s=0.45)
    assert fallen_after(term, ground, 5.0, False, False, False) == [False, False, False]
    assert fallen_after(term, ground, 0.4, True, False, True) == [False, False, False]
    assert fallen_after(term, ground, 0.1, True, False, True) == [True, False, True]
    term.reset(Worlds(3, torch.Generator(), ids=torch.tensor([2])))
    assert fallen_after(term, ground, 0.1, True, False, True) == [True, False, False]


@given(lists(booleans(), min_size=1, max_size=60))
def test_time_on_knees_counts_up_and_time_off_them_down(touches):
    ground = Ground()
    term = IllegalContact(ground, whole_sensor="whole", allowed_sensor="feet", longest_s=0.35)
    balance = 0
    for touch in touches:
        balance = max(0, balance + (1 if touch else -1))
        ground.put(touch, False, touch)
        fallen = balance > 3
        assert term(ground).tolist() == [fallen, False, fallen]


def test_sensors_of_another_type_are_refused():
    with pytest.raises(ConfigError, match="the sensor 'feet' of illegal_contact must be of type subtreegroundcontacts"):
        IllegalContact(Ground(), whole_sensor="feet", allowed_sensor="whole")
