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
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mjsdk.config import yamlio
from mjsdk.errors import BrokenRun, ConfigError, Mistake, StorageError, UnknownRun, closest, listing
from mjsdk.learn.versions import check_plugins, check_version

if TYPE_CHECKING:
    from mjsdk.config import Config
    from mjsdk.plugins import Session

CONFIG = "config.yaml"
INFO = "run.json"
METRICS = "metrics.jsonl"
PLUGINS = "plugins"

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
        return self.path.name or self.path.resolve().name

    @property
    def complete(self) -> bool:
        """Whether the folder holds what `play`, `eval` and `--resume` need."""
        return not self.missing

    @property
    def missing(self) -> str:
        """What the folder lacks to be complete."""
        parts = {CONFIG: (self.path / CONFIG).is_file(), "checkpoint (model_<iteration>.pt)": bool(self.checkpoints())}
        return " and no ".join(part for part, there in parts.items() if not there)

    # What was trained

    @cached_property
    def config_data(self) -> dict[str, Any]:
        """All settings as plain data."""
        return _read(self.path / CONFIG, yamlio.load)

    @cached_property
    def info(self) -> dict[str, Any]:
        """Where the run came from, as plain data."""
        data = _read(self.path / INFO, json.loads)
        check_plugins(self.path / INFO, data.get("plugins", []))
        return data

    def session(self) -> Session:
        """The plugins that the run was trained with; local files come from the run folder."""
        from mjsdk.plugins import open_session

        data = self.config_data
        for key in ("robot", "task"):
            if not isinstance(data.get(key), str) or not data[key]:
                raise BrokenRun(
                    f"{self.path / CONFIG} does not say which {key} was trained; the file is not one that mjsdk wrote"
                )
            self._check_name(key, data[key])
        extras = [self._plugin(extra) for extra in data.get("extras") or []]
        session = open_session(self._plugin(data["robot"]), self._plugin(data["task"]), extras)
        self._check_versions(session)
        return session

    def config(self, session: Session) -> Config:
        """All settings, checked against the plugins of `session`."""
        from mjsdk.config.checks import check
        from mjsdk.config.convert import from_plain

        try:
            config = from_plain(self.config_data, session.terms())
            mistakes = check(config, session.terms(), robot=session.robot()).mistakes
            if mistakes:
                raise ConfigError(mistakes)
            return config
        except ConfigError as error:
            raise BrokenRun(f"{self.path / CONFIG} does not fit the installed plugins: {error}") from error

    def _plugin(self, spec: str) -> str:
        """The name of a plugin, or the path of the copy that the run keeps of a local file."""
        copy = self.path / spec
        return str(copy.resolve()) if spec.endswith(".py") and copy.is_file() else spec

    def _check_name(self, kind: str, spec: str) -> None:
        name = Path(spec.rpartition(":")[2]).stem
        known = [was["name"] for was in self.info.get("plugins", []) if was["kind"] == kind]
        if known and name not in known:
            raise BrokenRun(
                f"{self.path / CONFIG} says {kind} '{name}', but {INFO} beside it says that '{known[0]}' was trained. "
                f"Write `{kind}: {known[0]}` into {CONFIG}, or train again."
            )

    def _check_versions(self, session: Session) -> None:
        before = {(was["kind"], was["name"]): was for was in self.info.get("plugins", [])}
        for now in session.provenance():
            was = before.get((now["kind"], now["name"]))
            if was is not None:
                check_version(self.path, was, now)
            elif now["kind"] in ("robot", "task"):
                _log.warning(
                    "%s does not say which version of %s '%s' was trained: it is taken for the installed one",
                    self.path / INFO,
                    now["kind"],
                    now["name"],
                )

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
                f"no checkpoint of run {self.name} matches '{pattern}'{closest(pattern, names) or '.'} "
                f"There: {listing(names)}"
            )
        return self.path / chosen[-1]

    def find_checkpoint(self, name: str | Path) -> Path:
        """The checkpoint of that name in this run, or at that path, which has a folder."""
        elsewhere = [Path(name)] if len(Path(name).parts) > 1 else []
        for path in (self.path / name, *elsewhere):
            if path.is_file():
                return path
        there = [path.name for path in self.checkpoints()]
        raise UnknownRun(
            f"run {self.name} has no checkpoint '{name}'{closest(str(name), there) or '.'} There: {listing(there)}"
        )

    def checkpoint_path(self, iteration: int) -> Path:
        """Where the checkpoint of that many iterations is, or would be."""
        return self.path / f"model_{iteration}.pt"

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`; what is not one is left out."""
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
            with suppress(OSError):  # other runs may be there
                self.path.parent.rmdir()
                self.path.parent.parent.rmdir()


def iteration_of(checkpoint: Path) -> int:
    """Iterations done before that checkpoint was written, by its name."""
    match = _CHECKPOINT.fullmatch(checkpoint.name)
    return int(match[1]) if match else -1


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
    """The lines of a metrics file that are whole."""
    return [row for row in metrics_lines(path) if row is not None]


def metrics_lines(path: Path) -> list[dict[str, Any] | None]:
    """The lines of a metrics file, None for those that are damaged; a last line that was cut short is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BrokenRun(f"{path} cannot be read: {error.strerror or error}") from error
    return [_row(line) for line in lines[:-1]]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("iteration", 0), int) else None


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
    for run in _incomplete(log_root, experiment):
        if run.name == pattern or _pattern(pattern, "load_run").fullmatch(run.name):
            raise BrokenRun(f"run {run.path} is not complete: it has no {run.missing}. Choose another, or train again.")
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


def _incomplete(log_root: str | Path, experiment: str) -> list[Run]:
    """Folders that hold some of what a run does, but not all; the newest by name comes first."""
    root = Path(log_root) / "rsl_rl"
    files = [path for name in (CONFIG, INFO, "model_*.pt") for path in root.glob(f"{experiment}/*/{name}")]
    folders = sorted({path.parent for path in files if not path.parent.name.startswith(".")}, reverse=True)
    return [run for run in map(Run, folders) if not run.complete]


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
