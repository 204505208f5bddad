"""Whether a policy fits an environment: the same observations, actions and joints, with the same meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mjsdk.errors import BrokenRun, MjsdkError
from mjsdk.learn.adapter import GROUPS
from mjsdk.runs import Run


def _of_other_groups(name: str, groups: Sequence[str]) -> bool:
    return name.startswith("observations.") and name.split(".")[1] not in groups


def check_layout(
    trained: Mapping[str, Any], built: Mapping[str, Any], run: Run, groups: Sequence[str] = GROUPS
) -> None:
    """Raise `BrokenRun` that says what of observations, actions and joints is not as it was in training."""
    changes = [
        f"{group} observations {_differences(_sizes(trained, group), _sizes(built, group))}"
        for group in groups
        if trained["observations"][group] != built["observations"][group]
    ]
    if trained["num_actions"] != built["num_actions"]:
        changes.append(f"{trained['num_actions']} actions then, {built['num_actions']} now")
    if list(trained["joints"]) != list(built["joints"]):
        changes.append(f"joints {_differences(_order(trained['joints']), _order(built['joints']))}")
    changes += [
        f"{name} was {value}, is {built['meaning'][name]}"
        for name, value in trained.get("meaning", {}).items()
        if built["meaning"].get(name, value) != value and not _of_other_groups(name, groups)
    ]
    if changes:
        raise BrokenRun(f"run {run.name} does not fit the installed plugins: {'; '.join(changes)}. {_way_out(run)}")


def _way_out(run: Run) -> str:
    trained = run.info.get("plugins", [])
    told = ", ".join(f"{p['dist'] or p['target']} {p['version']}".strip() for p in trained) or "unknown versions"
    if not trained or _versions(trained) != _installed(run):
        return f"It was trained with {told}: install those versions, or train again."
    return (
        f"It was trained with these versions ({told}): the settings or a plugin's code have changed since, or the "
        "checkpoint is that of another training. Undo the change, choose another checkpoint, or train again."
    )


def _installed(run: Run) -> set[tuple[str, str, str]]:
    try:
        return _versions(run.session().provenance())
    except MjsdkError:
        return set()


def _versions(plugins: Iterable[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    return {(plugin["kind"], plugin["name"], plugin["version"]) for plugin in plugins}


def _sizes(layout: Mapping[str, Any], group: str) -> dict[str, int]:
    return {name: stop - start for name, (start, stop) in layout["observations"][group].items()}


def _order(names: list[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(names)}


def _differences(then: dict[str, int], now: dict[str, int]) -> str:
    gone = [name for name in then if name not in now]
    new = [name for name in now if name not in then]
    moved = [f"{name} ({then[name]} then, {now[name]} now)" for name in then if name in now and then[name] != now[name]]
    parts = (("without", gone), ("with the new", new), ("with other sizes or places:", moved))
    told = [f"{text} {', '.join(names[:5])}{'...' if len(names) > 5 else ''}" for text, names in parts if names]
    return ", ".join(told) or "in another order"
