"""Making run folders, and finding them again."""

from __future__ import annotations

import json
import math
import re
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mjsdk.errors import BrokenRun, ConfigError, Mistake, StorageError, UnknownRun, closest, listing, shortened
from mjsdk.runs.files import read_mapping
from mjsdk.runs.run import CONFIG, INFO, Run, pattern_of


def create_run(log_root: str | Path, experiment_name: str, run_name: str = "") -> Run:
    """An empty run under a hidden name, which `Run.publish` makes visible when it is complete."""
    folder = Path(log_root) / "rsl_rl" / _legal_name(experiment_name, "experiment_name")
    name = time.strftime("%Y-%m-%d_%H-%M-%S") + (f"_{_legal_name(run_name, 'run_name')}" if run_name else "")
    path = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise StorageError(
            f"cannot make a run folder in {folder}: {error.strerror or error}. Choose another with --log-root."
        ) from error
    return Run(path)


def find_run(spec: str | Path = "latest", log_root: str | Path = "logs") -> Run:
    """The run that `spec` means: `latest`, a folder, or the name of a run below `log_root`."""
    text, root = str(spec), Path(log_root) / "rsl_rl"
    try:
        if text == "latest":
            return newest_run(log_root)
        named = [Run(path) for path in (Path(text), root / text) if (path / CONFIG).is_file()][:1]
        named = named or [run for run in all_runs(log_root) if run.name == text]
        if len(named) != 1:
            raise UnknownRun(_unknown(text, log_root, named))
        named[0].newest_checkpoint()
        return named[0]
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UnknownRun(f"cannot look for run '{shortened(text)}': {error.strerror or error}") from error


def newest_run(log_root: str | Path = "logs", experiment: str = "*", pattern: str = ".*") -> Run:
    """The run that was trained last, among those of an experiment whose name matches a regular expression in full.

    What was trained last is what was begun or resumed last. A run's own name may be given as EXPERIMENT/NAME too.
    """
    runs = [run for run in all_runs(log_root, experiment) if not run.missing]
    chosen = [run for run in runs if _matches(run, pattern)]
    if chosen:
        return chosen[-1]
    root = Path(log_root) / "rsl_rl"
    where = root if experiment == "*" else root / experiment
    files = (path for name in (CONFIG, INFO, "model_*.pt") for path in root.glob(f"{experiment}/*/{name}"))
    for run in map(Run, sorted({path.parent for path in files}, reverse=True)):
        if not run.name.startswith(".") and run.missing and _matches(run, pattern):
            raise BrokenRun(f"run {run.path} is not complete: it has no {run.missing}. Choose another, or train again.")
    if runs:
        raise UnknownRun(f"no run in {where} matches '{shortened(pattern)}'. There: {_names(runs)}")
    raise UnknownRun(
        f"no run in {where} yet. Make one: `mjsdk train --robot ROBOT --task TASK`, or say where with --log-root."
    )


def all_runs(log_root: str | Path = "logs", experiment: str = "*") -> list[Run]:
    """All runs, by the time that they were begun or resumed last."""
    if not str(log_root).strip():  # it would be taken for the present folder
        raise ConfigError([Mistake("train.log_root", "must name a folder, such as logs; a dot is the present one")])
    if experiment != "*":  # nor may it be a pattern or another place
        _legal_name(experiment, "experiment_name")
    folders = (Path(log_root) / "rsl_rl").glob(f"{experiment}/*/{CONFIG}")
    runs = [Run(config.parent) for config in folders if not config.parent.name.startswith(".")]
    return sorted(runs, key=_trained)


def _matches(run: Run, pattern: str) -> bool:
    exact = pattern in (run.name, f"{run.path.parent.name}/{run.name}")
    return exact or bool(pattern_of(pattern, "load_run").fullmatch(run.name))


def _trained(run: Run) -> tuple[float, str]:
    """When a run was begun or resumed last, by what it says of itself: a copy has other times of files."""
    try:
        info = read_mapping(run.path / INFO, json.loads)
    except BrokenRun:
        return 0.0, run.name
    resumed = info.get("resumed")
    return max(map(_moment, [info, *(resumed if isinstance(resumed, list) else [])])), run.name


def _moment(entry: Any) -> float:
    """Seconds since 1970; entries of earlier versions have them as text only, and strangers' may have anything."""
    started, text = (entry.get("started"), entry.get("time")) if isinstance(entry, dict) else (None, None)
    try:
        moment = float(started) if started is not None else datetime.fromisoformat(str(text)).timestamp()
    except (OverflowError, TypeError, ValueError):
        return 0.0
    return moment if math.isfinite(moment) else 0.0


def _unknown(spec: str, log_root: str | Path, named: Sequence[Run]) -> str:
    if named:
        return f"several runs are called '{spec}': {listing(str(run.path) for run in named)}. Give the folder."
    path = Path(spec)
    if path.is_dir():
        return (
            f"{path} is not a run: it has no {CONFIG}. Give the folder of one run, {log_root}/rsl_rl/EXPERIMENT/TIME."
        )
    runs = all_runs(log_root)
    near = closest(spec, [run.name for run in runs]) or "."
    return (
        f"no run '{spec}'{near} Newest below {log_root}: {_names(runs)}. Use `latest`, a folder, or another --log-root."
    )


def _names(runs: Sequence[Run]) -> str:
    return listing(f"{run.path.parent.name}/{run.name}" for run in list(runs)[:-6:-1])


def _legal_name(name: str, setting: str) -> str:
    if not re.fullmatch(r"[\w][\w.+=-]*", name):
        wrong = f"'{shortened(name)}' cannot be part of a folder's name; use letters, digits and _ . + = -"
        raise ConfigError([Mistake(f"agent.{setting}", wrong)])
    return name
