"""Run folders: what a training leaves behind, how it is found again, and what is rebuilt from it.

logs/rsl_rl/<experiment_name>/<time>[_<run_name>]/
    config.yaml     all settings, plain data
    run.json        where they came from: plugins and versions, seed, git state, command line
    model_<n>.pt    checkpoints, by iterations done; model_0.pt is the policy before training
    metrics.jsonl   one line per iteration
    plugins/        copies of local files that were used as plugins
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from packaging.version import InvalidVersion, Version

from mjsdk.config import yamlio
from mjsdk.errors import BrokenRun, ConfigError, Mistake, StorageError, UnknownRun, closest, listing

if TYPE_CHECKING:
    from mjsdk.config import Config
    from mjsdk.plugins import Session

CONFIG = "config.yaml"
INFO = "run.json"
METRICS = "metrics.jsonl"
PLUGINS = "plugins"
IGNORE_VERSIONS = "MJSDK_IGNORE_VERSIONS"
"""Environment variable: use a run although its robot or task package has another version by now."""

_CHECKPOINT = re.compile(r"model_(\d+)\.pt")
_log = logging.getLogger(__name__)


class Run:
    """The folder of one training."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def complete(self) -> bool:
        """Whether the folder holds what `play`, `eval` and `--resume` need."""
        return (self.path / CONFIG).is_file() and bool(self.checkpoints())

    # What was trained

    @cached_property
    def config_data(self) -> dict[str, Any]:
        """All settings as plain data."""
        return _read(self.path / CONFIG, yamlio.load)

    @cached_property
    def info(self) -> dict[str, Any]:
        """Where the run came from, as plain data."""
        return _read(self.path / INFO, json.loads)

    def session(self) -> Session:
        """The plugins that the run was trained with; local files come from the run folder."""
        from mjsdk.plugins import open_session

        data = self.config_data
        for key in ("robot", "task"):
            if not isinstance(data.get(key), str) or not data[key]:
                raise BrokenRun(
                    f"{self.path / CONFIG} does not say which {key} was trained; the file is not one that mjsdk wrote"
                )
        extras = [self._plugin(extra) for extra in data.get("extras") or []]
        session = open_session(self._plugin(data["robot"]), self._plugin(data["task"]), extras)
        self._check_versions(session)
        return session

    def config(self, session: Session) -> Config:
        """All settings, checked against the terms of `session`."""
        from mjsdk.config.convert import from_plain

        try:
            return from_plain(self.config_data, session.terms())
        except ConfigError as error:
            raise BrokenRun(f"{self.path / CONFIG} does not fit the installed plugins: {error}") from error

    def _plugin(self, spec: str) -> str:
        """The name of a plugin, or the path of the copy that the run keeps of a local file."""
        copy = self.path / spec
        return str(copy.resolve()) if spec.endswith(".py") and copy.is_file() else spec

    def _check_versions(self, session: Session) -> None:
        before = {(was["kind"], was["name"]): was for was in self.info.get("plugins", [])}
        for now in session.provenance():
            was = before.get((now["kind"], now["name"]), now)
            if was["version"] != now["version"]:
                _judge_version(self.name, was, now)

    # Checkpoints and curves

    def checkpoints(self) -> list[Path]:
        """Files of the checkpoints, by iteration."""
        found = [path for path in self.path.glob("model_*.pt") if _CHECKPOINT.fullmatch(path.name)]
        return sorted(found, key=iteration_of)

    def newest_checkpoint(self, pattern: str = ".*") -> Path:
        """The checkpoint of the highest iteration whose name matches a regular expression in full."""
        names = [path.name for path in self.checkpoints()]
        chosen = [name for name in names if _pattern(pattern, "load_checkpoint").fullmatch(name)]
        if not names:
            raise BrokenRun(
                f"run {self.path} has no checkpoint (model_<iteration>.pt). Choose another run, or train again."
            )
        if not chosen:
            raise UnknownRun(
                f"no checkpoint of run {self.name} matches '{pattern}'{closest(pattern, names)} There: {listing(names)}"
            )
        return self.path / chosen[-1]

    def find_checkpoint(self, name: str | Path) -> Path:
        """The checkpoint of that name, or at that path."""
        for path in (self.path / name, Path(name)):
            if path.is_file():
                return path
        there = [path.name for path in self.checkpoints()]
        raise UnknownRun(
            f"run {self.name} has no checkpoint '{name}'{closest(str(name), there)} There: {listing(there)}"
        )

    def checkpoint_path(self, iteration: int) -> Path:
        """Where the checkpoint of that many iterations is, or would be."""
        return self.path / f"model_{iteration}.pt"

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`; a last line that was cut short is left out."""
        return read_metrics(self.path / METRICS)

    # Writing

    def write_config(self, data: dict[str, Any]) -> None:
        """Write all settings."""
        write_atomically(self.path / CONFIG, yamlio.dump(data).encode())
        self.__dict__["config_data"] = data

    def write_info(self, data: dict[str, Any]) -> None:
        """Write where the run came from."""
        write_atomically(self.path / INFO, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())
        self.__dict__["info"] = data

    def keep_plugin(self, source: Path, kind: str) -> str:
        """Copy a local plugin file into the run; returns what to call it in `config.yaml`."""
        name = f"{PLUGINS}/{kind}/{source.name}"
        try:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write {self.path / PLUGINS}: {error.strerror or error}") from error
        write_atomically(self.path / name, source.read_bytes())
        return name

    def publish(self) -> None:
        """Give a new run its final name, once it is complete enough to be found."""
        name = self.name.removeprefix(".").rpartition(".")[0]
        numbered = (self.path.with_name(f"{name}_{i}" if i > 1 else name) for i in itertools.count(1))
        target = next(path for path in numbered if not path.exists())
        try:
            self.path = self.path.rename(target)
        except OSError as error:
            raise StorageError(f"cannot make the run folder {target}: {error.strerror or error}") from error

    def discard(self) -> None:
        """Remove a new run that was not published."""
        if self.name.startswith("."):
            shutil.rmtree(self.path, ignore_errors=True)


def iteration_of(checkpoint: Path) -> int:
    """Iterations done before that checkpoint was written, by its name."""
    match = _CHECKPOINT.fullmatch(checkpoint.name)
    return int(match[1]) if match else -1


def _judge_version(run: str, was: dict[str, Any], now: dict[str, Any]) -> None:
    """Warn of a plugin that has changed since, or refuse it where such versions may differ in anything."""
    text = (
        f"run {run} was trained with {now['kind']} '{now['name']}' of {was['dist'] or was['target']} {was['version']}, "
        f"but {now['version'] or now['target']} is installed"
    )
    same_series = _series(was["version"]) == _series(now["version"])
    if now["kind"] == "extra" or same_series or os.environ.get(IGNORE_VERSIONS):
        _log.warning("%s", text)
        return
    raise BrokenRun(
        f"{text}; robot and task may be others now. Install the old one: "
        f"pip install '{was['dist']}=={was['version']}'. "
        f"Or train anew, or set {IGNORE_VERSIONS}=1 if you know that what changed does not matter."
    )


def _series(version: str) -> Any:
    """The part of a version within which nothing that a policy depends on should change."""
    try:
        return Version(version).release[:2]
    except InvalidVersion:
        return version


# Files


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file in full or not at all. Raises `StorageError`; what was there before is then untouched."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}. Nothing that was there before is lost."
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def _read(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    try:
        data = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BrokenRun(
            f"{path.parent} is not a complete run: it has no {path.name}. Runs are made by `mjsdk train`."
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BrokenRun(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise BrokenRun(f"{path} is damaged: it must hold `key: value`, not {type(data).__name__}")
    return data


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Lines of a metrics file up to the first that is not whole."""
    rows: list[dict[str, Any]] = []
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return rows
    except OSError as error:
        raise BrokenRun(f"{path} cannot be read: {error.strerror or error}") from error
    for line in lines[:-1]:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


# Making and finding


def create_run(log_root: str | Path, experiment_name: str, run_name: str = "") -> Run:
    """An empty run under a hidden name, which `Run.publish` makes visible when it is complete."""
    folder = Path(log_root) / "rsl_rl" / _legal_name(experiment_name, "experiment_name")
    name = time.strftime("%Y-%m-%d_%H-%M-%S") + (f"_{_legal_name(run_name, 'run_name')}" if run_name else "")
    path = folder / f".{name}.{os.getpid()}"
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise StorageError(
            f"cannot make a run folder in {folder}: {error.strerror or error}. Choose another with --log-root."
        ) from error
    return Run(path)


def find_run(spec: str | Path = "latest", log_root: str | Path = "logs") -> Run:
    """The run that `spec` means: `latest`, a folder, or the name of a run below `log_root`."""
    text = str(spec)
    if text == "latest":
        return newest_run(log_root)
    for path in (Path(text), Path(log_root) / "rsl_rl" / text):
        if (path / CONFIG).is_file():
            return _checked(Run(path))
    named = [run for run in all_runs(log_root) if run.name == text]
    if len(named) == 1:
        return _checked(named[0])
    raise UnknownRun(_unknown(text, log_root, named))


def newest_run(log_root: str | Path = "logs", experiment: str = "*", pattern: str = ".*") -> Run:
    """The run that started last, among those of an experiment whose name matches a regular expression in full."""
    runs = [run for run in all_runs(log_root, experiment) if run.complete]
    chosen = [run for run in runs if run.name == pattern or _pattern(pattern, "load_run").fullmatch(run.name)]
    if chosen:
        return chosen[-1]
    where = Path(log_root) / "rsl_rl" / ("" if experiment == "*" else experiment)
    if runs:
        raise UnknownRun(f"no run in {where} matches '{pattern}'. There: {_names(runs)}")
    raise UnknownRun(
        f"no run in {where} yet. Make one: `mjsdk train --robot ROBOT --task TASK`, or say where with --log-root."
    )


def all_runs(log_root: str | Path = "logs", experiment: str = "*") -> list[Run]:
    """All runs, by the time they started."""
    folders = (Path(log_root) / "rsl_rl").glob(f"{experiment}/*/{CONFIG}")
    runs = [Run(config.parent) for config in folders if not config.parent.name.startswith(".")]
    return sorted(runs, key=_started)


def _started(run: Run) -> tuple[float, str]:
    try:
        return float(run.info["started"]), run.name
    except (BrokenRun, KeyError, TypeError, ValueError):
        return 0.0, run.name


def _checked(run: Run) -> Run:
    run.newest_checkpoint()
    return run


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
        raise ConfigError(
            [
                Mistake(
                    f"agent.{setting}", f"'{name}' cannot be part of a folder's name; use letters, digits and _ . + = -"
                )
            ]
        )
    return name


def _pattern(text: str, setting: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError([Mistake(f"agent.{setting}", f"'{text}' is not a regular expression: {error}")]) from error
