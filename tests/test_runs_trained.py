"""What was trained last, who trains, and what a training leaves behind that goes back."""

import json
import logging
import os
import platform
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mjsdk.errors import RunInUse
from mjsdk.runs import Run, create_run, newest_run
from mjsdk.runs.aside import leave_behind
from mjsdk.runs.lock import RunLock

NOON = "2026-01-31T12:00:00+0000"


def make(root, info, experiment="arm_reach", checkpoints=(0,)):
    run = create_run(root, experiment)
    run.write_info(info)
    run.write_config({"robot": "myarm"})
    for iteration in checkpoints:
        run.checkpoint_path(iteration).write_text(f"{iteration}")
    run.publish()
    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def root(tmp_path):
    return tmp_path / "logs"


# Which run is the newest


@pytest.mark.parametrize(
    "last",
    [
        {"started": 3.0},
        {"started": 0.0, "resumed": [{"iteration": 2, "started": 3.0}]},
        {"started": 0.0, "resumed": [{"iteration": 2, "time": NOON}]},
        {"time": NOON},
        {"started": 3.0, "resumed": "never"},
        {"started": 3.0, "resumed": [7, None, {"started": "x"}, {"started": float("nan")}, {"time": "noon"}]},
    ],
)
def test_the_newest_run_is_the_one_that_was_begun_or_resumed_last(root, last):
    make(root, {"started": 1.0})
    trained = make(root, last)
    make(root, {"started": 2.0}, experiment="b_b")
    for unknown in ({}, {"started": None}, {"started": "x"}, {"started": float("inf")}, {"started": 10**400}):
        make(root, unknown)
    assert newest_run(root).path == trained.path


def test_when_files_were_written_does_not_matter(root):
    old, new = make(root, {"started": 1.0}), make(root, {"started": 2.0})
    shutil.copytree(old.path, old.path.with_name("copy"))
    assert newest_run(root).path == new.path


def test_runs_of_the_same_name_are_told_apart_by_their_experiment(root):
    runs = [make(root, {"started": 1.0}, name) for name in ("a_a", "b_b")]
    for run in runs:
        run.path = run.path.rename(run.path.with_name("same"))
    assert newest_run(root, pattern="a_a/same").path == runs[0].path


# Names


def test_a_new_run_never_takes_a_name_that_something_has_whenever_that_came(root, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda *_: "now")
    run = create_run(root, "arm_reach")
    taken = [run.path.with_name(name) for name in ("now", "now_2", "now_3", "now_4")]
    taken[0].mkdir()
    (taken[0] / "theirs").touch()
    taken[1].mkdir()
    taken[2].touch()
    taken[3].symlink_to(root / "nowhere")
    monkeypatch.setattr(Path, "exists", lambda path: False)  # as it was when somebody looked
    run.publish()
    assert (run.name, names(taken[0]), names(taken[1])) == ("now_5", ["theirs"], [])


def test_processes_with_the_same_number_make_folders_of_their_own_in_the_same_second(root, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda *_: "now")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    runs = [create_run(root, "arm_reach") for _ in range(3)]
    for run in runs:
        run.publish()
    assert sorted(run.name for run in runs) == ["now", "now_2", "now_3"]


def test_a_run_folder_can_be_entered_by_whom_any_folder_can(root):
    run = make(root, {})
    assert stat.S_IMODE(run.path.stat().st_mode) == stat.S_IMODE(root.stat().st_mode)


# What is left behind


@pytest.fixture
def trained(root):
    run = make(root, {"started": 1.0}, checkpoints=range(6))
    (run.path / "metrics.jsonl").write_text("".join(f'{{"iteration": {i}}}\n' for i in range(1, 6)))
    (run.path / "videos").mkdir()
    for iteration in (2, 4):
        (run.path / "videos" / f"iteration_{iteration}.mp4").touch()
    return run


def test_what_lies_beyond_is_moved_aside_and_named(trained, caplog):
    leave_behind(trained, 2)
    (folder,) = (trained.path / "abandoned").iterdir()
    gone = ["model_3.pt", "model_4.pt", "model_5.pt"]
    assert names(folder) == ["iteration_4.mp4", "metrics.jsonl", *gone]
    assert (folder / "model_4.pt").read_text() == "4"
    assert [row["iteration"] for row in Run(folder).metrics()] == [3, 4, 5]
    assert [row["iteration"] for row in trained.metrics()] == [1, 2]
    assert trained.newest_checkpoint().name == "model_2.pt"
    assert names(trained.path / "videos") == ["iteration_2.mp4"]
    message = f"goes back to iteration 2; what was trained beyond it is moved to {folder}: {', '.join(gone)}"
    assert message in caplog.text


def test_going_back_twice_keeps_both(trained, monkeypatch):
    monkeypatch.setattr(time, "strftime", lambda *_: "now")
    for iteration in (3, 1):
        leave_behind(trained, iteration)
    assert names(trained.path / "abandoned") == ["now", "now_2"]
    assert trained.newest_checkpoint().name == "model_1.pt"


def test_nothing_is_moved_where_nothing_lies_beyond(trained, caplog):
    before = names(trained.path)
    leave_behind(trained, 5)
    assert (names(trained.path), caplog.text) == (before, "")


def test_lines_that_are_damaged_stay_where_they_are(trained):
    path = trained.path / "metrics.jsonl"
    path.write_bytes(b"\xff\x00\n" + path.read_bytes() + b'{"iteration": 6')
    leave_behind(trained, 4)
    assert path.read_bytes().startswith(b'\xff\x00\n{"iteration": 1}\n')
    assert [row["iteration"] for row in trained.metrics()] == [1, 2, 3, 4]


@pytest.mark.parametrize("moves", range(5))
def test_wherever_it_is_killed_the_newest_is_what_was_trained_last_or_what_it_goes_back_to(trained, moves, monkeypatch):
    rename, left = Path.rename, [*range(moves)]

    def killed(path, target):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        leave_behind(trained, 2)
        raise KeyboardInterrupt
    assert trained.newest_checkpoint().name == ("model_5.pt" if moves < 3 else "model_2.pt")
    leave_behind(trained, 2)
    assert [path.name for path in trained.checkpoints()] == ["model_0.pt", "model_1.pt", "model_2.pt"]
    assert [row["iteration"] for row in trained.metrics()] == [1, 2]
    assert len([*trained.path.glob("abandoned/*/model_*.pt")]) == 3


# Who trains


def test_a_second_training_is_refused_with_who_holds_the_run(root):
    run = make(root, {})
    lock = RunLock(run).acquire()
    told = rf"is being trained by process {os.getpid()} on {platform.node()} since 20\d\d-.*Wait until that ends"
    with pytest.raises(RunInUse, match=told):
        RunLock(Run(run.path)).acquire()
    with pytest.raises(RunInUse, match=told):  # the refused one took nothing away
        RunLock(Run(run.path)).acquire()
    lock.release()
    RunLock(Run(run.path)).acquire().release()


def test_a_lock_leaves_nothing_and_holds_through_the_publishing(root):
    run = create_run(root, "arm_reach")
    lock = RunLock(run).acquire()
    run.publish()
    with pytest.raises(RunInUse):
        RunLock(Run(run.path)).acquire()
    lock.release()
    assert names(run.path) == []


def test_a_process_that_died_blocks_nobody(root):
    run = make(root, {})
    code = (
        "import os, sys, pathlib; from mjsdk.runs import Run; from mjsdk.runs.lock import RunLock; "
        "lock = RunLock(Run(pathlib.Path(sys.argv[1]))).acquire(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(run.path)], check=False)
    assert (run.path / ".holder.json").exists()
    RunLock(run).acquire().release()


@pytest.mark.parametrize("holder", ["", "[]", "{}", '{"pid": [1], "host": null}'])
def test_a_holder_that_tells_nothing_sensible_still_holds(root, holder):
    run = make(root, {})
    lock = RunLock(run).acquire()
    (run.path / ".holder.json").write_text(holder)
    with pytest.raises(RunInUse, match="is being trained by"):
        RunLock(run).acquire()
    lock.release()


def test_where_there_are_no_locks_a_training_goes_on_with_a_warning(root, monkeypatch, caplog):
    def none(self, *_, **__):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    run = make(root, {})
    lock = RunLock(run).acquire()
    assert caplog.records[0].levelno == logging.WARNING
    assert "cannot be locked" in caplog.text
    assert json.loads((run.path / ".holder.json").read_text())["pid"] == str(os.getpid())
    lock.release()
    assert not (run.path / ".holder.json").exists()
