"""The training loop."""

from __future__ import annotations

import itertools
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from mjsdk.config import Config
from mjsdk.device import Moments
from mjsdk.env import Env
from mjsdk.errors import BrokenRun, Diverged, StorageError
from mjsdk.learn import checkpoints
from mjsdk.learn.adapter import GROUPS, build_algorithm, unvalidated_distributions
from mjsdk.learn.average import Average
from mjsdk.learn.finite import all_finite, check_rollout, check_update
from mjsdk.learn.fitting import check_worlds, loadable
from mjsdk.learn.interrupts import Interrupt
from mjsdk.learn.policy import check_layout, describe_policy
from mjsdk.learn.report import Report, Watcher
from mjsdk.runs import Run
from mjsdk.runtime import training_runtime

_log = logging.getLogger(__name__)

_WARM_UP_STEPS = 24
"""Steps of random actions that the normalisers see before training."""


class Trainer:
    """Trains the policy of a run: rollout, update, log, checkpoint, and again.

    rsl_rl's PPO does the learning. What its own runner does differently here: iterations are counted as done, so a
    resumed training neither repeats nor skips one; everything random and all totals are part of a checkpoint; a number
    that is not finite ends the training before it reaches a checkpoint.
    """

    def __init__(self, env: Env, config: Config, run: Run) -> None:
        self.env = env
        self.config = config
        self.run = run
        self.iteration = 0
        """Iterations done."""
        self.timesteps = 0
        """Transitions so far, in all worlds."""
        self.seconds = 0.0
        """Wall time of all iterations so far [s]."""
        self._obs = as_tensordict(env.get_observations())
        self.algorithm = build_algorithm(config.agent, self._obs, env.num_actions, env.device)
        self._average = Average(self.algorithm.actor, config.agent.averaging)
        self._interrupt = Interrupt()

    def warm_up(self) -> None:
        """Show the normalisers what a random policy sees, then begin the episodes.

        rsl_rl updates their statistics after an iteration, so that without this the first one would learn from
        observations of any size.
        """
        before = {name: tensor.clone() for name, tensor in self.env.state_dict().items()}
        shape, seen = (self.env.num_envs, self.env.num_actions), []
        for _ in range(_WARM_UP_STEPS):
            actions = self.config.agent.actor.init_noise_std * torch.randn(shape, device=self.env.device)
            obs = self.env.step(self._clip(actions))[0]
            seen.append({group: obs[group].clone() for group in GROUPS})
        stacked = as_tensordict({group: torch.cat([obs[group] for obs in seen]) for group in GROUPS})
        if all_finite(stacked.values()):
            self.algorithm.actor.update_normalization(stacked)
            self.algorithm.critic.update_normalization(stacked)
            self._average.update(0)
        self.env.load_state_dict(before)
        self.env.reset(self.config.agent.seed)
        self.env.stagger_episodes()
        self.env.log_iteration()
        self._obs = as_tensordict(self.env.get_observations())

    def learn(
        self,
        until: int,
        *,
        deadline: float = float("inf"),
        interrupt: Interrupt | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> str:
        """Train until iteration `until`, the `deadline` on `time.monotonic`'s clock, or an interrupt.

        Returns why it ended: `done`, `time` or `interrupt`. A checkpoint of that moment is there by then.
        """
        self._interrupt = interrupt or Interrupt()
        reason = "done" if self.iteration >= until else ""
        with unvalidated_distributions(), training_runtime(self.env.device):
            while not reason:
                reason = self._one(until, watchers, deadline, time.monotonic())
        return reason

    def _one(self, until: int, watchers: Sequence[Watcher], deadline: float, start: float) -> str:
        report = self._iterate(until)
        try:
            self._interrupt.tell()
            for watcher in watchers:
                watcher.iteration(report)
            # Half an iteration of grace, so that on average the time is met.
            over = time.monotonic() + (time.monotonic() - start) / 2 > deadline
            ends = {"done": self.iteration >= until, "interrupt": self._interrupt.requested, "time": over}
            reason = next((end for end, reached in ends.items() if reached), "")
            # The first iteration too is saved, so that an early death leaves something trained.
            if reason or self.iteration == 1 or self.iteration % self.config.agent.save_interval == 0:
                self.save()
        except StorageError as error:
            raise StorageError(f"{error}\n{self._rescue()}") from error
        except BaseException:
            self._save_last()
            raise
        return reason

    # One iteration

    def _iterate(self, until: int) -> Report:
        clock, progress = _Clock(self.env), self.env.progress()
        try:
            self._rollout(clock)
            check_rollout(self.algorithm.storage, self.env)
            with torch.no_grad():
                self.algorithm.compute_returns(self._obs)
            losses = self._update()
            check_update(self.algorithm, losses)
        except BaseException:
            self._save_last(progress)
            raise
        self.iteration += 1
        self._average.update(self.iteration)
        steps = self.env.num_envs * self.config.agent.num_steps_per_env
        self.timesteps += steps
        times = clock.times(steps)
        self.seconds += times["iteration_s"]
        return Report(
            iteration=self.iteration,
            last_iteration=until,
            timesteps=self.timesteps,
            values=self._values(losses),
            times={"total_s": self.seconds, **times},
        )

    def _rollout(self, clock: _Clock) -> None:
        """Fill the storage.

        `no_grad` rather than rsl_rl's `inference_mode`, whose tensors the environment could not write to afterwards.
        For episodes that end by time rsl_rl adds gamma V(s_t), the value before the step, to the reward: near enough,
        as the observation after the step belongs to the next episode.
        """
        algorithm = self.algorithm
        with torch.no_grad():
            for _ in range(self.config.agent.num_steps_per_env):
                actions = self._clip(algorithm.act(self._obs))
                clock.tick("learning")
                obs, reward, terminated, truncated, _ = self.env.step(actions)
                clock.tick("environment")
                self._interrupt.tell()
                self._obs = as_tensordict(obs)
                timed_out = truncated & ~terminated
                algorithm.process_env_step(self._obs, reward, terminated | truncated, {"time_outs": timed_out})

    def _clip(self, actions: Tensor) -> Tensor:
        limit = self.config.agent.clip_actions
        return actions if limit is None else actions.clamp(-limit, limit)

    def _update(self) -> dict[str, float]:
        try:
            return self.algorithm.update()
        except (RuntimeError, ValueError) as error:
            weights = [*self.algorithm.actor.parameters(), *self.algorithm.critic.parameters()]
            if all_finite(weights):
                raise
            raise Diverged(f"training has diverged, weights of the networks are no longer finite ({error})") from error

    def _values(self, losses: Mapping[str, float]) -> dict[str, float]:
        values = {f"loss/{name}": value for name, value in losses.items()}
        values["policy/mean_std"] = float(self.algorithm.actor.output_std.detach().mean())
        values["policy/learning_rate"] = self.algorithm.learning_rate
        return values | self.env.log_iteration()

    # Checkpoints

    def save(self, folder: Path | None = None) -> Path:
        """Write a checkpoint of this moment, into the run folder unless asked otherwise."""
        path = (folder or self.run.path) / self.run.checkpoint_path(self.iteration).name
        checkpoints.write_checkpoint(path, self.state_dict())
        return path

    def _save_last(self, progress: Mapping[str, Tensor] | None = None) -> None:
        """Save before something ends the training, unless that is done or the weights are spoilt.

        In the middle of an iteration, which began with `progress`, only the learner is saved: its worlds may be spoilt,
        and begin again when the training is resumed.
        """
        path = self.run.checkpoint_path(self.iteration)
        if path.exists():
            return
        try:
            state = self.state_dict()
            if progress is not None:
                totals = {**state["infos"]["totals"], "progress": progress}
                state["infos"] |= {"env": {}, "shapes": {}, "num_envs": 0, "totals": totals}
            if all_finite([*state["actor_state_dict"].values(), *state["critic_state_dict"].values()]):
                checkpoints.write_checkpoint(path, state)
        except Exception as error:  # must not hide what ended the training
            _log.warning("iteration %d is not saved: %s", self.iteration, error)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the training needs to resume exactly: tensors and plain data."""
        hidden = {"actor": self.algorithm.actor.get_hidden_state(), "critic": self.algorithm.critic.get_hidden_state()}
        worlds = self.env.state_dict()
        infos = {
            "format": checkpoints.FORMAT,
            "policy": describe_policy(self.config.agent, self.env),
            "totals": {"timesteps": self.timesteps, "seconds": self.seconds, "progress": self.env.progress()},
            "rng": checkpoints.random_state(),
            "hidden": hidden,
            "env": worlds,
            "shapes": {name: list(tensor.shape) for name, tensor in worlds.items()},
            "num_envs": self.env.num_envs,
            "plugins": self.run.info.get("plugins", []),
        }
        average = self._average.state_dict()
        return {**self.algorithm.save(), "average_state_dict": average, "iter": self.iteration, "infos": infos}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a checkpoint. With another number of worlds these start over, and only the learner resumes."""
        infos = state["infos"]
        check_layout(infos["policy"], describe_policy(self.config.agent, self.env), self.run)
        try:
            self.algorithm.load(loadable(state, self.algorithm.optimizer), None, strict=True)
        except (RuntimeError, ValueError, KeyError) as error:
            raise BrokenRun(
                f"the networks of run {self.run.name} are not those of the settings: {str(error).splitlines()[0]}. "
                "Settings of agent.actor and agent.critic cannot change when a training is resumed."
            ) from error
        self._average.load_state_dict(state["average_state_dict"])
        self.iteration = state["iter"]
        self.timesteps = infos["totals"]["timesteps"]
        self.seconds = infos["totals"]["seconds"]
        self._load_worlds(infos)

    def _load_worlds(self, infos: Mapping[str, Any]) -> None:
        if self.env.fits(infos["env"]):
            check_worlds(infos, self.env, self.algorithm, self.run)
            self.env.load_state_dict(infos["env"])
            self.algorithm.actor.reset(hidden_state=infos["hidden"]["actor"])
            self.algorithm.critic.reset(hidden_state=infos["hidden"]["critic"])
        else:
            _log.warning("the worlds start over, because %s. The curve will not continue exactly.", self._change(infos))
            steps = self.iteration * self.config.agent.num_steps_per_env
            self.env.load_progress(infos["totals"]["progress"], steps)
            self.env.reset()
            self.env.stagger_episodes()
        self._obs = as_tensordict(self.env.get_observations())
        checkpoints.set_random_state(infos["rng"])

    def _change(self, infos: Mapping[str, Any]) -> str:
        if not infos["num_envs"]:
            return "those of the checkpoint were spoilt"
        if infos["num_envs"] != self.env.num_envs:
            return f"there were {infos['num_envs']} and are {self.env.num_envs} now"
        return "settings of the environment, a plugin or mjsdk have changed"

    def _rescue(self) -> str:
        """Save what a full disk would lose somewhere else; says where, and how to resume."""
        newest = self.run.checkpoints()[-1:]
        kept = f"All older files are whole{f', the newest checkpoint is {newest[0].name}' if newest else ''}."
        try:
            path = self.save(Path(tempfile.mkdtemp(prefix="mjsdk-rescue-")))
        except (OSError, StorageError) as error:
            return f"{kept} Iteration {self.iteration} could not be saved elsewhere either: {error}"
        return (
            f"{kept} Iteration {self.iteration} is saved in {path}: make room, move it to {self.run.path}, and resume."
        )


def as_tensordict(obs: Mapping[str, Tensor]) -> TensorDict:
    """The groups that the networks see, without copying; tensors of shape (E, D)."""
    groups = {group: obs[group] for group in GROUPS}
    return TensorDict(groups, batch_size=[len(groups["actor"])])


class _Clock:
    """Times of one iteration, as the device takes them."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._physics = env.physics_seconds
        self._moments = Moments(env.device)
        self._ticks = [("", self._moments.now())]

    def tick(self, what: str) -> None:
        """Book the time since the last tick on `what`."""
        self._ticks.append((what, self._moments.now()))

    def times(self, steps: int) -> dict[str, float]:
        """Times [s] of physics, the rest of the environment, and learning with inference; steps per second."""
        self.tick("learning")
        spent = {"environment": 0.0, "learning": 0.0}
        for (_, before), (what, after) in itertools.pairwise(self._ticks):
            spent[what] += self._moments.seconds(before, after)
        physics = self._env.physics_seconds - self._physics
        total = sum(spent.values())
        return {
            "iteration_s": total,
            "physics_s": physics,
            "environment_s": max(spent["environment"] - physics, 0.0),
            "learning_s": spent["learning"],
            "steps_per_s": steps / total,
        }
