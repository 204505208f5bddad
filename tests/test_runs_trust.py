"""Whose code a run may bring, which package its robot is of, and whether its model is what was trained."""

from __future__ import annotations

import importlib.util
import py_compile
import shutil
from pathlib import Path

import pytest

from mjsdk.api import load_run
from mjsdk.config.settings import compose
from mjsdk.errors import BrokenRun, UntrustedCode
from mjsdk.learn.start import start
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.runs import Run, create_run, trust
from mjsdk.runs.run import IGNORE_VERSIONS
from mjsdk.testing.worlds import TESTBOT, TESTTASK

MARK = "import pathlib; pathlib.Path({!r}).touch()\n"


@pytest.fixture
def stranger(monkeypatch, tmp_path):
    """Nothing that was trained before is known."""
    monkeypatch.setenv(trust.STATE, str(tmp_path / "state"))
    monkeypatch.setattr(trust, "_here", set())


@pytest.fixture
def trained(tmp_path_factory, tmp_path):
    return Run(shutil.copytree(train(TESTBOT, tmp_path_factory.mktemp("logs")).path, tmp_path / "theirs"))


def train(robot, logs):
    session = open_session(str(robot), TESTTASK, core=core_terms)
    small = {"train.log_root": str(logs), "env.scene.num_envs": 2, "agent.logger": "none"}
    return start(compose(session, overrides=list(small.items())).config, session).trainer.run


def poison(run, tmp_path):
    """Let the kept robot leave a mark where it runs; returns the mark."""
    kept = run.path / "plugins" / "robot" / "testbot.py"
    source, mark = kept.read_text(), tmp_path / "mark"
    kept.write_text(source.replace("MJSDK_API", MARK.format(str(mark)) + "MJSDK_API", 1))
    return mark


def test_a_run_that_was_trained_here_opens_wherever_it_was_moved(trained):
    assert trained.session().robot().name == "testbot"


def test_code_of_a_stranger_does_not_run_and_all_files_are_named(trained, stranger, tmp_path):
    mark = poison(trained, tmp_path)
    with pytest.raises(UntrustedCode, match=r"testbot\.py, .*testtask\.py.*--trust-code"):
        trained.session()
    assert not mark.exists()


def test_code_that_was_changed_after_the_training_is_unknown_again(trained, tmp_path):
    mark = poison(trained, tmp_path)
    with pytest.raises(UntrustedCode, match=r"has changed since: [^,]*testbot\.py\. "):
        trained.session()
    assert not mark.exists()


@pytest.mark.parametrize("spec", ["/elsewhere.py", "../x.py", "plugins/robot/link.py"])
def test_code_elsewhere_that_a_run_names_does_not_run(trained, stranger, tmp_path, spec):
    mark = tmp_path / "mark"
    evil = tmp_path / "x.py"
    evil.write_text(MARK.format(str(mark)))
    (trained.path / "plugins" / "robot" / "link.py").symlink_to(evil)
    trained.write_config({**trained.config_data, "extras": [spec.replace("/elsewhere.py", str(evil))]})
    with pytest.raises(UntrustedCode, match=r"x\.py"):
        Run(trained.path).session()
    assert not mark.exists()


def test_trusting_once_is_remembered_until_the_code_changes(trained, stranger, monkeypatch, tmp_path):
    assert load_run(trained.path, trust_code=True).config.robot == "plugins/robot/testbot.py"
    monkeypatch.setattr(trust, "_here", set())  # as in another process
    assert load_run(trained.path).config.task == "plugins/task/testtask.py"
    poison(trained, tmp_path)
    with pytest.raises(UntrustedCode):
        load_run(trained.path).config  # noqa: B018 - a property that opens the session


def test_the_command_line_asks_for_trust_and_takes_it(trained, stranger, mjsdk_exit):
    code, _, err = mjsdk_exit("eval", trained.path, "--num-envs", 1)
    assert (code, err.count("--trust-code")) == (2, 1)
    code, _, err = mjsdk_exit("eval", trained.path, "--num-envs", 1, "--trust-code", "--json")
    assert code == 0, err


@pytest.fixture
def mjsdk_exit(capsys):
    from mjsdk.cli import main

    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        return caught.value.code or 0, *capsys.readouterr()

    return call


def test_where_nothing_can_be_written_down_a_training_still_begins(stranger, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(trust.STATE, str(tmp_path / "file"))
    run = train(TESTBOT, tmp_path / "logs")
    assert "other commands will ask for --trust-code" in caplog.text
    assert run.session().robot().name == "testbot"
    monkeypatch.setattr(trust, "_here", set())
    with pytest.raises(UntrustedCode):
        run.session()


def test_compiled_code_beside_a_file_is_not_run(trained, tmp_path):
    mark = tmp_path / "mark"
    kept = trained.path / "plugins" / "robot" / "testbot.py"
    clean = kept.read_bytes()
    kept.write_text(MARK.format(str(mark)))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(kept), importlib.util.cache_from_source(str(kept)), invalidation_mode=mode)
    kept.write_bytes(clean)
    assert trained.session().robot().name == "testbot"
    assert not mark.exists()


# The robot


def robot_beside_its_model(folder):
    """The test robot, its model in a file of its own."""
    from mjsdk.testing import testbot

    (folder / "robot.xml").write_text(testbot._MJCF)
    beside = '__import__("pathlib").Path(__file__).with_name("robot.xml").read_text()'
    (folder / "beside.py").write_text(Path(TESTBOT).read_text().replace(f'"""{testbot._MJCF}"""', beside))
    return folder / "beside.py"


def test_a_model_that_changed_after_the_training_is_reported_once(tmp_path, caplog):
    from mjsdk.learn.records import check_model

    folder = tmp_path / "robot"
    folder.mkdir()
    run = train(robot_beside_its_model(folder), tmp_path / "logs")
    caplog.clear()
    check_model(run, run.session())
    assert caplog.text == ""
    model = folder / "robot.xml"
    model.write_text(model.read_text().replace('mass="2"', 'mass="20"'))
    for _ in range(2):
        check_model(run, run.session())
    assert caplog.text.count("has changed since run") == 1
    assert str(folder / "beside.py") in caplog.text


def record(version="1.0", **more):
    robot = {"kind": "robot", "name": "myarm", "dist": "my-robot", "version": version, "target": "my_robot_myarm"}
    task = {"kind": "task", "name": "reach", "dist": "my-task", "version": "1.0", "target": "my_task_reach"}
    return [robot | more, task]


@pytest.fixture
def arm(site, tmp_path):
    """A run of a robot that a package provides."""
    site.robot()
    site.task()
    run = create_run(tmp_path / "logs", "arm_reach")
    run.write_info({"started": 0.0, "plugins": record()})
    run.write_config({"robot": "myarm", "task": "reach", "extras": []})
    return run


def test_a_second_package_with_the_same_robot_changes_nothing(arm, site):
    site.robot(dist="other-robot")
    assert arm.session().robot_ref.dist == "my-robot"


def test_the_robot_of_another_package_is_not_taken_for_the_one_that_is_gone(arm, site, monkeypatch, caplog):
    shutil.rmtree(next(site.path.glob("my_robot-*")))
    site.robot(dist="other-robot")
    with pytest.raises(
        BrokenRun, match=r"of my-robot 1\.0, but other-robot 1\.0 is installed.*pip install 'my-robot==1\.0'"
    ):
        arm.session()
    monkeypatch.setenv(IGNORE_VERSIONS, "1")
    assert arm.session().robot_ref.dist == "other-robot"
    assert "other-robot 1.0 is installed" in caplog.text
