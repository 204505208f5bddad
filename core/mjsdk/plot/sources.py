"""From runs to what is drawn as one curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mjsdk.plot.curves import Source

if TYPE_CHECKING:
    from mjsdk.runs import Run

_PER_RUN = ("seed", "resume", "load_run", "load_checkpoint")
"""Settings of the agent in which repetitions of a training may differ."""


def make_sources(runs: Sequence[Run], band: bool = True) -> list[Source]:
    """One source per run, or with `band` one for all runs whose settings differ by no more than the seed."""
    groups: list[tuple[object, list[Run]]] = []
    for run in runs:
        key = _settings(run)
        twins = next((members for other, members in groups if band and other == key), None)
        if twins is None:
            groups.append((key, [run]))
        else:
            twins.append(run)
    return [Source(_label(members), tuple(_rows(run) for run in members)) for _, members in groups]


def _settings(run: Run) -> dict[str, object]:
    """All settings that make a training, without its seed and where it was recorded."""
    data = run.config_data
    agent = {name: value for name, value in data.get("agent", {}).items() if name not in _PER_RUN}
    return {**data, "agent": agent, "train": None}


def _rows(run: Run) -> list[dict[str, object]]:
    """The lines of a run's metrics, without any that are JSON of another kind."""
    rows: list[object] = [*run.metrics()]
    return [row for row in rows if isinstance(row, dict)]


def _label(runs: Sequence[Run]) -> str:
    """The name of a run; of several, that of their experiment and what their names share."""
    if len(runs) == 1:
        return runs[0].name
    agent = runs[0].config_data.get("agent", {})
    return " ".join(filter(None, (runs[0].path.parent.name, agent.get("run_name"))))
