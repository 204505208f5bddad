"""A trained policy as a function, without its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from mjsdk.config.convert import to_plain
from mjsdk.errors import BrokenRun
from mjsdk.learn.adapter import GROUPS, build_network
from mjsdk.learn.checkpoints import read_checkpoint
from mjsdk.learn.fitting import described, network_sizes
from mjsdk.learn.layout import check_layout
from mjsdk.learn.rsl import MLPModel
from mjsdk.mdp.clock import GaitClock
from mjsdk.runs import Run

if TYPE_CHECKING:
    from mjsdk.config.agent import AgentConfig
    from mjsdk.env import Env


def describe_policy(agent: AgentConfig, env: Env) -> dict[str, Any]:
    """What a checkpoint says of its policy: the network, what goes in, in which order, and what comes out."""
    networks = {name: attrs.asdict(getattr(agent, name)) for name in GROUPS}
    return {**networks, "clip_actions": agent.clip_actions, **describe_env(env)}


def describe_env(env: Env) -> dict[str, Any]:
    """The part of `describe_policy` that the environment decides."""
    slices = env.observation_slices
    return {
        "num_actions": env.num_actions,
        "observations": {group: {name: [at.start, at.stop] for name, at in slices[group].items()} for group in GROUPS},
        "joints": list(env.names.joints),
        "meaning": _meaning(env),
    }


def _meaning(env: Env) -> dict[str, Any]:
    """Settings that give the same numbers another meaning."""
    groups = {name: env.config.observations[name] for name in GROUPS}
    return {
        "mirror_clock": env.config.mirror_clock,
        "default_joint_pos": [round(value, 6) for value in env.robot.default_joint_pos.tolist()],
        **_gaits(env),
        **{f"actions.{name}": to_plain(config) for name, config in env.config.actions.items()},
        **{
            f"observations.{group}.terms.{name}.scale": term.scale
            for group, config in groups.items()
            for name, term in config.terms.items()
        },
    }


def _gaits(env: Env) -> dict[str, Any]:
    """What clocks and lifts take from the robot, which the settings do not tell."""
    clocks = {name: term for name, term in env.commands.terms.items() if isinstance(term, GaitClock)}
    rhythm = {f"commands.{name}.frequency": float(term.frequency) for name, term in clocks.items()}
    if env.gait is None or not clocks:
        return rhythm
    steps = {"offsets": list(env.gait.offsets), "lift": [dict(lift) for lift in env.gait.lift]}
    return rhythm | {f"gait.{name}": value for name, value in steps.items()}


@attrs.frozen(eq=False)
class Policy:
    """The deterministic policy of a checkpoint: the mean of the last part of its training (`agent.averaging`)."""

    _network: MLPModel
    description: Mapping[str, Any]
    """See `describe_policy`."""
    iteration: int
    """Iterations done when it was saved."""
    run: Run
    checkpoint: Path
    """File that it comes from."""
    progress: dict[str, Tensor]
    """How far the training was by then, see `Env.progress`."""

    @torch.no_grad()
    def __call__(self, obs: Mapping[str, Tensor] | Tensor) -> Tensor:
        """Actions, shape (E, A), for the observation group `actor`, shape (E, D), or a dict that has it."""
        actor = obs if isinstance(obs, Tensor) else obs["actor"]
        if actor.shape[-1] != (width := network_sizes(self.description)["actor"][0]):
            raise BrokenRun(
                f"the policy of run {self.run.name} takes {width} observations, not {actor.shape[-1]}: "
                "the robot or the task is not what it was trained with."
            )
        actions, limit = self._network({"actor": actor}), self.description["clip_actions"]
        return actions if limit is None else actions.clamp(-limit, limit)

    def reset(self, ids: Tensor | None = None) -> None:
        """Forget the past of the worlds `ids`, or of all; only recurrent policies have one."""
        state = self._network.get_hidden_state()
        if ids is None or state is None:
            self._network.reset()
            return
        for part in state if isinstance(state, tuple) else (state,):
            part[:, ids] = 0.0

    def check(self, env: Env) -> None:
        """Raise `BrokenRun` unless observations, actions and joints of `env` are those of the training."""
        check_layout(self.description, describe_env(env), self.run, groups=("actor",))


def load_policy(run: Run, checkpoint: str | Path | None = None, device: str = "cpu") -> Policy:
    """The policy of a run: of its newest checkpoint, or of the one named, such as `model_100.pt`."""
    path = run.newest_checkpoint() if checkpoint is None else run.find_checkpoint(checkpoint)
    data = read_checkpoint(run, path, device)
    description = data["infos"]["policy"]
    network = build_network("actor", described(description).actor, *network_sizes(description)["actor"])
    network.load_state_dict(data["average_state_dict"])
    progress = data["infos"]["totals"]["progress"]
    return Policy(network.to(device).eval(), description, data["iter"], run, path, progress)
