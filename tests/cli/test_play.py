from __future__ import annotations

import pytest


def test_a_video_is_written_at_the_control_rate_under_the_command_given(mjsdk, glider, tmp_path):
    import cv2

    video = tmp_path / "glide.mp4"
    arguments = ("--video", video, "--duration", 0.2, "--command", "0.3,0,0")
    code, out, err = mjsdk("play", "latest", "--log-root", glider, *arguments)
    assert (code, out, err) == (0, f"wrote {video}\n", "")
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FPS) == 50
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 10
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (640, 480)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "error: there is no display to open a window on. Use --video FILE"),
        (["--video", "walk.mpeg"], "error: 'walk.mpeg' is not the name of a video"),
        (["--video", "/proc/walk.mp4"], "error: cannot write the video '/proc/walk.mp4'"),
        (["--video", "walk.gif", "--command", "fast"], "error: 1 mistake in the settings:\n  --command: 'fast'"),
        (["nowhere", "--video", "walk.gif"], "error: no run 'nowhere'"),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(mjsdk, glider, args, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = mjsdk("play", *args, "--log-root", glider)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_cannot_draw_says_what_to_install(mjsdk, glider, monkeypatch, tmp_path):
    from mjsdk.render import gl

    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "probe", lambda backend: "no library")
    gl.find_headless.cache_clear()
    code, _, err = mjsdk("play", "--log-root", glider, "--video", tmp_path / "walk.mp4")
    assert code == 2
    assert "apt install" in err
    assert list(tmp_path.iterdir()) == []
