"""The folder of one training, and what is rebuilt from it."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import shutil
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from mjsdk.config import yamlio
from mjsdk.config.fields import RENAMED
from mjsdk.errors import (
    BrokenRun,
    ConfigError,
    Mistake,
    SelectionError,
    StorageError,
    UnknownRun,
    closest,
    listing,
    shortened,
)
from mjsdk.files import storing, write_atomically
from mjsdk.robot.selection import regular_expression
from mjsdk.runs import schema
from mjsdk.runs.files import metrics_lines, read_mapping
from mjsdk.runs.trust import remember, require_known

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
        return self.path.name or self.path.resolve().name

    @property
    def missing(self) -> str:
        """What the folder lacks of what `play`, `eval` and `--resume` need."""
        parts = {CONFIG: (self.path / CONFIG).is_file(), "checkpoint (model_<iteration>.pt)": bool(self.checkpoints())}
        return " and no ".join(part for part, there in parts.items() if not there)

    # What was trained

    @cached_property
    def config_data(self) -> dict[str, Any]:
        """All settings as plain data, by the names that they have today."""
        return _renamed(read_mapping(self.path / CONFIG, yamlio.load))

    @cached_property
    def info(self) -> dict[str, Any]:
        """Where the run came from, as plain data."""
        data = read_mapping(self.path / INFO, json.loads)
        schema.check(self.path / INFO, data, schema.info_shape(data))
        return data

    def session(self) -> Session:
        """The plugins that the run was trained with; local files come from the run folder.

        Raises `UntrustedCode`, and runs nothing, if one of these files is not known to this user.
        """
        from mjsdk.mdp import core_terms
        from mjsdk.plugins import open_session

        schema.check(self.path / CONFIG, self.config_data, schema.CONFIG_SHAPE)
        self._check_name("robot")
        self._check_name("task")
        robot, task, *extras = (spec for _, spec in self._plugins())
        allow = partial(require_known, self.name)
        session = open_session(robot, task, extras, core=core_terms, allow=allow)
        self._check_versions(session)
        return session

    def trust_code(self) -> None:
        """Take the local files that the run brings or names for known from now on, as they are."""
        from mjsdk.plugins import find_plugin, read_source

        for ref in [find_plugin(kind, spec) for kind, spec in self._plugins()]:
            if ref.local:
                remember(Path(ref.target), read_source(ref))

    def config(self, session: Session) -> Config:
        """All settings, checked against the plugins of `session`."""
        from mjsdk.config.convert import to_plain
        from mjsdk.config.settings import Settings

        try:
            config = Settings(session, self.config_data).config()
        except ConfigError as error:
            raise BrokenRun(f"{self.path / CONFIG} does not fit the installed plugins: {error}") from error
        # Settings that a training wrote are all there: what is missing would be a default that was not trained.
        written, found = self.info.get("settings"), named_settings(self.config_data)
        if written and len(found) not in written:
            lacking = listing(sorted(named_settings(to_plain(config)) - found))
            raise BrokenRun(
                f"{self.path / CONFIG} has {len(found)} settings, and {INFO} beside it says that the training wrote "
                f"{written[-1]}. Missing: {shortened(lacking)}. Restore the file, or train again."
            )
        return config

    def _plugins(self) -> list[tuple[str, str]]:
        """Kind and name of robot, task and extras, as exactly as the run knows them."""
        data = self.config_data
        named = [("robot", data["robot"]), ("task", data["task"]), *(("extra", e) for e in data.get("extras", []))]
        return [(kind, self._spec(kind, spec)) for kind, spec in named]

    def _spec(self, kind: str, spec: str) -> str:
        """The path of the copy that the run keeps of a local file, or the name with the package that it was of."""
        from mjsdk.plugins import installed

        copy = self.path / spec
        if spec.endswith(".py") and os.path.isfile(copy):  # noqa: PTH113 - false for what can be no path
            return str(copy.resolve())
        exact = {f"{was['dist']}:{spec}" for was in self._trained(kind) if was["dist"] and was["name"] == spec}
        return next((ref.spec for ref in installed() if ref.kind == kind and ref.spec in exact), spec)

    def _trained(self, kind: str) -> list[dict[str, Any]]:
        """What the run recorded of its plugins of a kind."""
        return [was for was in self.info.get("plugins", []) if was["kind"] == kind]

    def _check_name(self, kind: str) -> None:
        spec = self.config_data[kind]
        name = Path(spec.rpartition(":")[2]).stem
        known = [was["name"] for was in self._trained(kind)]
        if known and name not in known:
            raise BrokenRun(
                f"{self.path / CONFIG} says {kind} '{shortened(name)}', but {INFO} beside it says that "
                f"'{shortened(known[0])}' was trained. Write `{kind}: {shortened(known[0])}` into {CONFIG}, or train "
                "again."
            )

    def _check_versions(self, session: Session) -> None:
        before = {(was["kind"], was["name"]): was for was in self.info.get("plugins", [])}
        for now in session.provenance():
            was = before.get((now["kind"], now["name"]))
            if was is not None:
                _check_version(self.path, was, now)
            elif "format" in self.info:
                raise BrokenRun(
                    f"{self.path / INFO} is not what mjsdk wrote: plugins lacks {now['kind']} '{now['name']}', which "
                    f"{CONFIG} beside it names."
                )
            elif now["kind"] in ("robot", "task"):
                which = f"{self.path / INFO} does not say which version of {now['kind']} '{now['name']}' was trained"
                _log.warning("%s: it is taken for the installed one", which)

    # Checkpoints and curves

    def checkpoints(self) -> list[Path]:
        """Files of the checkpoints, by iteration."""
        found = [path for path in self.path.glob("model_*.pt") if _CHECKPOINT.fullmatch(path.name)]
        return sorted(found, key=iteration_of)

    def newest_checkpoint(self, pattern: str = ".*") -> Path:
        """The checkpoint of the highest iteration whose name matches a regular expression in full."""
        names = [path.name for path in self.checkpoints()]
        chosen = [name for name in names if pattern_of(pattern, "load_checkpoint").fullmatch(name)]
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
        return [row for row in metrics_lines(self.path / METRICS) if row is not None]

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
        with storing(str(self.path / PLUGINS)):
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        data = source.read_bytes()
        write_atomically(self.path / name, data)
        remember(source, data)
        return name

    def publish(self) -> None:
        """Give a new run its final name, once it is complete enough to be found."""
        target = self.path.with_name(self.name.removeprefix(".").rpartition(".")[0])
        try:
            self.path = self.path.rename(new_folder(target))  # an empty folder gives way
        except OSError as error:
            raise StorageError(f"cannot make the run folder {target}: {error.strerror or error}") from error

    def discard(self) -> None:
        """Remove a new run that was not published."""
        if self.name.startswith("."):
            shutil.rmtree(self.path, ignore_errors=True)
            with suppress(OSError):  # other runs may be there
                self.path.parent.rmdir()
                self.path.parent.parent.rmdir()


def _check_version(run: Path, was: dict[str, Any], now: dict[str, Any]) -> None:
    """Warn of a plugin that has changed since, or refuse it where such versions may differ in anything."""
    if was.get("api", now["api"]) != now["api"]:
        raise BrokenRun(
            f"run {run} was trained with {now['kind']} '{now['name']}' for plugin contract {was['api']}, "
            f"but the installed one is for {now['api']} (MJSDK_API). Install the old one, or train again."
        )
    same_package = was["dist"] == now["dist"]
    if same_package and was["version"] == now["version"]:
        return
    source = f"{was['dist'] or was['target']} {was['version']}".strip()
    instead = now["version"] if same_package else f"{now['dist'] or now['target']} {now['version']}".strip()
    text = (
        f"run {run.name} was trained with {now['kind']} '{now['name']}' of {source}, "
        f"but {instead} is {'installed' if now['dist'] else 'what it names now'}"
    )
    try:  # what a policy depends on should not change within a series
        same_series = same_package and Version(was["version"]).release[:2] == Version(now["version"]).release[:2]
    except InvalidVersion:
        same_series = False
    if now["kind"] == "extra" or same_series or os.environ.get(IGNORE_VERSIONS):
        _log.warning("%s", text)
        return
    old = f"Install the old one: pip install '{was['dist']}=={was['version']}'" if was["dist"] else "Put the file back"
    raise BrokenRun(
        f"{text}; robot and task may be others now. {old}. "
        f"Or train again, or set {IGNORE_VERSIONS}=1 if you know that what changed does not matter."
    )


def new_folder(path: Path) -> Path:
    """Make the folder `path`, or `path_2`, `path_3` and so on: the first whose name nothing has, asked by making it."""
    free = path
    for number in itertools.count(2):
        with suppress(FileExistsError):
            free.mkdir(parents=True)
            break
        free = path.with_name(f"{path.name}_{number}")
    return free


def iteration_of(checkpoint: Path) -> int:
    """Iterations done before that checkpoint was written, by its name."""
    match = _CHECKPOINT.fullmatch(checkpoint.name)
    return int(match[1]) if match else -1


def named_settings(data: Any, path: tuple[str, ...] = ()) -> set[str]:
    """Dotted paths of all settings in plain data; a map that an action or a command takes is one."""
    own_map = len(path) == 4 and path[:2] in (("env", "actions"), ("env", "commands"))
    if own_map or not isinstance(data, dict):
        return {".".join(path)}
    return set().union(*(named_settings(value, (*path, str(key))) for key, value in data.items()))


def _renamed(value: Any) -> Any:
    """Plain data with today's names, as keys and as the ends of paths."""
    if isinstance(value, dict):
        return {RENAMED.get(key, key): _renamed(item) for key, item in value.items()}
    if isinstance(value, str):
        above, dot, name = value.rpartition(".")
        return f"{above}{dot}{RENAMED.get(name, name)}" if dot else value
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def pattern_of(text: str, setting: str) -> re.Pattern[str]:
    """A regular expression that somebody wrote into a setting of the agent."""
    try:
        return regular_expression(text)
    except SelectionError as error:
        raise ConfigError([Mistake(f"agent.{setting}", str(error))]) from error
