import json
import logging
import os

import pytest
import torch
import yaml

from mjsdk.errors import BrokenRun, ConfigError, StorageError, UnknownRun
from mjsdk.files import write_atomically
from mjsdk.runs import Run, create_run, find_run, newest_run
from mjsdk.runs.run import IGNORE_VERSIONS


def make(root, experiment="arm_reach", name="", started=0.0, **config):
    run = create_run(root, experiment, name)
    run.write_info({"started": started, "plugins": config.pop("plugins", [])})
    run.write_config({"robot": "myarm", "task": "reach", "extras": [], **config})
    torch.save({}, run.checkpoint_path(0))
    run.publish()
    return run


@pytest.fixture
def root(tmp_path):
    return tmp_path / "logs"


# The folder


def test_a_run_lies_below_log_root_by_experiment_time_and_name(root):
    run = make(root, name="steady")
    assert run.path.parent == root / "rsl_rl" / "arm_reach"
    time, _, name = run.name.partition("_steady")
    assert len(time) == len("2026-01-31_14-05-59")
    assert name == ""


def test_two_runs_of_the_same_second_get_folders_of_their_own(root):
    names = {make(root).name for _ in range(3)}
    assert len(names) == 3


def test_a_run_that_is_not_complete_cannot_be_found(root):
    run = create_run(root, "arm_reach")
    run.write_config({"robot": "myarm"})
    torch.save({}, run.checkpoint_path(0))
    with pytest.raises(UnknownRun, match=r"no run in .* yet\. Make one: `mjsdk train"):
        find_run("latest", root)
    run.publish()
    assert find_run("latest", root).path == run.path


def test_a_discarded_run_leaves_nothing(root):
    run = create_run(root, "arm_reach")
    run.discard()
    assert not list(root.iterdir())
    published = make(root)
    published.discard()
    assert published.path.exists()


def test_settings_are_plain_yaml_for_any_reader(root):
    run = make(root, env={"scale": 1e-5, "on": True, "name": "yes"})
    assert yaml.safe_load((run.path / "config.yaml").read_text()) == run.config_data
    assert Run(run.path).config_data["env"] == {"scale": 1e-5, "on": True, "name": "yes"}


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_names_that_are_no_folder_names_are_refused(root, name):
    with pytest.raises(ConfigError, match="agent.experiment_name"):
        create_run(root, name)


def test_a_log_root_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot make a run folder in .*--log-root"):
        create_run(tmp_path / "logs", "arm_reach")


def test_an_atomic_write_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# Finding


def test_latest_is_the_run_that_started_last_whatever_its_experiment(root):
    make(root, "b_b", started=3.0)
    newest = make(root, "a_a", started=5.0)
    make(root, "c_c", started=4.0)
    assert find_run("latest", root).path == newest.path


def test_a_run_is_found_by_folder_by_name_and_by_experiment_and_name(root):
    run = make(root)
    for spec in (run.path, run.name, f"arm_reach/{run.name}"):
        assert find_run(spec, root).path == run.path


def test_an_unknown_run_lists_the_newest(root):
    run = make(root)
    with pytest.raises(UnknownRun, match=f"no run 'nope'.*arm_reach/{run.name}"):
        find_run("nope", root)


def test_a_folder_that_may_not_be_entered_is_one_message(root, monkeypatch):
    run = make(root)

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(run.path), "is_file", refuse)
    with pytest.raises(UnknownRun, match=f"cannot look for run '{run.path}': Permission denied"):
        find_run(run.path, root)


def test_extras_that_are_no_names_are_damage(root):
    run = make(root)
    run.write_config({**run.config_data, "extras": [3]})
    with pytest.raises(BrokenRun, match=r"extras\[0\] must be a name, not 3"):
        Run(run.path).session()


def test_a_folder_that_is_no_run_says_which_folder_to_give(root):
    make(root)
    with pytest.raises(UnknownRun, match="is not a run: it has no config.yaml"):
        find_run(root, root)


def test_a_name_that_several_runs_have_asks_for_the_folder(root):
    a = make(root, "a_a")
    b = make(root, "b_b")
    b.path.rename(b.path.with_name(a.name))
    with pytest.raises(UnknownRun, match="several runs are called"):
        find_run(a.name, root)


def test_resuming_chooses_by_regular_expression_among_an_experiment(root):
    first = make(root, name="good", started=1.0)
    make(root, name="bad", started=2.0)
    assert newest_run(root, "arm_reach", ".*good").path == first.path
    with pytest.raises(UnknownRun, match=r"no run in .* matches 'x\+'\. There: arm_reach/"):
        newest_run(root, "arm_reach", "x+")
    with pytest.raises(ConfigError, match=r"agent.load_run: '\(' is not a regular expression"):
        newest_run(root, "arm_reach", "(")


# What is in it


def test_checkpoints_are_ordered_by_iteration_and_leftovers_are_not_among_them(root):
    run = make(root)
    for name in ("model_2.pt", "model_10.pt", ".model_11.pt.123.tmp", "model_best.pt"):
        (run.path / name).touch()
    assert [path.name for path in run.checkpoints()] == ["model_0.pt", "model_2.pt", "model_10.pt"]
    assert run.newest_checkpoint().name == "model_10.pt"
    assert run.newest_checkpoint("model_[0-9].pt").name == "model_2.pt"
    with pytest.raises(UnknownRun, match=r"matches 'model_3\.pt'.*There: model_0\.pt, model_2\.pt, model_10\.pt"):
        run.newest_checkpoint("model_3.pt")


def test_a_bare_name_is_a_checkpoint_of_the_run_and_not_one_that_lies_around(root, tmp_path, monkeypatch):
    (tmp_path / "model_7.pt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    run = make(root)
    with pytest.raises(UnknownRun, match="has no checkpoint 'model_7.pt'"):
        run.find_checkpoint("model_7.pt")
    assert run.find_checkpoint(tmp_path / "model_7.pt") == tmp_path / "model_7.pt"


def test_a_run_without_checkpoints_is_broken(root):
    run = make(root)
    run.checkpoint_path(0).unlink()
    with pytest.raises(BrokenRun, match="has no checkpoint"):
        find_run(run.path, root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("robot: [", "cannot be read"),
        ("- 1", "is damaged"),
        ("", "is damaged"),
        ("task: reach", "robot is missing"),
    ],
)
def test_damaged_settings_are_named(root, text, message):
    run = Run(make(root).path)
    (run.path / "config.yaml").write_text(text)
    with pytest.raises(BrokenRun, match=message):
        run.session()


# The plugins it was trained with


def plugins(version, **more):
    robot = {"kind": "robot", "name": "myarm", "dist": "my-robot", "version": version, "target": "my_robot_myarm"}
    task = {"kind": "task", "name": "reach", "dist": "my-task", "version": "1.0", "target": "my_task_reach"}
    return [robot | more, task]


def test_a_run_of_the_installed_versions_opens_without_a_word(site, root, caplog):
    site.robot()
    site.task()
    assert make(root, plugins=plugins("1.0")).session().robot().name == "myarm"
    assert not caplog.records


def test_a_run_of_another_robot_version_is_refused_with_what_to_install(site, root, monkeypatch):
    site.robot(version="1.3")
    site.task()
    run = make(root, plugins=plugins("1.0"))
    with pytest.raises(BrokenRun, match=r"my-robot 1\.0, but 1\.3 is installed.*pip install 'my-robot==1\.0'"):
        run.session()
    monkeypatch.setenv(IGNORE_VERSIONS, "1")
    assert run.session().robot().name == "myarm"


def test_a_run_of_another_patch_release_only_warns(site, root, caplog):
    site.robot(version="1.0.2")
    site.task()
    make(root, plugins=plugins("1.0.1")).session()
    assert "my-robot 1.0.1, but 1.0.2 is installed" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_settings_that_do_not_fit_the_installed_plugins_are_reported_with_their_file(site, root):
    site.robot()
    site.task()
    run = make(root, env={"rewards": {"gone": {"func": "reach:gone", "weights": 1.0}}})
    with pytest.raises(BrokenRun, match=r"config\.yaml does not fit the installed plugins"):
        run.config(run.session())


def test_local_plugins_come_from_the_copy_in_the_run(site, root):
    site.robot()
    site.task()
    source = site.file("my_extra.py", "import mjsdk\nMJSDK_API = 1\n")
    run = create_run(root, "arm_reach")
    spec = run.keep_plugin(source, "extra")
    run.write_info({"started": 0.0})
    run.write_config({"robot": "myarm", "task": "reach", "extras": [spec]})
    torch.save({}, run.checkpoint_path(0))
    run.publish()
    source.unlink()
    extra = run.session().refs[-1]
    assert spec == "plugins/extra/my_extra.py"
    assert (extra.name, extra.target) == ("my_extra", str((run.path / spec).resolve()))


@pytest.mark.parametrize("damaged", ["x", [{"kind": "robot"}], [3], plugins(None)])
def test_damaged_records_of_plugins_are_one_message_that_names_the_file(site, root, damaged):
    site.robot()
    site.task()
    run = Run(make(root, plugins=damaged).path)
    with pytest.raises(BrokenRun, match=r"run\.json is not what mjsdk wrote: plugins.* (must be|is missing)"):
        run.session()


def test_records_without_plugins_are_warned_of(site, root, caplog):
    site.robot()
    site.task()
    make(root).session()
    assert "does not say which version of robot 'myarm' was trained" in caplog.text


def test_a_run_of_another_plugin_contract_is_refused(site, root):
    site.robot()
    site.task()
    with pytest.raises(BrokenRun, match=r"trained with robot 'myarm' for plugin contract 7, but the .* is for 1"):
        make(root, plugins=plugins("1.0", api=7)).session()


def test_settings_of_another_robot_than_the_one_trained_name_both(root):
    run = make(root, plugins=plugins("1.0", name="yourarm"))
    with pytest.raises(BrokenRun, match=r"config\.yaml says robot 'myarm', but run\.json .* 'yourarm' was trained"):
        run.session()


def test_settings_that_cannot_work_are_reported_with_their_file(site, root):
    site.robot()
    site.task()
    run = make(root, env={"events": {"push": {"func": "reach:push", "mode": "interval"}}})
    with pytest.raises(BrokenRun, match=r"(?s)config\.yaml does not fit.*env\.events\.push"):
        run.config(run.session())


@pytest.mark.parametrize(("gone", "told"), [("config.yaml", "config.yaml"), ("model_0.pt", "checkpoint")])
def test_a_run_that_lacks_a_file_is_named_with_what_is_missing(root, gone, told):
    run = make(root)
    (run.path / gone).unlink()
    with pytest.raises(BrokenRun, match=rf"run .*{run.name} is not complete: it has no {told}"):
        find_run("latest", root)
    whole = make(root)
    assert find_run("latest", root).path == whole.path


def test_what_a_run_says_of_itself_is_json(root):
    run = make(root, started=7.0)
    assert json.loads((run.path / "run.json").read_text())["started"] == 7.0


def test_settings_that_had_another_name_when_the_run_was_written_have_todays(root):
    env = {
        "commands": {"gait": {"catch_lean": 0.2}},
        "curriculum": {"stand": {"params": {"setting": "commands.gait.catch_lean", "note": "catch_lean"}}},
    }
    data = Run(make(root, env=env).path).config_data["env"]
    assert data["commands"]["gait"] == {"recovery_tilt": 0.2}
    assert data["curriculum"]["stand"]["params"] == {"setting": "commands.gait.recovery_tilt", "note": "catch_lean"}
