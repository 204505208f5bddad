from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest

from mjsdk.errors import RenderError
from mjsdk.render import gl
from mjsdk.render.draw import ASKED, add_arrow, add_velocity, arc
from mjsdk.render.offscreen import Offscreen

BALL = """<mujoco><worldbody><light pos="0 0 3"/><geom type="plane" size="5 5 .1" rgba=".5 .5 .5 1"/>
<body pos="0 0 .5"><freejoint/><geom size=".2" rgba="1 0 0 1"/></body></worldbody></mujoco>"""


@pytest.fixture
def model() -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(BALL)


def picture_of(model: mujoco.MjModel, **more) -> np.ndarray:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with closing(Offscreen(model, 200, 150)) as offscreen:
        offscreen.camera.lookat[:] = (0, 0, 0.5)
        offscreen.camera.distance = 2.0
        return offscreen.draw(data, **more)


def test_a_picture_has_the_size_asked_for_and_shows_the_model(model):
    picture = picture_of(model)
    assert picture.shape == (150, 200, 3)
    red, green, _ = picture[75, 100].astype(int)
    assert red > 100
    assert green < 0.3 * red


def test_pictures_larger_than_the_models_buffer_can_be_drawn(model):
    model.vis.global_.offwidth = 64
    assert picture_of(model).shape == (150, 200, 3)


def test_a_command_is_drawn_in_green(model):
    def decorate(scene):
        add_velocity(scene, np.array([0, 0, 0.85]), 0.0, (0.0, 0.8, 0.9), ASKED, turn_at=np.zeros(3))

    plain, drawn = picture_of(model).astype(int), picture_of(model, decorate=decorate).astype(int)
    changed = drawn[np.abs(drawn - plain).sum(2) > 60]
    assert len(changed) > 50
    assert (changed[:, 1] > changed[:, 0]).mean() > 0.8


def test_text_is_written_in_the_upper_left_corner(model):
    plain, written = picture_of(model).astype(int), picture_of(model, text=("time", "1 s")).astype(int)
    difference = np.abs(written - plain).sum(2)
    assert difference[:60, :100].sum() > 0
    assert difference[80:].sum() == 0


def test_a_full_scene_takes_no_more_arrows():
    scene = mujoco.MjvScene()
    add_arrow(scene, np.zeros(3), np.ones(3), ASKED)
    assert scene.ngeom == 0


def test_the_arc_of_a_turn_to_the_left_starts_ahead_and_goes_left():
    points = arc(np.zeros(3), 0.0, 0.8)
    np.testing.assert_allclose(points[0], [0.45, 0, 0])
    assert (points[1:, 1] > 0).all()


def test_standing_still_draws_nothing(model):
    scene = mujoco.MjvScene(model, maxgeom=10)
    add_velocity(scene, np.zeros(3), 0.0, (0.0, 0.0, 0.0), ASKED, turn_at=np.zeros(3))
    assert scene.ngeom == 0


def test_a_robot_that_is_to_stand_may_sway_without_an_arrow(model):
    scene = mujoco.MjvScene(model, maxgeom=10)
    add_velocity(scene, np.zeros(3), 0.0, (0.08, 0.0, 0.09), ASKED, turn_at=np.zeros(3), slowest=0.1)
    assert scene.ngeom == 0


def test_without_any_renderer_the_message_says_what_to_install(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "probe", lambda backend: f"no lib{backend}")
    gl.find_headless.cache_clear()
    with pytest.raises(RenderError, match=r"egl: no libegl; osmesa: no libosmesa\).*apt install libegl1.*libosmesa6"):
        gl.make_context(64, 64)


def test_osmesa_is_taken_where_egl_fails(monkeypatch):
    monkeypatch.setattr(gl, "probe", lambda backend: "" if backend == "osmesa" else "no driver")
    gl.find_headless.cache_clear()
    assert gl.find_headless() == "osmesa"
    gl.find_headless.cache_clear()


def test_a_probe_that_dies_says_how(monkeypatch):
    died = SimpleNamespace(returncode=-11, stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: died)
    assert gl.probe("egl") == "exit status -11"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")
def test_a_display_is_seen_by_its_variables(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not gl.has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert gl.has_display()


def test_a_window_that_cannot_open_is_an_error_with_the_way_out(monkeypatch):
    """MuJoCo would end the process."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(RenderError, match=r"cannot open a window \(.+\)\. Either check the display .* --video"):
        gl.check_window()


def test_on_macos_the_message_names_the_other_starter(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    gl.check_window()  # asks nothing: only the right starter may open a window there
    assert "`mjpython -m mjsdk play ...`, or write a video: --video" in str(gl.no_window("not run under mjpython"))
