from __future__ import annotations

import numpy as np
import pytest

from mjsdk.plugins import open_session
from mjsdk.render import WorldView
from mjsdk.testing.worlds import TESTTASK, small_env


def test_a_view_is_on_the_robots_base_whatever_stands_before_it_in_the_model(crowd):
    env = small_env(2, robot=crowd)
    view = WorldView(env, open_session(crowd, TESTTASK), world=1)
    view.update()
    assert view.model.body(view.base).name == "trunk"
    np.testing.assert_allclose(view.base_pos, env.robot.root_pos_w[1], atol=1e-6)
    assert view.heading == pytest.approx(float(env.robot.heading_w[1]), abs=1e-5)
