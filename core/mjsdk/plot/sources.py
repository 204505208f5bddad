"""From runs to what is drawn as one curve."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from mjsdk.plot.curves import Source
from mjsdk.runs import METRICS, metrics_lines

if TYPE_CHECKING:
    from mjsdk.runs import Run

_log = logging.getLogger(__name__)

_PER_RUN = ("seed", "run_name", "max_iterations", "save_interval", "logger", "resume", "load_run", "load_checkpoint")
"""Settings of the agent in which repetitions of a training may differ."""


def make_sources(runs: Sequence[Run], band: bool = True) -> list[Source]:
    """One source per run, or with `band` one for all runs whose settings differ by seed, name and length at most."""
    groups: list[tuple[object, list[Run]]] = []
    for run in {run.path.resolve(): run for run in runs}.values():
        agent = {name: value for name, value in _agent(run).items() if name not in _PER_RUN}
        settings = {**run.config_data, "agent": agent, "train": None}
        twins = next((members for other, members in groups if band and other == settings), None)
        if twins is None:
            groups.append((settings, [run]))
        else:
            twins.append(run)
    labels = [_label(members) for _, members in groups]
    sources = []
    for label, (_, members) in zip(labels, groups, strict=True):
        first, title = members[0], label
        if labels.count(label) > 1:
            folder = first.path.resolve().parent.name
            title = f"{folder}/{label}" if len(members) == 1 else f"{label}, {first.name} and others"
        seeds = {str(_agent(run).get("seed")) for run in members}
        kind = "seeds" if len(seeds) == len(members) else "runs"
        sources.append(Source(title, tuple(map(_rows, members)), tuple(run.name for run in members), kind))
    return sources


def _agent(run: Run) -> Mapping[str, Any]:
    agent = run.config_data.get("agent")
    return agent if isinstance(agent, dict) else {}


def _rows(run: Run) -> list[dict[str, object]]:
    """The lines of a run's metrics that are whole."""
    path = run.path / METRICS
    lines = metrics_lines(path)
    if damaged := lines.count(None):
        _log.warning("%d of %d lines of %s are damaged and left out", damaged, len(lines), path)
    return [row for row in lines if row is not None]


def _label(runs: Sequence[Run]) -> str:
    """The name of a run; of several, that of their experiment and how their names begin."""
    if len(runs) == 1:
        return runs[0].name
    names = [re.split(r"[-_. ]", str(_agent(run).get("run_name") or "")) for run in runs]
    shared = takewhile(lambda words: len(set(words)) == 1, zip(*names, strict=False))
    return " ".join(filter(None, (runs[0].path.resolve().parent.name, *(words[0] for words in shared))))
