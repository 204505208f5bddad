"""rsl_rl's PPO and its storage, written so that small networks train fast on a few cores."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cached_property

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from mjsdk.learn.distributed import ALONE, Ranks
from mjsdk.learn.rsl import PPO, RolloutStorage

_SLOWEST, _FASTEST, _STEP = 1e-5, 1e-2, 1.5
"""Bounds of the adaptive learning rate and the factor that it changes by, as in rsl_rl."""


class Rollout(RolloutStorage):
    """rsl_rl's storage of one rollout.

    rsl_rl draws one permutation for all epochs of an update, so that every epoch sees the same mini-batches: they are
    copied out of the rollout once and seen again. The numbers are those of rsl_rl, the time is not.
    """

    def mini_batch_generator(
        self, num_mini_batches: int, num_epochs: int = 8
    ) -> Generator[RolloutStorage.Batch, None, None]:
        """Mini-batches of shuffled transitions, `num_epochs` times the same ones in the same order."""
        batches = list(super().mini_batch_generator(num_mini_batches, 1))
        for _ in range(num_epochs):  # copies: the update replaces fields of a batch, such as its advantages
            yield from map(copy, batches)


class ParallelPPO(PPO):
    """rsl_rl's PPO, its update spread over two threads: one for the actor, one for the critic.

    Actor and critic share nothing: the gradient of the summed loss is that of each one's part. Each gets a thread and
    half of the cores, and they meet once per mini-batch. torch's own threads meet after every operation instead, which
    costs more than it gains for networks of this size, and far more when another program uses one of the cores. The
    numbers are those of rsl_rl.

    On many processes each has its own mini-batch, and they meet once per mini-batch: gradients, losses and divergence
    become means over all, so that weights and step size stay equal.
    """

    learning_rate: float
    """Step size, as the adaptive schedule has changed it."""
    ranks: Ranks = ALONE
    """The processes that learn together."""

    @cached_property
    def _worker(self) -> ThreadPoolExecutor:
        """The critic's thread, with as many threads of torch as the actor's."""
        return ThreadPoolExecutor(1, "critic", torch.set_num_threads, (torch.get_num_threads(),))

    def update(self) -> dict[str, float]:
        """Learn from the stored rollout; means of the losses."""
        sums = torch.zeros(3, device=self.device)
        rate = torch.full((), self.learning_rate, dtype=torch.float64, device=self.device)
        try:
            for batch in self._batches():
                sums += self._learn(batch, rate)
            self.update_normalization(self.storage.observations.flatten(0, 1))
            self.storage.clear()
            means = sums / (self.num_learning_epochs * self.num_mini_batches)
            *losses, self.learning_rate = torch.cat((means, rate.unsqueeze(0))).tolist()  # the only wait for a GPU
        finally:
            self._use_rate(self.learning_rate)
        return dict(zip(("value", "surrogate", "entropy"), losses, strict=True))

    def _learn(self, batch: RolloutStorage.Batch, rate: Tensor) -> Tensor:
        """Learn from a mini-batch with the step size `rate`, shape (), which may change; the losses, shape (3,)."""
        self.optimizer.zero_grad()
        found = self._backward(batch)
        self._average(found)
        if self.schedule == "adaptive":
            self._adapt(rate, found[3])
        nn.utils.clip_grad_norm_(self.actor.parameters(), self.max_grad_norm)
        nn.utils.clip_grad_norm_(self.critic.parameters(), self.max_grad_norm)
        self.optimizer.step()
        return found[:3]

    def update_normalization(self, observations: TensorDict) -> None:
        """Let the networks' normalisers take in observations of shape (N, D), those of all processes."""
        with self.ranks.exchanging():  # rsl_rl adds up over the processes of torch.distributed where there are any
            self.actor.update_normalization(observations)
            self.critic.update_normalization(observations)

    def _average(self, found: Tensor) -> None:
        """Make gradients and what was found in a mini-batch, shape (4,), the means over all processes."""
        if not self.ranks.alone:
            weights = [*self.actor.parameters(), *self.critic.parameters()]
            self.ranks.average([*(weight.grad for weight in weights if weight.grad is not None), found])

    def _batches(self) -> Iterator[RolloutStorage.Batch]:
        if self.actor.is_recurrent or self.critic.is_recurrent:
            return self.storage.recurrent_mini_batch_generator(self.num_mini_batches, self.num_learning_epochs)
        return self.storage.mini_batch_generator(self.num_mini_batches, self.num_learning_epochs)

    def _backward(self, batch: RolloutStorage.Batch) -> Tensor:
        """Gradients of both networks; value loss, surrogate loss, entropy and divergence, shape (4,)."""
        if torch.device(self.device).type != "cpu":
            return torch.stack((self._critic_backward(batch), *self._actor_backward(batch)))
        value = self._worker.submit(self._critic_backward, batch)
        actor = self._actor_backward(batch)
        return torch.stack((value.result(), *actor))

    def _critic_backward(self, batch: RolloutStorage.Batch) -> Tensor:
        """Gradients of the critic; its loss."""
        values = self.critic(batch.observations, masks=batch.masks, hidden_state=batch.hidden_states[1])
        losses = (values - batch.returns).square()
        if self.use_clipped_value_loss:
            clipped = batch.values + (values - batch.values).clamp(-self.clip_param, self.clip_param)
            losses = torch.max(losses, (clipped - batch.returns).square())
        loss = losses.mean()
        (self.value_loss_coef * loss).backward()
        return loss.detach()

    def _actor_backward(self, batch: RolloutStorage.Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of the actor; its loss, its entropy, and how far it is from the policy that acted."""
        self.actor(batch.observations, masks=batch.masks, hidden_state=batch.hidden_states[0], stochastic_output=True)
        divergence = self._divergence(batch) if self.schedule == "adaptive" else torch.zeros((), device=self.device)
        advantages = batch.advantages.squeeze()
        if self.normalize_advantage_per_mini_batch:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        log_prob = self.actor.get_output_log_prob(batch.actions)
        ratio = torch.exp(log_prob - batch.old_actions_log_prob.squeeze())
        clipped = ratio.clamp(1.0 - self.clip_param, 1.0 + self.clip_param)
        surrogate = torch.max(-advantages * ratio, -advantages * clipped).mean()
        entropy = self.actor.output_entropy.mean()
        (surrogate - self.entropy_coef * entropy).backward()
        return surrogate.detach(), entropy.detach(), divergence

    @torch.no_grad()
    def _divergence(self, batch: RolloutStorage.Batch) -> Tensor:
        """Mean Kullback-Leibler divergence of the policy from the one that acted."""
        now = self.actor.output_distribution_params
        return self.actor.get_kl_divergence(batch.old_distribution_params, now).mean()

    def _adapt(self, rate: Tensor, kl: Tensor) -> None:
        """Slow down where the policy moved too far from the one that acted, speed up where it hardly moved.

        In arithmetic of tensors, so that nothing waits for a GPU; in double, so that it is that of rsl_rl.
        """
        far, near = kl > 2.0 * self.desired_kl, (kl > 0.0) & (kl < self.desired_kl / 2.0)
        slower, faster = (rate / _STEP).clamp_(min=_SLOWEST), (rate * _STEP).clamp_(max=_FASTEST)
        rate.copy_(torch.where(far, slower, torch.where(near, faster, rate)))
        self._use_rate(float(rate) if rate.device.type == "cpu" else rate.float())

    def _use_rate(self, rate: float | Tensor) -> None:
        """Let the optimizer take steps of that size. Of tensors, its GPU code reads those of single precision."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
