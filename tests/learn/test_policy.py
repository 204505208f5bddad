from types import SimpleNamespace

import pytest
import torch

from mjsdk.errors import BrokenRun, UnknownRun
from mjsdk.learn.policy import load_policy


@pytest.fixture
def trainer(lab):
    trainer = lab.start()
    trainer.learn(2)
    return trainer


def test_a_policy_gives_the_mean_action_without_an_environment(trainer):
    policy = load_policy(trainer.run)
    obs = trainer.env.get_observations()
    actions = policy(obs)
    assert torch.equal(actions, policy(obs["actor"]))
    assert torch.allclose(actions, trainer.algorithm.actor(obs).detach())
    assert actions.shape == (8, 2)
    assert not actions.requires_grad


def test_a_policy_is_a_copy_that_training_does_not_change(trainer):
    policy = load_policy(trainer.run)
    obs = torch.ones(1, 4)
    before = policy(obs)
    trainer.learn(4)
    assert torch.equal(policy(obs), before)
    assert trainer.algorithm.actor.training


def test_an_older_checkpoint_can_be_asked_for_by_name_or_path(trainer):
    assert load_policy(trainer.run, "model_0.pt").iteration == 0
    assert load_policy(trainer.run, trainer.run.checkpoint_path(1)).iteration == 1
    with pytest.raises(UnknownRun, match=r"no checkpoint 'model_7\.pt'.*There: model_0\.pt, model_1\.pt, model_2\.pt"):
        load_policy(trainer.run, "model_7.pt")


def test_weights_of_another_network_than_the_described_one_are_refused(trainer):
    data = torch.load(trainer.run.checkpoint_path(2), weights_only=True)
    for part in ("actor_state_dict", "average_state_dict"):
        data[part] = {name: torch.zeros(3, 3) for name in data[part]}
    torch.save(data, trainer.run.checkpoint_path(2))
    with pytest.raises(BrokenRun, match="its weights are not those of the network"):
        load_policy(trainer.run)


def test_observations_of_another_width_are_refused(trainer):
    with pytest.raises(BrokenRun, match="takes 4 observations, not 5"):
        load_policy(trainer.run)(torch.zeros(1, 5))


def test_actions_are_clipped_as_in_training(lab):
    lab.config.agent.clip_actions = 0.01
    trainer = lab.start()
    assert load_policy(trainer.run)(torch.full((1, 4), 100.0)).abs().max() == pytest.approx(0.01)


def test_joints_in_another_order_are_refused(trainer):
    policy = load_policy(trainer.run)
    policy.check(trainer.env)
    trainer.env.names = SimpleNamespace(joints=("y", "x"))
    with pytest.raises(BrokenRun, match="joints with other sizes or places: x"):
        policy.check(trainer.env)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_recurrent_policy_forgets_the_worlds_that_it_is_told_to(lab, kind):
    lab.config.agent.actor.class_name = kind
    policy = load_policy(lab.start().run)
    obs = torch.ones(3, 4)
    fresh = policy(obs)
    later = policy(obs)
    assert not torch.equal(fresh, later)
    policy.reset(torch.tensor([1]))
    third = policy(obs)
    assert torch.allclose(third[1], fresh[1])
    assert not torch.allclose(third[0], fresh[0])
    policy.reset()
    assert torch.allclose(policy(obs), fresh)
