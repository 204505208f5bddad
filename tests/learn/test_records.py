"""What a run says of the repository that it was started in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mjsdk.learn.records import git_state


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """One committed file on a branch, whatever the settings of who runs this."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "repository"
    git(tmp_path, "init", "-q", "-b", "zweig-ü", str(folder))
    (folder / "robot.py").write_text("one")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def program(folder: Path, name: str) -> tuple[Path, Path]:
    """A program that leaves a mark when it is run, and the mark."""
    mark, path = folder / f"{name}.ran", folder / name
    path.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    path.chmod(0o755)
    return path, mark


def test_commit_branch_and_changes_are_reported(repository):
    state = git_state(repository)
    assert state == {"commit": git(repository, "rev-parse", "HEAD"), "branch": "zweig-ü", "dirty": False}
    (repository / "robot.py").write_text("two")
    assert git_state(repository)["dirty"] is True


def test_outside_of_a_repository_there_is_nothing_to_tell(repository, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent.parent))
    assert git_state(repository.parent) is None


def test_the_monitor_and_the_hooks_of_a_repository_are_not_run(repository, tmp_path):
    monitor, watched = program(tmp_path, "monitor")
    _, hooked = program(repository / ".git" / "hooks", "post-index-change")
    git(repository, "config", "core.fsmonitor", str(monitor))
    os.utime(repository / "robot.py", (1, 1))  # makes git look at the file and write its index
    assert git_state(repository)["dirty"] is False
    assert not watched.exists()
    assert not hooked.exists()
    git(repository, "status")
    assert (watched.exists(), hooked.exists()) == (True, True), "this git runs neither: nothing was tested"


@pytest.mark.parametrize("where", ["config", "included", "worktree"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_where_telling_changes_would_run_a_filter_they_are_unknown(repository, tmp_path, kind, where):
    cleaner, ran = program(tmp_path, "cleaner")
    (repository / ".gitattributes").write_text("* filter=Mine\n")
    name = f"filter.Mine.{kind}"
    if where == "config":
        git(repository, "config", name, str(cleaner))
    elif where == "included":
        git(repository, "config", "-f", str(tmp_path / "more"), name, str(cleaner))
        git(repository, "config", "include.path", str(tmp_path / "more"))
    else:
        git(repository, "config", "extensions.worktreeConfig", "true")
        git(repository, "config", "--worktree", name, str(cleaner))
    os.utime(repository / "robot.py", (1, 1))
    state = git_state(repository)
    assert state["commit"]
    assert state["dirty"] is None
    assert not ran.exists()
    subprocess.run(["git", "-C", str(repository), "status"], capture_output=True, check=False)
    assert ran.exists(), "this git does not run it, so nothing was tested"


def test_a_filter_of_the_users_own_leaves_changes_known(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "own"))
    git(repository, "config", "--global", "filter.mine.clean", "cat")
    assert git_state(repository)["dirty"] is False
