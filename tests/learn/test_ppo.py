import attrs
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mjsdk.learn.adapter import build_algorithm, unvalidated_distributions
from mjsdk.learn.rsl import PPO, RolloutStorage
from mjsdk.learn.trainer import as_tensordict


def observe(generator):
    return {name: torch.randn(12, width, generator=generator) for name, width in (("actor", 5), ("critic", 7))}


def fill(algorithm, steps):
    """A rollout of random observations and rewards, the same for every algorithm of the same weights."""
    generator = torch.Generator().manual_seed(4)
    torch.manual_seed(5)
    obs = as_tensordict(observe(generator))
    with torch.no_grad():
        for _ in range(steps):
            algorithm.act(obs)
            obs = as_tensordict(observe(generator))
            dones = torch.rand(12, generator=generator) < 0.2
            algorithm.process_env_step(obs, torch.randn(12, generator=generator), dones, {"time_outs": dones})
        algorithm.compute_returns(obs)


def both(agent):
    """mjsdk's algorithm, and rsl_rl's own with the same networks."""
    example = observe(torch.Generator())
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(build_algorithm(agent, as_tensordict(example), 2, "cpu"))
    ours, twin = made
    storage = RolloutStorage("rl", 12, agent.num_steps_per_env, as_tensordict(example), [2], "cpu")
    theirs = PPO(twin.actor, twin.critic, storage, **attrs.asdict(agent.algorithm))
    theirs.optimizer.param_groups[0]["fused"] = True
    return ours, theirs


@pytest.mark.parametrize("kind", ["mlp", "gru", "lstm"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"schedule": "fixed", "use_clipped_value_loss": False}, {"normalize_advantage_per_mini_batch": True}],
    ids=["default", "fixed", "per mini-batch"],
)
def test_an_update_on_two_threads_gives_the_numbers_of_rsl_rl(lab, kind, changes):
    agent = lab.config.agent
    agent.actor.class_name = agent.critic.class_name = kind
    for name, value in changes.items():
        setattr(agent.algorithm, name, value)
    ours, theirs = both(agent)
    for _ in range(2):
        losses = []
        for algorithm in (ours, theirs):
            fill(algorithm, agent.num_steps_per_env)
            torch.manual_seed(6)
            losses.append(algorithm.update())
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
        assert ours.learning_rate == theirs.learning_rate
        for network in ("actor", "critic"):
            states = (getattr(algorithm, network).state_dict() for algorithm in (ours, theirs))
            for one, other in zip(*(state.values() for state in states), strict=True):
                assert torch.equal(one, other)


def test_the_gradient_of_the_actor_does_not_touch_the_critic(lab):
    ours, _ = both(lab.config.agent)
    fill(ours, 8)
    batch = next(ours._batches())
    ours.optimizer.zero_grad()
    ours._actor_backward(batch)
    assert all(parameter.grad is None for parameter in ours.critic.parameters())
    assert any(parameter.grad is not None for parameter in ours.actor.parameters())


class Reads(TorchDispatchMode):
    """Counts the numbers that Python reads from tensors: a GPU is waited for at each."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket.__name__ in ("_local_scalar_dense", "item", "is_nonzero")
        return func(*args, **(kwargs or {}))


def test_mini_batches_do_not_wait_for_the_device(lab, monkeypatch):
    counts = []
    for epochs in (1, 4):
        agent = lab.config.agent
        agent.algorithm.schedule, agent.algorithm.num_learning_epochs = "adaptive", epochs
        ours, _ = both(agent)
        fill(ours, agent.num_steps_per_env)
        monkeypatch.setattr(ours.optimizer, "step", lambda: None)  # which reads the step size on a CPU
        with unvalidated_distributions(), Reads() as reads:
            ours.update()
        counts.append(reads.count)
    assert counts[0] == counts[1] > 0
