import builtins
import json
import sys
from unittest.mock import Mock

import pytest

from mjsdk.errors import MissingDependency, StorageError
from mjsdk.learn.loggers import MetricsFile, TensorBoard, WeightsAndBiases, open_loggers, require_logger
from mjsdk.learn.report import Report
from mjsdk.runs import Run


def report(iteration, **values):
    return Report(
        iteration=iteration, last_iteration=9, timesteps=10 * iteration, values=values, times={"iteration_s": 0.5}
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def write(path, iterations, after=0):
    file = MetricsFile(path, after)
    for iteration in iterations:
        file.iteration(report(iteration, **{"loss/value": iteration / 2}))
    file.close()


def test_every_iteration_is_one_line_that_is_there_at_once(path):
    file = MetricsFile(path, 0)
    file.iteration(report(1, **{"loss/value": 0.25}))
    expected = {"iteration": 1, "timesteps": 10, "loss/value": 0.25, "time/iteration_s": 0.5}
    assert json.loads(path.read_text()) == expected
    file.close()


def test_a_half_written_last_line_is_not_read(path):
    write(path, [1, 2])
    with path.open("a") as file:
        file.write('{"iteration": 3, "los')
    assert [row["iteration"] for row in Run(path.parent).metrics()] == [1, 2]


def test_lines_that_are_not_rows_are_skipped(path):
    write(path, [1])
    with path.open("ab") as file:
        file.write(b'3\n[1]\nnull\n\xff\x00\n{"iteration": "x"}\n' + b"[" * 100_000 + b"\n")
        file.write(b'{"iteration": 2}\n')
    assert [row["iteration"] for row in Run(path.parent).metrics()] == [1, 2]


def test_resuming_keeps_a_copy_of_a_damaged_file(path, caplog):
    write(path, [1, 2])
    spoilt = b"\xff\x00\n" + path.read_bytes()
    path.write_bytes(spoilt)
    write(path, [3], after=2)
    assert [row["iteration"] for row in Run(path.parent).metrics()] == [1, 2, 3]
    assert path.with_name("metrics.jsonl.damaged").read_bytes() == spoilt
    assert "metrics.jsonl are left out: 1" in caplog.text


def test_resuming_cuts_what_will_be_done_again_and_half_lines(path):
    write(path, [1, 2, 3, 4])
    with path.open("a") as file:
        file.write('{"iteration": 5, "los')
    write(path, [3], after=2)
    assert [row["iteration"] for row in Run(path.parent).metrics()] == [1, 2, 3]


def test_numbers_that_are_not_finite_are_null_in_json(path):
    file = MetricsFile(path, 0)
    file.iteration(report(1, **{"metrics/x": float("nan")}))
    file.close()
    assert Run(path.parent).metrics()[0]["metrics/x"] is None


def test_a_full_disk_is_a_storage_error(path):
    file = MetricsFile(path, 0)
    file._file.close()
    file._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115, PTH123
    with pytest.raises(StorageError, match=r"metrics\.jsonl: No space left on device"):
        file.iteration(report(1))
    file.close()


def test_tensorboard_gets_all_values_and_forgets_what_is_done_again(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for after, iterations in ((0, (1, 2, 3)), (2, (3,))):
        board = TensorBoard(tmp_path, after)
        for iteration in iterations:
            board.iteration(report(iteration, **{"loss/value": float(10 * after + iteration)}))
        board.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/value")] == [(1, 1.0), (2, 2.0), (3, 23.0)]


def test_wandb_is_asked_for_only_when_chosen(monkeypatch):
    real = builtins.__import__
    monkeypatch.setitem(sys.modules, "wandb", None)
    require_logger("tensorboard")
    require_logger("none")
    with pytest.raises(MissingDependency, match=r"pip install 'mjsdk\[wandb\]'"):
        require_logger("wandb")
    assert builtins.__import__ is real


def test_wandb_gets_every_iteration_once_chosen(lab, monkeypatch):
    class Sent:
        def __init__(self, **given):
            self.given, self.rows = given, []

        def log(self, row, step=None):
            self.rows.append((step, row["iteration"], row["timesteps"]))

        def define_metric(self, name, step_metric=None):
            self.rows.append((name, step_metric))

        def finish(self):
            self.rows.append("finished")

    module = type(sys)("wandb")
    module.init = lambda **given: setattr(module, "sent", Sent(**given)) or module.sent
    monkeypatch.setitem(sys.modules, "wandb", module)
    run = lab.start().run
    _, wandb = open_loggers(run, "wandb", "walkers", 0)
    wandb.iteration(report(1))
    wandb.close()
    _.close()
    assert module.sent.rows == [("iteration", None), ("*", "iteration"), (None, 1, 10), "finished"]
    assert (module.sent.given["project"], module.sent.given["name"]) == ("walkers", run.name)


def test_rsl_rl_does_not_bring_optional_loggers_along():
    code = (
        "import sys, types; import importlib.util as u; "
        "sys.meta_path.insert(0, type('F', (), {'find_spec': staticmethod(lambda n, p=None, t=None: "
        "sys.exit('imported ' + n) if n in ('wandb', 'neptune') else None)})); import mjsdk.learn.rsl"
    )
    import os
    import subprocess

    env = {**os.environ, "PATH": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


class Wandb:
    """What W&B was given: how runs were opened, and the steps that rows came with."""

    def __init__(self, monkeypatch):
        self.opened, self.rows = [], []
        module = type(sys)("wandb")
        module.init = lambda **given: self.opened.append(given) or self
        monkeypatch.setitem(sys.modules, "wandb", module)

    def log(self, row, step=None):
        self.rows.append((row["iteration"], step))

    def define_metric(self, name, step_metric=None):
        pass

    def finish(self):
        pass


def test_wandb_knows_a_run_again_and_no_other(lab, tmp_path, monkeypatch):
    wandb = Wandb(monkeypatch)
    old = [tmp_path / experiment / "2026-01-31_14-05-59" for experiment in ("a_walk", "b_walk")]
    for path in old:
        path.mkdir(parents=True)
        (path / "config.yaml").write_text("robot: x\ntask: y\n")
    new = lab.start().run
    new.write_info({**new.info, "id": "4f2a"})
    for path in (*old, new.path, new.path):
        WeightsAndBiases(Run(path), "walkers", 0)
    first, second, third, again = (given["id"] for given in wandb.opened)
    assert len({first, second, third}) == 3
    assert third == again == f"point_stay-{new.name}-4f2a"


def test_wandb_is_reported_of_iterations_that_are_done_a_second_time(lab, monkeypatch):
    wandb, run = Wandb(monkeypatch), lab.start().run
    for iterations in ((1, 2, 3, 4), (3,)):
        logger = WeightsAndBiases(run, "walkers", 0)
        for iteration in iterations:
            logger.iteration(report(iteration))
    assert wandb.rows == [(1, None), (2, None), (3, None), (4, None), (3, None)]


def test_tensorboard_forgets_everything_when_a_training_goes_back_to_its_start(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for iterations in ((1, 2, 3), (1,)):
        board = TensorBoard(tmp_path, 0)
        for iteration in iterations:
            board.iteration(report(iteration, **{"loss/value": float(len(iterations))}))
        board.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/value")] == [(1, 1.0)]


def test_a_logger_that_cannot_be_reached_is_left_out_with_one_warning(lab, monkeypatch, caplog):
    wandb = Wandb(monkeypatch)
    metrics, logger = open_loggers(lab.start().run, "wandb", "walkers", 0)
    metrics.close()
    wandb.log = Mock(side_effect=ConnectionError("no route to host"))
    wandb.finish = Mock(side_effect=ConnectionError("no route to host"))
    for iteration in (1, 2):
        logger.iteration(report(iteration))
    logger.close()
    assert wandb.log.call_count == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the training continues without WeightsAndBiases, which failed: ConnectionError: no route to host"
    ]
