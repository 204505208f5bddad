"""From episodes to numbers for people and programs."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from mjsdk.evaluate.episode_statistics import SETTLE_S
from mjsdk.evaluate.push import INTERVAL_S, SPEED
from mjsdk.evaluate.rollout import Episodes
from mjsdk.evaluate.statistics import clopper_pearson, mean

GRAVITY = 9.81
_MOVING = 0.05
"""Mean speed below which the cost of transport means nothing [m/s]."""

DEFINITIONS = {
    "lin_vel_error": "mean over time after 1 s of |commanded - actual| horizontal base velocity in its yaw frame [m/s]",
    "ang_vel_error": "likewise of the yaw rate [rad/s]",
    "fall_rate": "share of episodes that ended by what the task counts as a failure before their time was up",
    "survival": "the others, with the exact (Clopper-Pearson) confidence interval",
    "foot_slip": "mean horizontal speed of feet that are on the ground, over whole episodes without a fall [m/s]",
    "feet_on_ground": "share of the whole time with all feet on the ground, commanded to stand; fallen is not standing",
    "action_change": "mean change of the actions from step to step, episodes without a fall [-]",
    "cost_of_transport": "work |torque x joint speed| over weight x way, walking, episodes without a fall [-]",
    "pushes": "velocity [m/s] in a random direction every interval [s], from a random time on; recovered is the share "
    "that no fall followed until the next one, or until the end of the episode",
}
"""What the metrics mean. Errors count a world while it is alive, and one that falls in its first second as a whole."""
_OF_EPISODES_WITHOUT_A_FALL = ("foot_slip", "action_change", "cost_of_transport")
"""Metrics of those that stay up; none where all fall under one of the commands."""


@attrs.frozen
class Report:
    """What an evaluation found; `data` is plain, for `--json`."""

    data: dict[str, Any]
    episodes: Episodes


def make_report(episodes: Episodes, mass: float, context: dict[str, Any], gravity: float = GRAVITY) -> Report:
    """Summarise episodes of a robot of `mass` [kg] under `gravity` [m/s^2]; `context` (run, seed...) is added as is."""
    weight = mass * gravity
    everyone = torch.ones_like(episodes.statistics.alive)
    data = _summary(episodes, everyone, weight)
    if episodes.pushes is not None:
        count = int(episodes.pushes.sum())
        falls = int((episodes.statistics.fell & (episodes.pushes > 0)).sum())  # each follows the last push of its world
        recovered = (count - falls) / count if count else None
        data["pushes"] = {"velocity": SPEED, "interval_s": INTERVAL_S, "count": count, "recovered": recovered}
    metrics = data["metrics"]
    if episodes.commands:
        # The same weight for every command: robots that fall under one of them must not make it count less.
        table = [_command_row(episodes, index, weight) for index in range(len(episodes.commands))]
        data["commands"] = table
        data["standing"] = _standing(episodes, table)
        for name in ("lin_vel_error", "ang_vel_error"):
            metrics[name] = mean([row[name] for row in table if row[name] is not None])
        if any(row["fall_rate"] == 1.0 for row in table):  # else a robot that only stands would be the best
            metrics |= dict.fromkeys(_OF_EPISODES_WITHOUT_A_FALL)
    return Report({**data, **context, "definitions": DEFINITIONS}, episodes)


def how_measured(data: dict[str, Any]) -> str:
    """How an evaluation was made, in a line, from the data of its report."""
    extras = [word for word, on in (("noise", data["noise"]), ("pushed", data["push"])) if on]
    physics = f"physics {data['sim']} on {data['physics']}"
    measured = f"{data['episodes']} episodes of {data['horizon_s']:g} s, {physics}, seed {data['seed']}"
    return ", ".join([measured, *extras])


def _summary(episodes: Episodes, worlds: Tensor, weight: float) -> dict[str, Any]:
    statistics = episodes.statistics
    count, fell = int(worlds.sum()), int((statistics.fell & worlds).sum())
    low, high = clopper_pearson(count - fell, count)
    up = worlds & ~statistics.fell  # toppling over is neither smooth walking nor a cheap way to get on
    return {
        "episodes": count,
        "fall_rate": fell / count,
        "survival": {"rate": (count - fell) / count, "low": low, "high": high, "confidence": 0.95},
        "metrics": {
            "lin_vel_error": _mean(episodes, "lin_vel_error", worlds),
            "ang_vel_error": _mean(episodes, "ang_vel_error", worlds),
            "action_change": _mean(episodes, "action_change", up),
            "foot_slip": _slip(episodes, up),
            "cost_of_transport": _cost_of_transport(episodes, up, weight),
        },
        "mean_reward": mean(statistics.reward[worlds].tolist()),
        "mean_episode_length_s": mean((statistics.steps[worlds].double() * statistics.step_dt).tolist()),
    }


def _command_row(episodes: Episodes, index: int, weight: float) -> dict[str, Any]:
    summary, command = _summary(episodes, episodes.groups == index, weight), episodes.commands[index]
    metrics = summary.pop("metrics")
    reached: list[float | None] = [None, None, None]
    if episodes.tracks:
        # After the first second if anybody lasts that long.
        tracks = torch.stack(episodes.tracks)[:, index]
        late = tracks[round(SETTLE_S / episodes.statistics.step_dt) :]
        settled = late if late.isfinite().any() else tracks
        reached = [mean(settled[:, axis].tolist()) for axis in range(3)]
    return {"command": list(command.values), "label": command.label, "mean_velocity": reached, **metrics, **summary}


def _standing(episodes: Episodes, table: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How still the robots stand that should: speed after the first second while up, feet the whole time."""
    index = next((i for i, command in enumerate(episodes.commands) if not any(command.values)), None)
    if index is None:
        return None
    worlds, grounded = episodes.groups == index, None
    if episodes.statistics.has("grounded"):
        steps = max(1, episodes.length - 1)  # the state after the last one is that of the next episode
        # A world that fell does not stand.
        grounded = float(episodes.statistics.total("grounded")[worlds].mean()) / steps
    speed = _mean(episodes, "speed", worlds)
    return {"mean_base_speed": speed, "feet_on_ground": grounded, "fall_rate": table[index]["fall_rate"]}


def _cost_of_transport(episodes: Episodes, worlds: Tensor, weight: float) -> float | None:
    walking = torch.tensor([bool(c.forward or c.left) for c in episodes.commands] or [True])[episodes.groups]
    if not episodes.statistics.has("distance"):
        return None
    chosen = worlds & walking
    way = float(episodes.statistics.total("distance")[chosen].sum())
    time_s = float(episodes.statistics.steps[chosen].sum()) * episodes.statistics.step_dt
    if not weight or not time_s or way / time_s < _MOVING:
        return None
    return float(episodes.statistics.total("energy")[chosen].sum()) / (weight * way)


def _mean(episodes: Episodes, name: str, worlds: Tensor) -> float | None:
    if not episodes.statistics.has(name):
        return None
    return mean(episodes.statistics.mean(name)[worlds].tolist())


def _slip(episodes: Episodes, worlds: Tensor) -> float | None:
    if not episodes.statistics.has("slip"):
        return None
    contacts = float(episodes.statistics.total("contacts")[worlds].sum())
    return float(episodes.statistics.total("slip")[worlds].sum()) / contacts if contacts else None
