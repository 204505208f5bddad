from __future__ import annotations

import math

import numpy as np
import pytest

from mjsdk.config import ViewerConfig
from mjsdk.render.camera import FollowCamera, heading_of


def test_the_camera_starts_at_the_robot_and_catches_up_with_it():
    camera = FollowCamera(ViewerConfig())
    assert camera.follow(np.array([1.0, 2.0, 0.8]), 0.02).tolist() == [1.0, 2.0, 0.8]
    first = camera.follow(np.array([2.0, 2.0, 0.8]), 0.02)
    assert 1.0 < first[0] < 1.2
    for _ in range(200):
        last = camera.follow(np.array([2.0, 2.0, 0.8]), 0.02)
    assert last[0] == pytest.approx(2.0, abs=1e-3)


def test_the_bobbing_of_a_walk_is_smoothed_more_than_its_progress():
    camera = FollowCamera(ViewerConfig())
    camera.follow(np.zeros(3), 0.02)
    moved = camera.follow(np.ones(3), 0.02)
    assert moved[2] < 0.5 * moved[0]


def test_the_smoothing_does_not_depend_on_the_frame_rate():
    coarse, fine = FollowCamera(ViewerConfig()), FollowCamera(ViewerConfig())
    coarse.follow(np.zeros(3), 0.04)
    fine.follow(np.zeros(3), 0.02)
    fine.follow(np.ones(3), 0.02)
    np.testing.assert_allclose(coarse.follow(np.ones(3), 0.04), fine.follow(np.ones(3), 0.02))


def test_the_direction_of_view_counts_from_where_the_robot_faces_first():
    camera = FollowCamera(ViewerConfig(azimuth=120.0))
    assert camera.azimuth(math.pi / 2) == pytest.approx(210.0)
    assert camera.azimuth(0.0) == pytest.approx(210.0)
    camera.cut()
    assert camera.azimuth(0.0) == pytest.approx(120.0)


def test_after_a_cut_it_jumps():
    camera = FollowCamera(ViewerConfig())
    camera.follow(np.zeros(3), 0.02)
    camera.cut()
    assert camera.follow(np.array([5.0, 0.0, 1.0]), 0.02)[0] == 5.0


@pytest.mark.parametrize("angle", [-3.0, -0.5, 0.0, 1.2, 3.1])
def test_the_heading_of_a_turn_around_the_vertical_is_its_angle(angle):
    assert heading_of(np.array([math.cos(angle / 2), 0, 0, math.sin(angle / 2)])) == pytest.approx(angle)
