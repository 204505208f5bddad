from __future__ import annotations

import pytest


def test_a_video_is_written_at_half_the_control_rate_under_the_command_given(mjsdk, glider, tmp_path):
    import cv2

    video = tmp_path / "glide.mp4"
    arguments = ("--video", video, "--duration", 0.2, "--command", "0.3,0,0")
    code, out, err = mjsdk("play", "latest", "--log-root", glider, *arguments)
    assert (code, out, err) == (0, f"wrote {video}\n", "")
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FPS) == 25
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (640, 480)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "error: no run 'nowhere'"),
        ([""], "error: "),
        (["--video", "new/walk.mp4"], "error: cannot write the video 'new/walk.mp4': there is no folder 'new'"),
        (
            ["--video", "walk.gif", "--duration", -1],
            "error: 1 mistake in the settings:\n  --duration: must be at least",
        ),
        (["--video", "walk.gif", "--seed", -5], "error: 1 mistake in the settings:\n  --seed: must be from 0 to"),
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


def test_without_a_display_a_video_is_written_into_the_run(mjsdk, glider, monkeypatch):
    from mjsdk.runs import find_run

    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    video = find_run("latest", glider).path / "play.mp4"
    code, out, err = mjsdk("play", "--log-root", glider, "--duration", 0.2)
    assert (code, out) == (0, f"wrote {video}\n")
    assert err.startswith("there is no display")
    assert video.stat().st_size > 0


def test_where_there_is_no_terminal_progress_is_a_line_now_and_then(mjsdk, glider, monkeypatch, tmp_path):
    from mjsdk.cli import play

    monkeypatch.setattr(play, "LINE_EVERY_S", 0.0)
    err = mjsdk("play", "--log-root", glider, "--duration", 0.2, "--video", tmp_path / "a.gif").err
    assert "drawing: 0 of 0.2 s of video" in err


def test_a_window_on_macos_is_refused_with_what_to_type(mjsdk, glider, monkeypatch):
    pytest.importorskip("mujoco.viewer")
    from mjsdk import play
    from mjsdk.render import gl

    original = play.play_window

    def as_on_a_mac(*args: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.platform", "darwin")
            original(*args)

    monkeypatch.setattr(play, "play_window", as_on_a_mac)
    monkeypatch.setattr("mjsdk.render.has_display", lambda: True)
    monkeypatch.setattr(gl, "probe", lambda backend: "nothing is tried on a mac")
    code, out, err = mjsdk("play", "--log-root", glider)
    assert (code, out) == (2, "")
    assert err.startswith("error: cannot open a window")
    assert "mjpython -m mjsdk play" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(("duration_s", "asked"), [(2.0, 1), (6.5, 2), (16.0, 4)])
def test_a_short_video_has_fewer_commands_of_at_least_three_seconds(monkeypatch, tmp_path, duration_s, asked):
    from types import SimpleNamespace
    from unittest.mock import MagicMock

    from mjsdk import play

    monkeypatch.setattr(play, "Recorder", MagicMock())
    show = MagicMock(tour=play.TOUR, env=SimpleNamespace(step_dt=0.5), falls=0)
    play.play_video(show, tmp_path / "a.mp4", duration_s)
    commands = [call.args[0] for call in show.ask.call_args_list]
    assert sorted(set(commands)) == list(range(asked))
    assert asked == 1 or commands.count(0) * 0.5 >= 3.0


def test_falls_are_reported_as_a_rate():
    from mjsdk.cli.play import _falls

    assert _falls(3, 4.0) == "3 falls in 4 s, 45 a minute"
