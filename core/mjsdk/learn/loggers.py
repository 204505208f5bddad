"""Curves: `metrics.jsonl` always, TensorBoard or Weights & Biases besides."""

from __future__ import annotations

import importlib
import json
import logging
import math
import re
from pathlib import Path
from typing import Any

from mjsdk.errors import BrokenRun, MissingDependency
from mjsdk.files import storing, write_atomically
from mjsdk.learn.report import Dispensable, Report, Watcher
from mjsdk.runs import METRICS, Run, metrics_lines

_LONGEST_ID = 128
"""Characters that W&B takes."""
_log = logging.getLogger(__name__)


def open_loggers(run: Run, logger: str, wandb_project: str, after: int) -> list[Watcher]:
    """The loggers of a training that resumes after iteration `after`; what was logged beyond it is cut off."""
    loggers: list[Watcher] = [MetricsFile(run.path / METRICS, after)]
    if logger == "tensorboard":
        loggers.append(Dispensable(TensorBoard(run.path, after)))
    elif logger == "wandb":
        loggers.append(Dispensable(WeightsAndBiases(run, wandb_project, after)))
    return loggers


def require_logger(logger: str) -> None:
    """Raise `MissingDependency` early if the package behind a logger is not installed."""
    if logger == "wandb":
        _import_wandb()


class MetricsFile:
    """One line of JSON per iteration, handed to the system at once."""

    def __init__(self, path: Path, after: int) -> None:
        self._path = path
        _cut(path, after)
        with storing(str(path)):
            self._file = path.open("ab", buffering=0)

    def iteration(self, report: Report) -> None:
        """Append a line."""
        row = report.row()
        gaps = {name: None for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)}
        line = f"{json.dumps(row | gaps)}\n".encode()
        with storing(str(self._path)):
            if self._file.write(line) != len(line):
                raise OSError(28, "No space left on device")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _cut(path: Path, after: int) -> None:
    """Keep the lines up to an iteration: a half-written last line goes, and what will be done again."""
    if not path.exists():
        return
    lines = metrics_lines(path)
    if None in lines:
        copy = path.with_name(f"{path.name}.damaged")
        write_atomically(copy, path.read_bytes())
        _log.warning("damaged lines of %s are left out: %d; the file as it was is %s", path, lines.count(None), copy)
    kept = [row for row in lines if row is not None and row.get("iteration", 0) <= after]
    write_atomically(path, "".join(f"{json.dumps(row)}\n" for row in kept).encode())


class TensorBoard:
    """Event files for TensorBoard, in the run folder."""

    def __init__(self, folder: Path, after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        with storing(str(folder)):
            self._writer = SummaryWriter(str(folder), purge_step=after + 1, flush_secs=5)

    def iteration(self, report: Report) -> None:
        """Write all values."""
        with storing(str(self._folder)):
            for name, value in report.row().items():
                if name != "iteration":
                    self._writer.add_scalar(name, value, report.iteration)

    def close(self) -> None:
        """Write what is left."""
        with storing(str(self._folder)):
            self._writer.close()


class WeightsAndBiases:
    """A run at Weights & Biases.

    Made as the other loggers are, with the iteration `after` which the training resumes: W&B keeps what was logged
    beyond it, under steps of its own.
    """

    def __init__(self, run: Run, project: str, after: int) -> None:
        wandb, path = _import_wandb(), run.path.resolve()
        try:
            own = str(run.info.get("id", ""))  # a random part that it was given, if it was
        except BrokenRun:
            own = ""
        names = "-".join(filter(None, (path.parent.name, path.name, own)))
        known_as = re.sub(r"[^\w.-]+", "-", names)[-_LONGEST_ID:]
        self._run = wandb.init(
            project=project, name=run.name, id=known_as, resume="allow", dir=str(run.path), config=run.config_data
        )
        if hasattr(self._run, "define_metric"):  # what stands in for a W&B run may lack it
            self._run.define_metric("iteration")
            self._run.define_metric("*", step_metric="iteration")

    def iteration(self, report: Report) -> None:
        """Send all values, in steps of W&B's own: it drops those of iterations that are done a second time."""
        self._run.log(report.row())

    def close(self) -> None:
        """Send what is left."""
        self._run.finish()


def _import_wandb() -> Any:
    try:
        return importlib.import_module("wandb")
    except ImportError as error:
        raise MissingDependency(
            f"agent.logger is wandb, but the package 'wandb' cannot be imported ({error}). "
            "Run: pip install 'mjsdk[wandb]', or choose --agent.logger tensorboard or none."
        ) from error
