"""Whether a policy fits an environment: the same observations, actions and joints, with the same meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from mjsdk.errors import BrokenRun, MjsdkError
from mjsdk.learn.adapter import GROUPS
from mjsdk.runs import Run


def check_layout(
    trained: Mapping[str, Any], built: Mapping[str, Any], run: Run, groups: Sequence[str] = GROUPS
) -> None:
    """Raise `BrokenRun` that says what of observations, actions and joints is not as it was in training."""
    changes = []
    for group in groups:
        then, now = trained["observations"][group], built["observations"][group]
        if then != now:
            widths = ({name: stop - start for name, (start, stop) in terms.items()} for terms in (then, now))
            changes.append(f"{group} observations {_differences(*widths)}")
    if trained["num_actions"] != built["num_actions"]:
        changes.append(f"{trained['num_actions']} actions then, {built['num_actions']} now")
    if list(trained["joints"]) != list(built["joints"]):
        orders = ({name: i for i, name in enumerate(layout["joints"])} for layout in (trained, built))
        changes.append(f"joints {_differences(*orders)}")
    for name, value in trained.get("meaning", {}).items():
        of_other_group = name.startswith("observations.") and name.split(".")[1] not in groups
        if built["meaning"].get(name, value) != value and not of_other_group:
            changes.append(f"{name} was {value}, is {built['meaning'][name]}")
    if changes:
        raise BrokenRun(f"run {run.name} does not fit the installed plugins: {'; '.join(changes)}. {_way_out(run)}")


def _way_out(run: Run) -> str:
    trained = run.info.get("plugins", [])
    versions = ", ".join(f"{p['dist'] or p['target']} {p['version']}".strip() for p in trained) or "unknown versions"
    now: list[dict[str, Any]] = []
    with suppress(MjsdkError):
        now = run.session().provenance() if trained else now
    then, installed = ({(p["kind"], p["name"], p["version"]) for p in plugins} for plugins in (trained, now))
    if not trained or then != installed:
        return f"It was trained with {versions}: install those versions, or train again."
    return (
        f"It was trained with these versions ({versions}): the settings or a plugin's code have changed since, or the "
        "checkpoint is that of another training. Undo the change, choose another checkpoint, or train again."
    )


def _differences(then: dict[str, int], now: dict[str, int]) -> str:
    gone = [name for name in then if name not in now]
    new = [name for name in now if name not in then]
    moved = [f"{name} ({then[name]} then, {now[name]} now)" for name in then if name in now and then[name] != now[name]]
    parts = (("without", gone), ("with the new", new), ("with other sizes or places:", moved))
    lines = [f"{text} {', '.join(names[:5])}{'...' if len(names) > 5 else ''}" for text, names in parts if names]
    return ", ".join(lines) or "in another order"
