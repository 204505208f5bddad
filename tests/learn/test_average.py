from __future__ import annotations

import pytest
import torch
from torch import nn

from mjsdk.learn.average import Average
from mjsdk.learn.policy import load_policy


def wandering(share, iterations, noise=1.0, trend=0.0):
    """The mean of a weight that jumps about 1, or moves by `trend` per iteration."""
    network = nn.Linear(1, 1, bias=False)
    average = Average(network, share)
    generator = torch.Generator().manual_seed(0)
    for k in range(1, iterations + 1):
        with torch.no_grad():
            network.weight.fill_(1.0 + trend * k + noise * float(torch.randn((), generator=generator)))
        average.update(k)
    return float(average.state_dict()["weight"]), float(network.weight.detach())


def test_the_mean_is_steadier_than_what_it_is_of():
    mean, last = wandering(0.1, 1000)
    assert mean == pytest.approx(1.0, abs=0.2)
    assert last != mean


def test_without_a_share_it_is_the_last_weights():
    mean, last = wandering(0.0, 20)
    assert mean == last


@pytest.mark.parametrize("iterations", [100, 1000])
def test_it_lags_by_the_same_share_however_long_the_training(iterations):
    mean, last = wandering(0.1, iterations, noise=0.0, trend=1.0)
    assert (last - mean) / iterations == pytest.approx(0.09, abs=0.01)


def test_whole_numbers_are_not_averaged():
    network = nn.BatchNorm1d(1)
    average = Average(network, 0.5)
    network.num_batches_tracked.fill_(7)
    average.update(100)
    assert int(average.state_dict()["num_batches_tracked"]) == 7


def test_the_policy_of_a_checkpoint_is_the_mean_and_training_goes_on_with_the_last(lab):
    lab.config.agent.averaging = 0.5
    trainer = lab.start()
    trainer.learn(8)
    obs = trainer.env.get_observations()
    last = trainer.algorithm.actor(obs).detach()
    mean = load_policy(trainer.run)(obs)
    assert not torch.equal(mean, last)
    again = lab.resume(trainer.run)
    assert torch.equal(again.algorithm.actor(obs).detach(), last)
    saved = again.state_dict()["average_state_dict"]
    assert all(torch.equal(value, saved[name]) for name, value in trainer.state_dict()["average_state_dict"].items())
