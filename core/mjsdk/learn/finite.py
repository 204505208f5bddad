"""NaN and infinity are found before they reach the weights, and named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mjsdk.errors import Diverged
from mjsdk.learn.rsl import PPO, RolloutStorage

if TYPE_CHECKING:
    from mjsdk.env import Env

_ADVICE = (
    "Resume from the newest checkpoint with --preset stable, a smaller --agent.algorithm.learning-rate or "
    "a smaller --agent.algorithm.max-grad-norm"
)


def all_finite(tensors: Iterable[Any]) -> bool:
    """Whether no number in some tensors is NaN or infinite. One pass, one wait for the device."""
    sums = [tensor.detach().sum(dtype=torch.float64) for tensor in tensors if tensor.is_floating_point()]
    return not sums or bool(torch.isfinite(torch.stack(sums)).all())


def check_rollout(storage: RolloutStorage, env: Env) -> None:
    """Raise `Diverged` for the first observation, reward or action of a rollout that is not finite."""
    if all_finite([*storage.observations.values(), storage.rewards, storage.actions]):
        return
    slices: Mapping[str, Mapping[str, slice]] = env.observation_slices
    found = [
        _found(f"observation '{name}' of group '{group}'", storage.observations[group][..., at])
        for group in storage.observations.keys()  # noqa: SIM118 - a TensorDict iterates over its rows
        for name, at in slices[group].items()
    ]
    found += [_found("the reward", storage.rewards), _found("the action", storage.actions)]
    faults = [(step, text) for step, text in filter(None, found)]
    if faults:
        raise Diverged(
            f"{min(faults, key=lambda pair: pair[0])[1]}. The term or the physics made it; no weight was changed."
        )


def _found(what: str, values: Tensor) -> tuple[int, str] | None:
    """First step and description of what is not finite in `values`, shape (S, E, D)."""
    bad = ~torch.isfinite(values).flatten(2).all(2)
    if not bad.any():
        return None
    step = int(bad.any(1).nonzero()[0])
    worlds = bad[step].nonzero().squeeze(1).tolist()
    listed = ", ".join(map(str, worlds[:8])) + (", ..." if len(worlds) > 8 else "")
    kind = "NaN" if torch.isnan(values[step]).any() else "infinite"
    return step, f"{what} is {kind} in {len(worlds)} of {bad.shape[1]} worlds ({listed}) at step {step} of the rollout"


def check_update(algorithm: PPO, losses: Mapping[str, float]) -> None:
    """Raise `Diverged` if an update left a loss or a weight that is not finite."""
    wrong = [name for name, value in losses.items() if not torch.isfinite(torch.tensor(value))]
    weights = [*algorithm.actor.state_dict().values(), *algorithm.critic.state_dict().values()]
    if not wrong and all_finite(weights):
        return
    what = f"the loss '{wrong[0]}'" if wrong else "a weight of the networks"
    raise Diverged(f"{what} is NaN or infinite after an update: training has diverged. {_ADVICE}.")
