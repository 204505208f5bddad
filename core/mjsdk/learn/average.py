"""The mean of a network over the last part of a training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """A running mean of a network's weights and statistics, over a fixed share of the iterations so far.

    A policy that learns with a constant step size wanders around what it has found: how well it does at the moment that
    the training ends is chance. The mean of where it was is steadily better (Polyak and Juditsky, 1992). Weights from t
    iterations ago count exp(-t / (share x iterations)), so that early ones are forgotten however long the training is
    (Shamir and Zhang, 2013). Training itself continues with the network as it is.
    """

    def __init__(self, network: nn.Module, share: float) -> None:
        self._network, self._share = network, share
        self._mean = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Take in the network as it is after that many iterations."""
        newest = 1.0 / max(1.0, self._share * iteration)
        for name, value in self._network.state_dict().items():
            if value.is_floating_point():
                self._mean[name].lerp_(value, newest)
            else:
                self._mean[name].copy_(value)

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of the mean, by the network's own names."""
        return {name: value.clone() for name, value in self._mean.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Resume from `state_dict`."""
        for name, value in self._mean.items():
            value.copy_(state[name])
