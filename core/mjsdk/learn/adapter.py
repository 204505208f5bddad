"""From mjsdk's settings and observations to rsl_rl's networks, storage and PPO."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import torch
from tensordict import TensorDict
from torch.distributions import Distribution

from mjsdk.config.agent import ActorConfig, AgentConfig, CriticConfig
from mjsdk.config.checks import RECURRENT
from mjsdk.learn.ppo import ParallelPPO, Rollout
from mjsdk.learn.rsl import MLPModel, RNNModel

GROUPS = ("actor", "critic")
"""Observation groups that the networks see. rsl_rl stores every group it is given, so it gets no others."""


@contextmanager
def unvalidated_distributions(off: bool = True) -> Iterator[None]:
    """Switch the checks of torch.distributions off, and back to what they were afterwards.

    rsl_rl's Gaussian switches them off for the whole process, for speed; other code in the process may want them.
    """
    before = Distribution._validate_args
    if off:
        Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)


def build_network(kind: str, config: ActorConfig | CriticConfig, obs_dim: int, output_dim: int) -> MLPModel:
    """The network `actor` or `critic` for observations of `obs_dim` numbers."""
    example = TensorDict({kind: torch.zeros(1, obs_dim)}, batch_size=[1])
    settings: dict[str, Any] = {
        "hidden_dims": list(config.hidden_dims),
        "activation": config.activation,
        "obs_normalization": config.obs_normalization,
    }
    if isinstance(config, ActorConfig):
        settings["distribution_cfg"] = {
            "class_name": "GaussianDistribution",
            "init_std": config.init_noise_std,
            "std_type": config.noise_std_type,
            "std_range": tuple(config.noise_std_range),
        }
    with unvalidated_distributions(off=False):
        if config.class_name not in RECURRENT:
            return MLPModel(example, {kind: [kind]}, kind, output_dim, **settings)
        recurrent = {"rnn_hidden_dim": config.rnn_hidden_dim, "rnn_num_layers": config.rnn_num_layers}
        return RNNModel(example, {kind: [kind]}, kind, output_dim, rnn_type=config.class_name, **settings, **recurrent)


def build_algorithm(agent: AgentConfig, obs: TensorDict, num_actions: int, device: str) -> ParallelPPO:
    """rsl_rl's PPO with fresh networks for observations like `obs`, tensors of shape (E, D)."""
    actor = build_network("actor", agent.actor, obs["actor"].shape[-1], num_actions)
    critic = build_network("critic", agent.critic, obs["critic"].shape[-1], 1)
    storage = Rollout("rl", len(obs["actor"]), agent.num_steps_per_env, obs, [num_actions], device)
    algorithm = ParallelPPO(actor, critic, storage, device=device, **attrs.asdict(agent.algorithm))
    algorithm.train_mode()
    for group in algorithm.optimizer.param_groups:
        group["fused"] = True  # One pass over all weights: a quarter of the time of small networks goes here else.
    return algorithm
