from __future__ import annotations

import pytest

from mjsdk.cli._facts import robot_facts
from mjsdk.plugins import open_session


def test_a_robot_weighs_what_it_weighs_without_the_things_beside_it(crowd):
    facts = robot_facts(open_session(crowd))
    assert facts["mass"] == pytest.approx(3.4)
    assert [joint["name"] for joint in facts["joints"] if joint["actuator"]] == ["left_hip", "right_hip"]
