"""One episode of every world, with what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import torch
from torch import Tensor

from mjsdk.errors import MjsdkError
from mjsdk.evaluate.commands import Command
from mjsdk.evaluate.episode_statistics import EpisodeStatistics
from mjsdk.evaluate.push import Pusher
from mjsdk.evaluate.setup import FEET_FORCE, FEET_VELOCITY
from mjsdk.motion import base_velocity, velocity_term

if TYPE_CHECKING:
    from mjsdk.env import Env

Policy = Callable[[Mapping[str, Tensor]], Tensor]
"""From observations by group to actions, shape (E, A)."""
TOUCH_N = 1.0
"""Force above which a foot is on the ground [N]."""


@attrs.define
class Episodes:
    """First episodes of all worlds, and how the commands were followed over time."""

    statistics: EpisodeStatistics
    commands: tuple[Command, ...]
    """None (empty) if the task has no velocity command."""
    length: int
    """Control steps of an episode that does not end early."""
    groups: Tensor
    """Which command each world was given, shape (E,); zeros without commands."""
    pushes: Tensor | None = None
    """How often each world was pushed, shape (E,); None if none was to be."""
    tracks: list[Tensor] = attrs.field(factory=list)
    """Per control step the mean velocity of the worlds alive (forward, left, yaw rate), shape (commands, 3)."""


def run_episodes(
    env: Env,
    policy: Policy,
    commands: Sequence[Command],
    *,
    seed: int,
    push: bool = False,
    on_step: Callable[[EpisodeStatistics], None] | None = None,
) -> Episodes:
    """Let every world live one episode; stop when all have ended.

    World `i` keeps command `i modulo their number` for its whole episode, whatever the training's ranges were. Tasks
    without a velocity command run under their own.
    """
    term = velocity_term(env)
    commands = tuple(commands) if term is not None else ()
    groups = torch.arange(env.num_envs) % max(len(commands), 1)
    episodes = Episodes(EpisodeStatistics(env.num_envs, env.step_dt), commands, env.max_episode_length, groups)
    if term is not None:
        term.fix(env.all_worlds, torch.tensor([command.values for command in commands])[groups].to(env.device))
    obs: Mapping[str, Tensor] = env.reset(seed=seed)
    for group, values in obs.items():
        if not values.isfinite().all():
            raise MjsdkError(f"observations of group '{group}' are not finite at the start of the evaluation")
    pusher = Pusher(env, seed) if push else None
    episodes.pushes = pusher.counts if pusher is not None else None
    with torch.no_grad():
        for step in range(env.max_episode_length):
            if pusher is not None:
                pusher(step, episodes.statistics.alive)
            obs = _step(env, policy, obs, episodes)
            if on_step is not None:
                on_step(episodes.statistics)
            if not episodes.statistics.alive.any():
                break
    return episodes


def _step(env: Env, policy: Policy, obs: Mapping[str, Tensor], episodes: Episodes) -> Mapping[str, Tensor]:
    before = env.actions.action.clone()
    obs, reward, terminated, truncated, _ = env.step(policy(obs))
    values = {"action_change": (env.actions.action - before).abs().mean(1)}  # averaged over time, shape (E,) each
    velocity, term = base_velocity(env.robot) if env.robot.has_free_base else None, velocity_term(env)
    if velocity is not None:
        speed, power = velocity[:, :2].norm(dim=1), env.robot.power.sum(1)
        values |= {"speed": speed, "distance": speed * env.step_dt, "energy": power * env.step_dt}
        if term is not None:
            error = velocity - term.command
            values |= {"lin_vel_error": error[:, :2].norm(dim=1), "ang_vel_error": error[:, 2].abs()}
        values |= _feet(env)
    quantities = {name: value.cpu() for name, value in values.items()}
    episodes.statistics.add(reward.cpu(), terminated.cpu(), truncated.cpu(), quantities)
    if episodes.commands and velocity is not None:
        alive, count = episodes.statistics.alive, len(episodes.commands)
        groups, there = episodes.groups[alive], torch.ones(int(alive.sum()))
        total = torch.zeros(count, 3).index_add_(0, groups, velocity.cpu()[alive])
        lasting = torch.zeros(count).index_add_(0, groups, there)
        episodes.tracks.append(total / lasting.unsqueeze(1))  # NaN where nobody is left
    return obs


def _feet(env: Env) -> dict[str, Tensor]:
    """Ground contact and slip of the feet, if the robot has them."""
    sensors = env.config.scene.sensors
    if FEET_FORCE not in sensors:
        return {}
    touching = env.sensor(FEET_FORCE).norm(dim=-1) > TOUCH_N
    values = {"grounded": touching.all(1).float(), "contacts": touching.sum(1).float()}
    if FEET_VELOCITY in sensors:
        slip = env.sensor(FEET_VELOCITY)[..., :2].norm(dim=-1)
        if slip.shape == touching.shape:
            values["slip"] = (slip * touching).sum(1)
    return values
