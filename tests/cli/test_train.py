import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
import yaml

from mjsdk.cli import main
from mjsdk.runs import find_run, newest_run

SMALL = (
    "--env.scene.num-envs",
    "8",
    "--agent.num-steps-per-env",
    "8",
    "--env.sim.threads",
    "1",
    "--agent.logger",
    "none",
)
WALK = ("--robot", "g1", "--task", "velocity")


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    """Each test has a folder of its own, and its torch one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mjsdk.learn.start.use_threads", lambda device: torch.get_num_threads())
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def mjsdk(capsys):
    def call(*args):
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return caught.value.code or 0, out, err

    return call


@pytest.fixture
def train(mjsdk):
    def call(*args, iterations=2):
        return mjsdk("train", *WALK, *SMALL, "--agent.max-iterations", iterations, *args)

    return call


def values(run):
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in run.metrics()]


def failure(result):
    """The one message of a command that failed because of its user."""
    code, _, err = result
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 2, err
    assert "Traceback" not in err
    assert len(errors) == 1
    return err


def test_a_training_leaves_a_run_that_says_everything(train):
    code, out, _ = train("--run-name", "first", "--seed", "3")
    assert code == 0
    run = find_run("latest")
    assert run.path.parent == Path("logs/rsl_rl/g1_velocity")
    assert run.name.endswith("_first")
    files = {path.name for path in run.path.iterdir()}
    assert files == {"config.yaml", "run.json", "metrics.jsonl", "model_0.pt", "model_1.pt", "model_2.pt"}
    assert yaml.safe_load((run.path / "config.yaml").read_text())["agent"]["seed"] == 3
    assert run.info["seed"] == 3
    assert {plugin["dist"] for plugin in run.info["plugins"]} == {"mjsdk-robot-g1", "mjsdk-task-velocity"}
    assert {"mjsdk", "mujoco", "torch", "rsl-rl-lib", "python"} <= set(run.info["versions"])
    assert "git" in run.info
    for text in (str(run.path), "iteration 1/2", "iteration 2/2", f"mjsdk play {run.path}", f"mjsdk eval {run.path}"):
        assert text in out
    row = run.metrics()[-1]
    assert {"iteration", "timesteps", "loss/value", "policy/mean_std", "time/physics_s", "time/learning_s"} <= set(row)
    assert {"metrics/lin_vel_error", "metrics/ang_vel_error"} <= set(row)


def test_the_same_seed_gives_the_same_values_and_resuming_the_same_curve(train, mjsdk):
    train("--run-name", "whole", iterations=4)
    train("--run-name", "cut", iterations=2)
    whole, cut = (newest_run(pattern=f".*_{name}") for name in ("whole", "cut"))
    assert values(cut) == values(whole)[:2]
    code, out, _ = mjsdk("train", "--resume", "--agent.load-run", cut.name, "--agent.max-iterations", 4)
    assert code == 0
    assert "resume  at iteration 2" in out
    assert values(cut) == values(whole)
    assert cut.newest_checkpoint().name == "model_4.pt"
    assert find_run(cut.path).config_data["agent"]["max_iterations"] == 4
    assert find_run(cut.path).info["resumed"][0]["changed"] == {"agent.max_iterations": [2, 4]}


def test_tensorboard_events_are_written_unless_asked_otherwise(train):
    train("--agent.logger", "tensorboard", iterations=1)
    assert list(find_run("latest").path.glob("events.out.tfevents.*"))


def test_minutes_alone_go_on_beyond_the_last_iteration_of_the_settings(train, mjsdk):
    train(iterations=1)
    code, out, _ = mjsdk("train", "--resume", "--minutes", "0.0001")
    assert code == 0
    assert "the time is up: 2 iterations" in out
    assert len(find_run("latest").info["resumed"]) == 1


def test_minutes_end_the_training(train):
    code, out, _ = train("--minutes", "0.0001", iterations=1000)
    assert code == 0
    assert "the time is up: 1 iteration," in out
    assert failure(train("--minutes", "0"))
    for minutes in ("inf", "nan", "-1", "1e+308"):
        assert f"{minutes} is not a time" in failure(train("--minutes", minutes))


def test_a_one_file_extra_adds_a_reward_that_is_logged_and_kept_with_the_run(train, mjsdk):
    extra = Path("my_extra.py")
    extra.write_text(
        textwrap.dedent(
            '''
            import mjsdk

            MJSDK_API = 1

            def jump(env):
                """Upward speed of the base."""
                return env.robot.root_lin_vel_w[:, 2].clamp(min=0.0)

            @mjsdk.hookimpl
            def mjsdk_reward_terms():
                return {"jump": jump}
            '''
        )
    )
    code, _, err = train(
        "--with",
        "./my_extra.py",
        "--env.rewards.jump.func",
        "my_extra:jump",
        "--env.rewards.jump.weight",
        "0.1",
        iterations=1,
    )
    assert code == 0, err
    run = find_run("latest")
    assert "reward/jump" in run.metrics()[0]
    assert run.config_data["extras"] == ["plugins/extra/my_extra.py"]
    extra.unlink()
    code, _, err = mjsdk("train", "--resume", "--agent.max-iterations", 2)
    assert code == 0, err
    assert "reward/jump" in run.metrics()[1]


def test_resuming_what_is_done_says_so(train, mjsdk):
    train(iterations=1)
    run = find_run("latest")
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    code, out, _ = mjsdk("train", "--resume", "--env.rewards.action_rate.weight", "-0.5")
    assert code == 0
    assert "nothing to do: iteration 1 of 1 is done. Raise --agent.max-iterations" in out
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_a_new_reward_on_resume_starts_the_worlds_over_and_trains_on(train, mjsdk):
    train(iterations=1)
    term = ("--env.rewards.more.func", "action_rate_l2", "--env.rewards.more.weight", "-0.01")
    code, _, err = mjsdk("train", "--resume", "--agent.max-iterations", 2, *term)
    assert code == 0, err
    assert (
        "the worlds start over, because the physics, settings of the environment, a plugin or mjsdk have changed" in err
    )
    assert "reward/more" in find_run("latest").metrics()[1]


def test_what_a_run_was_made_of_cannot_change_on_resume(train, mjsdk):
    train(iterations=1)
    Path("other.py").write_text("import mjsdk\nMJSDK_API = 1\n")
    message = failure(mjsdk("train", "--resume", "--with", "./other.py", "--seed", "77"))
    assert "continues with its own extras ((none)), without ./other.py" in message
    assert "continues with its own random numbers, of seed 1" in message
    assert "continues in its own folder" in failure(mjsdk("train", "--resume", "--run-name", "x"))


@pytest.mark.parametrize(("name", "value"), [("actions.joint_pos.scale", 0.123), ("mirror_clock", "")])
def test_settings_that_change_what_the_policy_means_are_refused(train, mjsdk, name, value):
    train(iterations=1)
    run = find_run("latest")
    *parents, last = name.split(".")
    section = run.config_data["env"]
    for key in parents:
        section = section[key]
    assert section[last] != value
    section[last] = value
    run.write_config(run.config_data)
    for command in (("train", "--resume", "--agent.max-iterations", 2), ("eval", run.path)):
        assert name.rpartition(".")[2] in failure(mjsdk(*command))
    assert len(run.metrics()) == 1


def test_settings_that_were_cut_short_are_one_message_that_names_the_file(train, mjsdk):
    train(iterations=1)
    run = find_run("latest")
    data = run.config_data
    data["env"]["commands"] = {}
    run.write_config(data)
    for command in (("train", "--resume", "--agent.max-iterations", 2), ("eval", run.path)):
        assert "config.yaml does not fit the installed plugins" in failure(mjsdk(*command))


def test_a_term_that_raises_in_the_middle_is_one_message_with_the_way_on(mjsdk, train):
    Path("bad.py").write_text(
        textwrap.dedent(
            """
            import mjsdk

            MJSDK_API = 1

            def late(env):
                return 0.0 / (env.common_step_counter < 28) * env.robot.root_pos_w[:, 2]

            @mjsdk.hookimpl
            def mjsdk_reward_terms():
                return {"late": late}
            """
        )
    )
    message = failure(
        train("--with", "./bad.py", "--env.rewards.late.func", "bad:late", "--env.rewards.late.weight", 1, iterations=6)
    )
    run = find_run("latest")
    assert "ZeroDivisionError" in message
    assert f"Resume with: mjsdk train --resume --agent.load-run {run.name}" in message
    assert f"newest checkpoint is {run.newest_checkpoint().name}" in message


def test_resuming_without_a_run_says_how_to_make_one(mjsdk):
    assert "Make one: `mjsdk train" in failure(mjsdk("train", "--resume"))


def test_resuming_with_other_networks_or_another_robot_is_refused(train, mjsdk):
    train(iterations=1)
    assert "agent.actor.hidden_dims" in failure(mjsdk("train", "--resume", "--agent.actor.hidden-dims", "[8]"))
    assert "--robot: go1 is not the robot of run" in failure(mjsdk("train", "--resume", "--robot", "go1"))


def test_a_learning_rate_that_is_asked_for_counts_more_than_the_schedule(train, mjsdk):
    train(iterations=1)
    run = find_run("latest")
    options = ("--agent.algorithm.learning-rate", "2e-4", "--agent.algorithm.schedule", "fixed")
    mjsdk("train", "--resume", "--agent.max-iterations", 2, *options)
    assert run.metrics()[1]["policy/learning_rate"] == 2e-4


def test_a_corrupted_checkpoint_is_one_message(train, mjsdk):
    train(iterations=2)
    run = find_run("latest")
    run.newest_checkpoint().write_bytes(b"PK not a checkpoint")
    assert "model_2.pt cannot be read" in failure(mjsdk("train", "--resume", "--agent.max-iterations", 4))
    assert "newest whole one is model_1.pt" in failure(mjsdk("train", "--resume", "--agent.max-iterations", 4))


def test_a_run_of_another_robot_version_is_one_message(train, mjsdk):
    train(iterations=1)
    run = find_run("latest")
    run.info["plugins"][0]["version"] = "9.0.0"
    run.write_info(run.info)
    assert "pip install 'mjsdk-robot-g1==9.0.0'" in failure(mjsdk("train", "--resume"))


def test_a_disk_that_is_full_at_a_checkpoint_loses_nothing(train, monkeypatch):
    import mjsdk.learn.checkpoints as checkpoints

    write = checkpoints.write_atomically

    def full(path, data):
        if path.name == "model_2.pt" and "rescue" not in str(path):
            from mjsdk.errors import StorageError

            raise StorageError(f"cannot write {path}: No space left on device.")
        write(path, data)

    monkeypatch.setattr(checkpoints, "write_atomically", full)
    message = failure(train("--agent.save-interval", "1", iterations=3))
    assert "model_2.pt: No space left on device" in message
    assert "mjsdk train --resume" in message
    assert find_run("latest").newest_checkpoint().name == "model_1.pt"
    rescued = Path(message.partition("is saved in ")[2].partition(":")[0])
    assert rescued.name == "model_2.pt"
    rescued.unlink()
    rescued.parent.rmdir()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--robot", "g11", "--task", "velocity"), "did you mean 'g1'"),
        (("--robot", "g1", "--task", "velocty"), "did you mean 'velocity'"),
        (("--robot", "g1"), "--task: must be given"),
        ((*WALK, "--env.scene.num-env", "4"), "num_envs"),
        ((*WALK, "--env.rewards.action_rate.wieght", "4"), "weight"),
        ((*WALK, "--env.scene.num-envs", "many"), "env.scene.num_envs"),
        ((*WALK, "--env.rewards.x.func", "no_such"), "env.rewards.x"),
        ((*WALK, "--config", "missing.yaml"), "missing.yaml"),
        ((*WALK, "--with", "./missing.py"), "missing.py"),
        ((*WALK, "--preset", "stabel"), "did you mean 'stable'"),
        ((*WALK, "--device", "cuda"), "--device cpu"),
        ((*WALK, "--device", "tpu"), "Legal: auto, cpu, cuda"),
        ((*WALK, "--agent.actor.class-name", "gru", "--env.scene.num-envs", "9"), "num_mini_batches"),
        ((*WALK, "--agent.logger", "wandb"), "pip install 'mjsdk[wandb]'"),
        ((*WALK, "--run-name", "a/b"), "agent.run_name"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_no_folder(mjsdk, args, message):
    assert message in failure(mjsdk("train", *args))
    assert not list(Path().glob("logs/*"))


def test_the_help_is_short_and_points_to_explain(mjsdk):
    code, out, _ = mjsdk("train", "--help")
    assert code == 0
    assert len(out.splitlines()) < 100
    assert "mjsdk explain" in out
    assert max(map(len, out.splitlines())) <= 120


def start(folder, *args):
    command = [sys.executable, "-c", "from mjsdk.cli import main; main()", "train", *WALK, *SMALL, *args]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_until(process, text):
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return seen
    raise AssertionError("".join(seen) + process.stderr.read())


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, mjsdk):
    process = start(tmp_path, "--agent.max-iterations", "100000")
    lines_until(process, "iteration 2/")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted: " in out
    run = find_run("latest")
    assert run.metrics()[-1]["iteration"] == int(run.newest_checkpoint().stem.removeprefix("model_"))
    assert f"mjsdk train --resume --agent.load-run {run.name}" in out
    assert mjsdk("train", "--resume", "--agent.max-iterations", run.metrics()[-1]["iteration"] + 1)[0] == 0


@pytest.mark.slow
def test_a_killed_training_can_be_resumed_wherever_it_was(tmp_path, mjsdk):
    for moment in ("run  ", "iteration 1/", "iteration 5/"):
        process = start(tmp_path, "--agent.max-iterations", "100000", "--agent.save-interval", "3")
        lines_until(process, moment)
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        run = find_run("latest")
        done = int(run.newest_checkpoint().stem.removeprefix("model_"))
        code, _, err = mjsdk("train", "--resume", "--agent.max-iterations", done + 2)
        assert code == 0, err
        assert [row["iteration"] for row in run.metrics()] == list(range(1, done + 3))
        assert all(json.dumps(row) for row in run.metrics())
