from __future__ import annotations

import sys

import numpy as np
import pytest

from mjsdk.errors import MissingDependency, StorageError
from mjsdk.render.video import VideoWriter, check_video_path

SIZE = (64, 48)


def frame(level: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), (level, 40, 200), np.uint8)


def frames_of(path) -> list[np.ndarray]:
    import cv2

    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        there, picture = capture.read()
        if not there:
            return found
        found.append(picture[..., ::-1])


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_a_video_holds_every_frame_in_order_and_in_its_colours(tmp_path, ending):
    path = tmp_path / f"walk{ending}"
    with VideoWriter(path, 25.0, SIZE) as writer:
        for level in (20, 120, 220):
            writer.add(frame(level))
    found = frames_of(path)
    assert [round(float(picture[..., 0].mean()), -1) for picture in found] == [20, 120, 220]
    assert abs(float(found[0][..., 2].mean()) - 200) < 8
    assert list(tmp_path.iterdir()) == [path]


def test_a_gif_plays_at_half_the_frame_rate_of_fifty(tmp_path):
    from PIL import Image

    path = tmp_path / "walk.gif"
    with VideoWriter(path, 50.0, SIZE) as writer:
        for i in range(10):
            writer.add(frame(20 * i))
    with Image.open(path) as picture:
        assert picture.n_frames == 5
        assert picture.info["duration"] == 40


def write_and_fail(path) -> None:
    with VideoWriter(path, 25.0, SIZE) as writer:
        writer.add(frame(1))
        raise RuntimeError("robot on fire")


def test_an_error_while_writing_leaves_what_was_there_before(tmp_path):
    path = tmp_path / "walk.mp4"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match="robot on fire"):
        write_and_fail(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_without_frames_is_one_message(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write the video '.*walk.mp4'"):
        VideoWriter(tmp_path / "walk.mp4", 25.0, SIZE).close()


@pytest.mark.parametrize("name", ["walk.mp5", "walk", "walk.png"])
def test_an_unknown_ending_lists_the_legal_ones(tmp_path, name):
    with pytest.raises(StorageError, match=r"must end in one of .mp4, .webm, .gif"):
        check_video_path(tmp_path / name)


def test_a_path_below_a_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write the video '.*': "):
        check_video_path(tmp_path / "file" / "walk.mp4")
    (tmp_path / "walk.mp4").mkdir()
    with pytest.raises(StorageError, match="it is a folder"):
        check_video_path(tmp_path / "walk.mp4")


def test_a_folder_that_does_not_exist_is_refused_and_not_made(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write the video '.*': there is no folder '.*b'. Make it first."):
        check_video_path(tmp_path / "a" / "b" / "walk.mp4")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_writing_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "walk.mp4", 25.0, SIZE) as writer:
        writer.add(frame(1))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_without_opencv_the_message_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingDependency, match=r"pip install 'mjsdk\[video\]'"):
        VideoWriter(tmp_path / "walk.mp4", 25.0, SIZE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_disk_without_room_is_reported_before_anything_is_drawn(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StorageError, match="cannot write the video"):
            check_video_path(tmp_path / "walk.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
