import attrs
import pytest
import torch

from mjsdk.learn.adapter import build_algorithm
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


def test_the_step_size_changes_without_a_look_at_a_number(lab):
    """On `meta` there is none: whoever looks fails, where a GPU would wait."""
    ours, _ = both(lab.config.agent)
    ours._adapt(torch.full((), 1e-3, dtype=torch.float64, device="meta"), torch.zeros((), device="meta"))
    sizes = [group["lr"] for group in ours.optimizer.param_groups]
    assert [(size.device.type, size.dtype) for size in sizes] == [("meta", torch.float32)]  # as its GPU code reads it


@pytest.mark.parametrize(
    ("kl", "before", "after"),
    [
        (0.1, 1e-3, 1e-3 / 1.5),
        (0.004, 1e-3, 1e-3 * 1.5),
        (0.01, 1e-3, 1e-3),
        (0.0, 1e-3, 1e-3),
        (torch.nan, 1e-3, 1e-3),
        (0.1, 1.2e-5, 1e-5),
        (0.004, 9e-3, 1e-2),
    ],
)
def test_the_step_size_follows_the_divergence_within_its_bounds(lab, kl, before, after):
    ours, _ = both(lab.config.agent)
    rate = torch.tensor(before, dtype=torch.float64)
    ours._adapt(rate, torch.tensor(kl))
    assert [group["lr"] for group in ours.optimizer.param_groups] == [after] == [float(rate)]


def test_an_update_that_fails_leaves_a_step_size_that_a_checkpoint_can_hold(lab, monkeypatch):
    ours, _ = both(lab.config.agent)
    fill(ours, lab.config.agent.num_steps_per_env)

    def fail():
        ours._use_rate(torch.tensor(5e-3))  # as on a GPU
        raise RuntimeError("out of memory")

    monkeypatch.setattr(ours.optimizer, "step", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        ours.update()
    assert [group["lr"] for group in ours.optimizer.param_groups] == [ours.learning_rate] == [1e-3]
