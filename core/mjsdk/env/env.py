"""The environment: many worlds of one task, stepped together."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mjsdk import kernels
from mjsdk.config.env import EnvConfig
from mjsdk.env.actions import Actions
from mjsdk.env.buffers import Buffers
from mjsdk.env.changes import change_setting, changing_settings
from mjsdk.env.commands import Commands
from mjsdk.env.contacts import ContactState
from mjsdk.env.events import Curriculum, Events
from mjsdk.env.log import EpisodeLog
from mjsdk.env.mirror import Mirror
from mjsdk.env.observations import Observations
from mjsdk.env.rewards import Metrics, Rewards, Terminations
from mjsdk.env.robot_state import RobotState
from mjsdk.env.spaces import Box
from mjsdk.errors import PhysicsError, closest, listing
from mjsdk.kernels.rows import count_step
from mjsdk.physics import Physics
from mjsdk.scene import Scene
from mjsdk.terms import TermRegistry

logger = logging.getLogger(__name__)

_COUNTER = "env/step_counter"


class Env:
    """`E` worlds that take actions of shape (E, A) and give observations of shape (E, D) per group."""

    def __init__(self, config: EnvConfig, scene: Scene, physics: Physics, terms: TermRegistry, seed: int = 0) -> None:
        self.config = config
        self.scene = scene
        self.physics = physics
        self.terms = terms
        self.num_envs = physics.num_envs
        self.device = physics.device
        self.model = scene.model
        self.names = scene.names
        self.roles = scene.robot.roles
        self.gait = scene.robot.gait
        self.physics_dt: float = config.sim.timestep
        """Length of a physics step [s]."""
        self.step_dt: float = config.step_dt
        """Length of a control step [s]."""
        self.max_episode_length = max(1, round(config.episode_length_s / self.step_dt))
        """Longest episode [control steps]."""
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.buffers = Buffers(self.device)
        self.workspace: dict[str, Any] = {}
        """What terms that are functions keep from step to step to work with; nothing that has to be saved."""
        self.episode_length_buf = self.buffers.new("env/episode_length", self.num_envs, dtype=torch.long)
        """Age of each world's episode [control steps], shape (E,)."""
        self._counter = self.buffers.new(_COUNTER, dtype=torch.long)
        self.unstable = self.buffers.new("env/unstable", self.num_envs, dtype=torch.bool)
        """Worlds whose physics blew up in the last step, shape (E,). Their episodes end."""
        self.any_unstable = False
        """Whether there is any such world."""
        self._unstable_episodes, self._warn_at = 0, 1
        counters = (self.episode_length_buf, self._counter.view(1))
        self._count = count_step.bind(*counters) if kernels.used_on(self.device) else self._count_by_tensors
        self.all_ids = torch.arange(self.num_envs, device=self.device)
        self.physics_seconds = 0.0
        """Wall time spent in the physics so far [s]."""
        self._build()

    def _build(self) -> None:
        config = self.config
        self._sensordata = self.physics.bind("sensordata")
        self._sensors: dict[str, Tensor] = {}
        self.robot = RobotState(self.physics, self.scene, self.buffers)
        self.contacts = {
            name: ContactState(name, self.sensor(name), self.buffers, sensor.track_air_time)
            for name, sensor in config.scene.sensors.items()
            if sensor.type == "contact"
        }
        self.events = Events(self, config.events)
        self.commands = Commands(self, config.commands)
        self.actions = Actions(self, config.actions)
        self.mirror = Mirror(self, config.mirror_clock) if config.mirror_clock else None
        """Left-right symmetry, if the settings ask for it."""
        self.actions.use_mirror(self.mirror)
        self.observations = Observations(self, config.observations)
        self.terminations = Terminations(self, config.terminations)
        self.rewards = Rewards(self, config.rewards, changing_settings(config.curriculum))
        self.metrics = Metrics(self, config.metrics)
        self.curriculum = Curriculum(self, config.curriculum)
        self.log = EpisodeLog(self)
        self.events.startup()
        self.reset()
        self.commands.check()
        self._rehearse()

    def _rehearse(self) -> None:
        """Call terms that only steps call, and undo it: what they give wrongly is an error now, not in a training."""
        buffers, physics = self.buffers.state_dict(), self.physics.state_dict()
        generator = self.generator.get_state()
        with torch.inference_mode():
            for part in (self.terminations, self.rewards, self.metrics):
                part.rows.rehearse()
            self.actions.rehearse()
        self.buffers.load_state_dict(buffers)
        self.physics.load_state_dict(physics, derived=False)
        self.generator.set_state(generator)

    @property
    def num_actions(self) -> int:
        """Width A of the action."""
        return self.actions.size

    @property
    def common_step_counter(self) -> int:
        """Control steps since training began."""
        return int(self._counter)

    @common_step_counter.setter
    def common_step_counter(self, steps: int) -> None:
        self._counter.fill_(steps)

    @property
    def observation_space(self) -> dict[str, Box]:
        """What a world's observations may be, by group."""
        return {name: Box((size,)) for name, size in self.observation_dims.items()}

    @property
    def action_space(self) -> Box:
        """What a world's action may be. Any number is legal; 1 is about as much as a step ever needs."""
        return Box((self.num_actions,))

    @property
    def observation_dims(self) -> dict[str, int]:
        """Width D of the observation, by group."""
        return {name: group.size for name, group in self.observations.groups.items()}

    @property
    def observation_slices(self) -> dict[str, dict[str, slice]]:
        """Where each term stands in the observation, by group."""
        return {name: group.slices for name, group in self.observations.groups.items()}

    def sensor(self, name: str) -> Tensor:
        """Readings of a sensor of the settings, shape (E, parts, width), in the order of its role."""
        if name not in self._sensors:
            if name not in self.scene.sensors:
                raise PhysicsError(
                    f"no sensor '{name}'{closest(name, self.scene.sensors) or '.'} Legal: {listing(self.scene.sensors)}"
                )
            slot = self.scene.sensors[name]
            flat = self._sensordata[:, slot.start : slot.start + slot.count * slot.width]
            self._sensors[name] = flat.unflatten(1, (slot.count, slot.width))
        return self._sensors[name]

    def sensor_parts(self, name: str) -> tuple[str, ...]:
        """Names of the parts that carry a sensor of the settings, in the order of its readings."""
        return self.scene.sensors[name].parts

    def contact(self, name: str) -> ContactState:
        """What a contact sensor of the settings knows about its parts."""
        if name not in self.contacts:
            raise PhysicsError(
                f"no contact sensor '{name}'{closest(name, self.contacts) or '.'} Legal: {listing(self.contacts)}"
            )
        return self.contacts[name]

    def command(self, name: str) -> Tensor:
        """What is asked for now, shape (E, size)."""
        return self.commands.terms[name].command

    def rand(self, *shape: int) -> Tensor:
        """Random numbers between 0 and 1 from the environment's own generator."""
        return torch.rand(shape, generator=self.generator, device=self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Random numbers between `low` and `high` from the environment's own generator."""
        return torch.empty(shape, device=self.device).uniform_(low, high, generator=self.generator)

    def draw(self, bounds: Sequence[float], *shape: int) -> Tensor:
        """Random numbers between the two `bounds` from the environment's own generator."""
        low, high = bounds
        return self.uniform(low, high, *shape)

    def reset(self, seed: int | None = None) -> dict[str, Tensor]:
        """Begin a new episode in every world and give the first observations."""
        if seed is not None:
            self.generator.manual_seed(seed)
            self.observations.reseed()
        with torch.inference_mode():
            self._reset(self.all_ids)
            self.log.begin(self.all_ids)
            self.commands.compute(0.0)
            self.observations.compute()
        return self.observations.hand_out()

    def step(self, action: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor, dict[str, Any]]:
        """Take one control step with `action`, shape (E, A).

        Order: actions, `decimation` physics steps, counters, terminations, rewards, interval events, reset of finished
        worlds, commands, observations. What follows from `qpos` and `qvel` alone (base, joints) is current; positions
        of bodies and sites, forces and sensors belong to the state before the last physics step, in every world and
        backend; in worlds that were just reset they belong to the new state.

        Returns:
            Observations by group (E, D); reward (E,); terminated and truncated, bool (E,);
            extras, with `time_outs`.
        """
        with torch.inference_mode():
            reward, terminated, truncated = self._step(action)
        truncated = truncated.clone()
        return self.observations.hand_out(), reward.clone(), terminated.clone(), truncated, {"time_outs": truncated}

    def _step(self, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step without autograd's bookkeeping: reward, terminated, truncated, shape (E,) each."""
        self.actions.process(action)
        self._simulate()
        self._count()
        for contact in self.contacts.values():
            contact.update(self.step_dt)
        self.terminations.compute()
        reward = self.rewards.compute(self.step_dt)
        self.log.step()
        self.events.interval(self.step_dt)
        terminated, truncated = self.terminations.terminated, self.terminations.truncated
        done = self.terminations.done
        if len(done):
            self.log.end(done)
            self._reset(done)
        self.commands.compute(self.step_dt)
        self.observations.compute()
        return reward, terminated, truncated

    def get_observations(self) -> dict[str, Tensor]:
        """The observations of the last step or reset, not computed again."""
        return self.observations.last

    def log_iteration(self) -> dict[str, float]:
        """Means since the last call: `reward/*` [1/s], `metrics/*`, `termination/*`, `curriculum/*`, `train/*`."""
        return self.log.take()

    def stagger_episodes(self) -> None:
        """Give the worlds random ages, so that their time is not up all at once."""
        ages = torch.randint(0, self.max_episode_length, (self.num_envs,), generator=self.generator, device=self.device)
        self.episode_length_buf.copy_(ages)

    def report_non_finite(self, what: str, worlds: Tensor) -> None:
        """Raise for a value that is NaN or infinite although the physics is not."""
        ids = worlds.nonzero().squeeze(1).tolist()
        raise PhysicsError(
            f"{what} is NaN or infinite in {len(ids)} of {self.num_envs} worlds (first: {ids[0]}) at step "
            f"{self.common_step_counter}, although their physics is stable: the term divides by zero or takes a root "
            "of a negative number. Fix the term, or set its weight to 0."
        )

    def set_setting(self, path: str, value: Any) -> None:
        """Change a setting while training goes on, by its path below `env`, such as `rewards.upright.weight`."""
        change_setting(self, path, value)

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that `load_state_dict` needs to go on exactly: plain tensors by name."""
        state = {f"buffer/{name}": tensor for name, tensor in self.buffers.state_dict().items()}
        state |= {f"physics/{name}": tensor for name, tensor in self.physics.state_dict().items()}
        state |= {f"last/{name}": tensor.clone() for name, tensor in self.observations.last.items()}
        return state | {"generator": self.generator.get_state()}

    def progress(self) -> dict[str, Tensor]:
        """How far training is, whatever happens to its worlds: control steps, and what the curriculum remembers."""
        return {name: self.buffers[name].clone() for name in (_COUNTER, *sorted(self.curriculum.buffers))}

    def load_progress(self, progress: dict[str, Tensor], steps: int = 0) -> None:
        """Be as far along as another environment was, or `steps` control steps where `progress` does not say.

        What its curriculum does not share with this one is left out.
        """
        self.common_step_counter = steps
        for name, tensor in self.progress().items():
            if name in progress and progress[name].shape == tensor.shape:
                self.buffers[name].copy_(progress[name])
        self.curriculum.restore()

    def fits(self, state: dict[str, Tensor]) -> bool:
        """Whether `load_state_dict` can take a state: whether it remembers the same things about as many worlds.

        Derived fields do not count: they are bound when a term first reads them.
        """
        return _shapes(self.state_dict()) == _shapes(state)

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from `state_dict` of an environment with the same settings."""
        self.buffers.load_state_dict(_below(state, "buffer/"))
        self.physics.load_state_dict(_below(state, "physics/"))
        self.generator.set_state(state["generator"])
        self.observations.last = _below(state, "last/")
        self.robot.invalidate()
        self.any_unstable = True  # whatever was loaded, the next step writes it anew
        self.curriculum.restore()
        if self.mirror is not None:
            self.mirror.look()

    def _count_by_tensors(self) -> None:
        self.episode_length_buf += 1
        self._counter += 1

    def _simulate(self) -> None:
        start = time.perf_counter()
        self.physics.step(self.config.decimation)
        self.physics_seconds += time.perf_counter() - start
        self.robot.invalidate()
        unstable = self.physics.unstable()
        if unstable is not None:
            self.unstable.copy_(unstable)
            self.any_unstable = bool(unstable.any())
        elif self.any_unstable:
            self.unstable.fill_(False)
            self.any_unstable = False
        if self.any_unstable:
            self._report_unstable(int(self.unstable.sum()))

    def _report_unstable(self, worlds: int) -> None:
        """Warn the first time, and whenever twice as many episodes have ended so: a training has many steps."""
        self._unstable_episodes += worlds
        if self._unstable_episodes >= self._warn_at:
            self._warn_at = 2 * self._unstable_episodes
            logger.warning(
                "physics became unstable in %d of %d worlds (%d so far); their episodes end. If so again, shorten "
                "sim.timestep",
                worlds,
                self.num_envs,
                self._unstable_episodes,
            )

    def _reset(self, ids: Tensor) -> None:
        self.curriculum.compute()
        self.physics.reset(ids)
        self.robot.invalidate()
        self.events.reset(ids)
        self.physics.forward(ids)
        self.robot.invalidate()
        self.episode_length_buf.index_fill_(0, ids, 0)
        for contact in self.contacts.values():
            contact.reset(ids)
        for part in (self.commands, self.actions, self.observations, self.terminations, self.rewards, self.metrics):
            part.reset(ids)


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items() if not name.startswith("physics/bound/")}
