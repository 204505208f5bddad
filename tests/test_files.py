import os
import stat
import threading
from pathlib import Path

import pytest

from mjsdk import files
from mjsdk.errors import StorageError
from mjsdk.files import output, write_atomically


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def write(path, text="new"):
    with output(path) as file:
        file.write_text(text)


def test_a_new_file_has_the_permissions_of_any_new_file_and_an_old_one_keeps_its_own(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "file"
    plain.touch()
    write_atomically(path, b"1")
    assert mode(path) == mode(plain)
    path.chmod(0o640)
    write_atomically(path, b"2")
    assert (path.read_bytes(), mode(path)) == (b"2", 0o640)


def test_a_link_at_the_scratch_name_overwrites_nothing(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(files.os, "urandom", lambda count: b"known")
    (tmp_path / ".mjsdk-6b6e6f776e.yaml").symlink_to(victim)
    with pytest.raises(StorageError, match="File exists"):
        write_atomically(tmp_path / "config.yaml", b"theirs")
    assert victim.read_text() == "mine"


def test_two_writers_of_one_file_have_scratch_files_of_their_own(tmp_path):
    path = tmp_path / "file"
    with files.replacing(path) as one, files.replacing(path) as two:
        one.write_text("one")
        two.write_text("two")
        assert one != two
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_a_folder_can_just_hold_can_be_written(tmp_path):
    path = tmp_path / ("x" * 250 + ".yaml")
    write_atomically(path, b"1")
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_is_written_through_a_link_and_the_link_stays(tmp_path):
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    link.symlink_to(real)
    for text in ("first", "second"):
        write(link, text)
        assert (real.read_text(), link.is_symlink()) == (text, True)


def test_our_own_files_replace_a_link_and_leave_what_it_points_to(tmp_path):
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("theirs")
    link.symlink_to(real)
    write_atomically(link, b"ours")
    assert (real.read_text(), link.read_text(), link.is_symlink()) == ("theirs", "ours", False)


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, seen = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: seen.append(pipe.read_text()))
    reader.start()
    write(pipe)
    reader.join(10.0)
    assert seen == ["new"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_device_is_one_message(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write /dev/full: No space left on device"):
        write(Path("/dev/full"))


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="there is no /dev/fd")
def test_a_name_of_what_is_open_is_written_to_where_it_is_a_file(tmp_path):
    path = tmp_path / "out.txt"
    with path.open("wb") as opened:
        write(Path(f"/dev/fd/{opened.fileno()}"))
        assert os.fstat(opened.fileno()).st_ino == path.stat().st_ino
    assert path.read_text() == "new"


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    message = r"cannot write .*file: No space left on device\. Nothing that was there"
    with pytest.raises(StorageError, match=message), output(path):
        raise OSError(28, "No space left on device")
    with pytest.raises(KeyboardInterrupt), output(path):
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
