"""The environment: many worlds of one task, stepped together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mjsdk.config.env import EnvConfig
from mjsdk.config.termchecks import changeable, changed_by_curriculum
from mjsdk.env.actions import Actions
from mjsdk.env.buffers import Buffers
from mjsdk.env.changes import change_setting
from mjsdk.env.commands import Commands
from mjsdk.env.contacts import ContactState
from mjsdk.env.derived import Derived
from mjsdk.env.events import Curriculum, Events
from mjsdk.env.log import EpisodeLog
from mjsdk.env.mirror import Mirror
from mjsdk.env.observations import Observations
from mjsdk.env.rewards import Metrics, Rewards, Terminations
from mjsdk.env.robot_state import RobotState
from mjsdk.env.spaces import Box
from mjsdk.env.worlds import Worlds
from mjsdk.errors import PhysicsError, closest, listing
from mjsdk.ops import make_ops
from mjsdk.physics import Physics
from mjsdk.physics.protocol import below
from mjsdk.scene import Scene
from mjsdk.terms import TermRegistry

_COUNTER = "env/step_counter"
_ASKED_FOR = ("physics/bound/", "physics/start")


class Env:
    """`E` worlds that take actions of shape (E, A) and give observations of shape (E, D) per group."""

    def __init__(self, config: EnvConfig, scene: Scene, physics: Physics, terms: TermRegistry, seed: int = 0) -> None:
        self.config = config
        self.scene = scene
        self.physics = physics
        self.terms = terms
        self.ops = make_ops(physics.device)
        self.changeable = frozenset(changeable(config, terms))
        """Paths below `env` of the settings that may change during training."""
        self.num_envs = physics.num_envs
        self.device = physics.device
        self.model = scene.model
        self.names = scene.names
        self.roles = scene.robot.roles
        self.gait = scene.robot.gait
        self.step_dt: float = config.step_dt
        """Length of a control step [s]."""
        self.max_episode_length = max(1, round(config.episode_length_s / self.step_dt))
        """Longest episode [control steps]."""
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.buffers = Buffers(self.device)
        self.derived = Derived()
        """What follows from the state, computed once for all who ask."""
        self.episode_length_buf = self.buffers.new("env/episode_length", self.num_envs, dtype=torch.long)
        """Age of each world's episode [control steps], shape (E,)."""
        self._counter = self.buffers.new(_COUNTER, dtype=torch.long)
        self._steps = 0
        self.unstable = self.zeros(self.num_envs, dtype=torch.bool)
        """Worlds whose physics blew up in the last step, shape (E,). Their episodes end."""
        self.all_worlds = self.worlds(torch.ones(self.num_envs, dtype=torch.bool, device=self.device))
        self._build()

    def _build(self) -> None:
        config = self.config
        self._sensordata = self.physics.bind("sensordata")
        self._sensors: dict[str, Tensor] = {}
        self.robot = RobotState(self)
        self.contacts = {
            name: ContactState(name, self.sensor(name), self.buffers, self.ops, sensor.track_air_time)
            for name, sensor in config.scene.sensors.items()
            if sensor.type == "contact"
        }
        self.events = Events(self, config.events)
        self.commands = Commands(self, config.commands)
        self.mirror = Mirror(self, config.mirror_clock) if config.mirror_clock else None
        """Left-right symmetry, if the settings ask for it."""
        self.actions = Actions(self, config.actions)
        self.observations = Observations(self, config.observations)
        self.terminations = Terminations(self, config.terminations)
        changing = set().union(*changed_by_curriculum(config, self.terms).values())
        self.rewards = Rewards(self, config.rewards, changing)
        self.metrics = Metrics(self, config.metrics)
        self._rows = (self.terminations.rows, self.rewards.rows, self.metrics.rows)
        self.curriculum = Curriculum(self, config.curriculum)
        self.log = EpisodeLog(self)
        self.events.startup()
        self.reset()
        self.commands.check()
        self._rehearse()
        self.physics.report()

    def _rehearse(self) -> None:
        """Call terms that only steps call, and undo it: what they give wrongly is an error now, not in a training."""
        self.buffers.complete = True
        buffers, physics = self.buffers.state_dict(), self.physics.state_dict()
        generator = self.generator.get_state()
        with torch.inference_mode():
            for rows in self._rows:
                rows.rehearse()
            self.actions.rehearse()
        self.buffers.load_state_dict(buffers)
        self.physics.load_state_dict(physics, derived=False)
        self.derived.state_changed()
        self.generator.set_state(generator)

    @property
    def num_actions(self) -> int:
        """Width A of the action."""
        return self.actions.size

    @property
    def common_step_counter(self) -> int:
        """Control steps since training began."""
        return self._steps

    @common_step_counter.setter
    def common_step_counter(self, steps: int) -> None:
        self._steps = steps
        self._counter.fill_(steps)

    @property
    def physics_seconds(self) -> float:
        """Wall time spent in the physics so far [s]."""
        return self.physics.seconds

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

    def worlds(self, mask: Tensor | None, ids: Tensor | None = None) -> Worlds:
        """Some of the worlds, by a mask, bool, shape (E,), or by numbers, shape (n,), where these are known."""
        if mask is not None and ids is None:
            ids = self.ops.numbers(mask)
        return Worlds(self.num_envs, self.generator, mask=mask, ids=ids)

    def zeros(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """A tensor to work with that is written to in place at any time; what has to be saved is in `buffers`."""
        with torch.inference_mode(False):
            return torch.zeros(shape, dtype=dtype, device=self.device)

    def reset(self, seed: int | None = None) -> dict[str, Tensor]:
        """Begin a new episode in every world and give the first observations."""
        if seed is not None:
            self.generator.manual_seed(seed)
            self.observations.reseed()
        with torch.inference_mode():
            self._reset(self.all_worlds)
            self.log.begin(self.all_worlds)
            self.commands.compute(0.0)
            self.observations.compute()
        return self.observations.snapshot()

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
        return self.observations.snapshot(), reward.clone(), terminated.clone(), truncated, {"time_outs": truncated}

    def _step(self, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step without autograd's bookkeeping: reward, terminated, truncated, shape (E,) each."""
        self.actions.process(action)
        self._simulate()
        self.episode_length_buf += 1
        self.common_step_counter += 1
        for contact in self.contacts.values():
            contact.update(self.step_dt)
        ended = self.terminations.compute()
        reward = self.rewards.compute(self.step_dt)
        self.log.step()
        self.events.interval(self.step_dt)
        if not ended.known_empty:
            self.log.end(ended)
            self._reset(ended)
        self.commands.compute(self.step_dt)
        self.observations.compute()
        return reward, self.terminations.terminated, self.terminations.truncated

    def get_observations(self) -> dict[str, Tensor]:
        """The observations of the last step or reset, not computed again."""
        return self.observations.last

    def log_iteration(self) -> dict[str, float]:
        """Means since the last call: `reward/*` [1/s], `metrics/*`, `termination/*`, `curriculum/*`, `train/*`.

        Where contacts found no memory, `overflow/*` is the number of worlds.
        """
        return self.log.take()

    def stagger_episodes(self) -> None:
        """Give the worlds random ages, so that their time is not up all at once."""
        ages = torch.randint(0, self.max_episode_length, (self.num_envs,), generator=self.generator, device=self.device)
        self.episode_length_buf.copy_(ages)

    def set_setting(self, path: str, value: Any) -> None:
        """Change a setting during training, by its path below `env`, such as `rewards.upright.weight`."""
        change_setting(self, path, value)

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that `load_state_dict` needs to resume exactly: plain tensors by name."""
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
        self.common_step_counter = int(self._counter)
        self.curriculum.restore()

    def fits(self, state: dict[str, Tensor]) -> bool:
        """Whether `load_state_dict` can take a state: whether it remembers the same things about as many worlds.

        Derived fields and start states do not count: they are there once a term has asked for them or set them.
        """
        return _shapes(self.state_dict()) == _shapes(state)

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Resume from `state_dict` of an environment with the same settings."""
        self.buffers.load_state_dict(below(state, "buffer/"))
        self.physics.load_state_dict(below(state, "physics/"))
        self.generator.set_state(state["generator"].cpu())
        self.observations.last = below(state, "last/")
        self.derived.state_changed()
        self.common_step_counter = int(self._counter)
        self.curriculum.restore()
        if self.mirror is not None:
            self.mirror.update_active()

    def _simulate(self) -> None:
        self.physics.step(self.config.decimation)
        self.derived.state_changed()
        self.unstable = self.physics.unstable()

    def _reset(self, worlds: Worlds) -> None:
        self.curriculum.compute(worlds)
        self.physics.reset(worlds)
        self.derived.state_changed()
        for part in (self.events, self.commands):  # which may set the state
            part.reset(worlds)
        self.physics.forward(worlds)
        self.derived.state_changed()
        worlds.fill(self.episode_length_buf, 0)
        for contact in self.contacts.values():
            contact.reset(worlds)
        for manager in (self.actions, self.observations, *self._rows):
            manager.reset(worlds)


def _shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items() if not name.startswith(_ASKED_FOR)}
