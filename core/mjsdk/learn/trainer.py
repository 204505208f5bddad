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
from mjsdk.env.log import combined
from mjsdk.errors import BrokenRun, Diverged, StorageError
from mjsdk.learn import checkpoints
from mjsdk.learn.adapter import GROUPS, build_algorithm, unvalidated_distributions
from mjsdk.learn.average import Average
from mjsdk.learn.distributed import ALONE, Ranks
from mjsdk.learn.finite import all_finite, check_rollout, check_update
from mjsdk.learn.fitting import check_worlds, loadable
from mjsdk.learn.interrupts import Interrupt
from mjsdk.learn.policy import check_layout, describe_policy
from mjsdk.learn.report import Report, Watcher
from mjsdk.runs import Run
from mjsdk.runtime import training_runtime

_log = logging.getLogger(__name__)

_NO_WORLDS: Mapping[str, Any] = {"env": {}, "shapes": {}, "num_envs": 0}
"""What a checkpoint holds that is of the learner only."""
_WARM_UP_STEPS = 24
"""Steps of random actions that the normalisers see before training."""


class Trainer:
    """Trains the policy of a run: rollout, update, log, checkpoint, and again.

    rsl_rl's PPO does the learning. What its own runner does differently here: iterations are counted as done, so a
    resumed training neither repeats nor skips one; everything random and all totals are part of a checkpoint; a number
    that is not finite ends the training before it reaches a checkpoint.

    On many processes each has a trainer with worlds of its own, and their learners stay equal.
    """

    def __init__(self, env: Env, config: Config, run: Run, ranks: Ranks = ALONE) -> None:
        self.env = env
        self.config = config
        self.run = run
        self.iteration = 0
        """Iterations done."""
        self.timesteps = 0
        """Transitions so far, in all worlds of all processes."""
        self.seconds = 0.0
        """Wall time of all iterations so far [s]."""
        self._obs = as_tensordict(env.get_observations())
        self.ranks = ranks
        """The processes that train together."""
        self.algorithm = build_algorithm(config.agent, self._obs, env.num_actions, env.device)
        self.algorithm.ranks = ranks
        self._others = (-1, list[dict[str, Any]]())
        """Iteration at which the worlds of the other ranks were gathered, and these."""
        self._average = Average(self.algorithm.actor, config.agent.averaging)
        self._interrupt = Interrupt()

    def warm_up(self) -> None:
        """Show the normalisers what a random policy sees, then begin the episodes. All ranks begin as rank 0.

        rsl_rl updates their statistics after an iteration, so that without this the first one would learn from
        observations of any size.
        """
        networks = (self.algorithm.actor, self.algorithm.critic)
        self.ranks.share(tensor for network in networks for tensor in network.state_dict().values())
        before = {name: tensor.clone() for name, tensor in self.env.state_dict().items()}
        with self.ranks.agreed():
            seen = self._seen_at_random()
        if all(self.ranks.gather(all_finite(seen.values()))):
            self.algorithm.update_normalization(seen)
            self._average.update(0)
        self.env.load_state_dict(before)
        self.env.reset(self.config.agent.seed)
        self.env.stagger_episodes()
        self.env.log_iteration()
        self._obs = as_tensordict(self.env.get_observations())

    def _seen_at_random(self) -> TensorDict:
        """What a random policy sees in some steps, shape (steps x E, D)."""
        shape, seen = (self.env.num_envs, self.env.num_actions), []
        for _ in range(_WARM_UP_STEPS):
            actions = self.config.agent.actor.init_noise_std * torch.randn(shape, device=self.env.device)
            obs = self.env.step(self._clip(actions))[0]
            seen.append({group: obs[group].clone() for group in GROUPS})
        return as_tensordict({group: torch.cat([obs[group] for obs in seen]) for group in GROUPS})

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
            if self.config.train.video and self.is_filmed(until):  # by rank 0, from a checkpoint
                self._gather_worlds()
            with self.ranks.agreed():
                for watcher in watchers:
                    watcher.iteration(report)
            reason = self._reason(until, deadline, start)
            # The first iteration too is saved, so that an early death leaves something trained.
            if reason or self.iteration == 1 or self.iteration % self.config.agent.save_interval == 0:
                self.checkpoint()
        except StorageError as error:
            raise StorageError(f"{error}\n{self._rescue()}") from error
        except BaseException:
            self._save_last()
            raise
        return reason

    def _reason(self, until: int, deadline: float, start: float) -> str:
        """Why the training ends with the iteration that began at `start`, if it does: the same on all ranks."""
        # Half an iteration of grace, so that on average the time is met.
        over = time.monotonic() + (time.monotonic() - start) / 2 > deadline
        asked = self.ranks.gather((self._interrupt.requested, over))
        interrupted = any(requested for requested, _ in asked)
        ends = {"done": self.iteration >= until, "interrupt": interrupted, "time": asked[0][1]}
        return next((end for end, reached in ends.items() if reached), "")

    def is_filmed(self, until: int) -> bool:
        """Whether a training until some iteration that is filmed is filmed now."""
        return self.iteration % self.config.train.video_interval == 0 or self.iteration == until

    # One iteration

    def _iterate(self, until: int) -> Report:
        clock, progress = _Clock(self.env), self.env.progress()
        try:
            with self.ranks.agreed():
                self._rollout(clock)
                check_rollout(self.algorithm.storage, self.env)
                with torch.no_grad():
                    self.algorithm.compute_returns(self._obs)
            losses = self._update()
            with self.ranks.agreed():
                check_update(self.algorithm, losses)
        except BaseException:
            self._save_last(progress)
            raise
        self.iteration += 1
        self._average.update(self.iteration)
        steps = self.env.num_envs * self.config.agent.num_steps_per_env * self.ranks.size
        self.timesteps += steps
        with self.ranks.agreed():
            values = self._values(losses)
        logs, clocks = zip(*self.ranks.gather((values, clock.times(steps))), strict=True)
        times = combined(clocks)
        self.seconds += times["iteration_s"]
        return Report(
            iteration=self.iteration,
            last_iteration=until,
            timesteps=self.timesteps,
            values=combined(logs),
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

    def checkpoint(self) -> None:
        """Write a checkpoint of this moment: all ranks together, of which rank 0 writes."""
        self._gather_worlds()
        self.ranks.lead(self.save)

    def _gather_worlds(self) -> None:
        """Let rank 0 have what the next checkpoint holds of the others."""
        if self._others[0] != self.iteration and not self.ranks.alone:
            mine = checkpoints.on_cpu(self._own_state()) if not self.ranks.leads else {}
            self._others = self.iteration, self.ranks.gather_to_first(mine)[1:]

    def save(self, folder: Path | None = None) -> Path:
        """Write a checkpoint of this moment, into the run folder unless asked otherwise.

        It is without worlds if those of the other ranks were not gathered at this moment.
        """
        path = (folder or self.run.path) / self.run.checkpoint_path(self.iteration).name
        checkpoints.write_checkpoint(path, self.state_dict())
        return path

    def _save_last(self, progress: Mapping[str, Tensor] | None = None) -> None:
        """Save before something ends the training, unless that is done or the weights are spoilt.

        In the middle of an iteration, which began with `progress`, only the learner is saved: its worlds may be spoilt,
        and begin again when the training is resumed.
        """
        path = self.run.checkpoint_path(self.iteration)
        if not self.ranks.leads or path.exists():
            return
        try:
            state = self.state_dict()
            if progress is not None:
                totals = {**state["infos"]["totals"], "progress": progress}
                state["infos"] |= {**_NO_WORLDS, "totals": totals}
            if all_finite([*state["actor_state_dict"].values(), *state["critic_state_dict"].values()]):
                checkpoints.write_checkpoint(path, state)
        except Exception as error:  # must not hide what ended the training
            _log.warning("iteration %d is not saved: %s", self.iteration, error)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the training needs to resume exactly: tensors and plain data."""
        gathered, others = self._others
        infos = {
            "format": checkpoints.FORMAT,
            "policy": describe_policy(self.config.agent, self.env),
            "totals": {"timesteps": self.timesteps, "seconds": self.seconds, "progress": self.env.progress()},
            **self._own_state(),
            "num_envs": self.env.num_envs,
            "plugins": self.run.info.get("plugins", []),
        }
        if not self.ranks.alone:
            infos |= {"ranks": others} if gathered == self.iteration else _NO_WORLDS
        average = self._average.state_dict()
        return {**self.algorithm.save(), "average_state_dict": average, "iter": self.iteration, "infos": infos}

    def _own_state(self) -> dict[str, Any]:
        """What of a checkpoint every rank has for itself: its worlds, and random numbers."""
        worlds, networks = self.env.state_dict(), (self.algorithm.actor, self.algorithm.critic)
        return {
            "rng": checkpoints.random_state(),
            "hidden": {kind: each.get_hidden_state() for kind, each in zip(GROUPS, networks, strict=True)},
            "env": worlds,
            "shapes": {name: list(tensor.shape) for name, tensor in worlds.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a checkpoint.

        With another number of worlds or processes the worlds start over, and only the learner resumes.
        """
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
        saved = [infos, *infos.get("ranks", [])]
        own = saved[self.ranks.rank] if self.ranks.rank < len(saved) else None
        if own and len(saved) == self.ranks.size and all(self.env.fits(each["env"]) for each in saved):
            check_worlds(own, self.env, self.algorithm, self.run)
            self.env.load_state_dict(own["env"])
            self.algorithm.actor.reset(hidden_state=own["hidden"]["actor"])
            self.algorithm.critic.reset(hidden_state=own["hidden"]["critic"])
        else:
            _log.warning("the worlds start over, because %s. The curve will not continue exactly.", self._change(infos))
            steps = self.iteration * self.config.agent.num_steps_per_env
            self.env.load_progress(infos["totals"]["progress"], steps)
            self.env.reset()
            self.env.stagger_episodes()
        self._obs = as_tensordict(self.env.get_observations())
        if own:
            checkpoints.set_random_state(own["rng"])

    def _change(self, infos: Mapping[str, Any]) -> str:
        if not infos["num_envs"]:
            return "those of the checkpoint were spoilt"
        if (before := 1 + len(infos.get("ranks", []))) != self.ranks.size:
            return f"{before} {'process' if before == 1 else 'processes'} trained and {self.ranks.size} will now"
        if infos["num_envs"] != self.env.num_envs:
            return f"there were {infos['num_envs']} and are {self.env.num_envs} now"
        return "the physics, settings of the environment, a plugin or mjsdk have changed"

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
