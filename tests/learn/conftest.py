"""A point on a plane that learns to stay at the origin: the interface of `mjsdk.env.Env` without physics."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

from mjsdk.config import Config, EnvConfig, ObservationGroupConfig
from mjsdk.learn.checkpoints import read_checkpoint, seed_everything
from mjsdk.learn.trainer import Trainer
from mjsdk.runs import create_run


class FakeEnv:
    """Position and velocity of a point per world; the action is a force. Leaving the unit circle ends an episode."""

    def __init__(self, num_envs: int = 8, seed: int = 1, max_episode_length: int = 20):
        self.num_envs, self.num_actions, self.device = num_envs, 2, "cpu"
        self.max_episode_length = max_episode_length
        self.step_dt = 0.1
        self.physics_seconds = 0.0
        self.names = SimpleNamespace(joints=("x", "y"))
        self.robot = SimpleNamespace(default_joint_pos=torch.zeros(2))
        self.commands, self.gait = SimpleNamespace(terms={}), None
        self.config = EnvConfig(observations={name: ObservationGroupConfig() for name in ("actor", "critic")})
        self.generator = torch.Generator().manual_seed(seed)
        self.pos = torch.zeros(num_envs, 2)
        self.vel = torch.zeros(num_envs, 2)
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long)
        self.sums = torch.zeros(4)
        self.total = torch.zeros(num_envs)
        self.steps = torch.zeros((), dtype=torch.long)
        self.buffers = [self._new_buffers(), self._new_buffers()]
        self.poison = None
        self.closed = False
        self.reset(seed)

    observation_dims = {"actor": 4, "critic": 5, "unused": 1}
    observation_slices = {
        "actor": {"pos": slice(0, 2), "vel": slice(2, 4)},
        "critic": {"pos": slice(0, 2), "vel": slice(2, 4), "age": slice(4, 5)},
        "unused": {"nothing": slice(0, 1)},
    }

    def _new_buffers(self):
        return {name: torch.zeros(self.num_envs, width) for name, width in self.observation_dims.items()}

    def _observe(self):
        self.buffers.reverse()
        obs = self.buffers[0]
        obs["actor"].copy_(torch.cat((self.pos, self.vel), 1) + 0.01 * self._randn())
        obs["critic"].copy_(torch.cat((self.pos, self.vel, self.episode_length_buf.unsqueeze(1) / 100), 1))
        if self.poison is not None and int(self.steps) >= self.poison:
            obs["critic"][3, 4] = float("inf")
        return dict(obs)

    def _randn(self):
        return torch.randn(self.num_envs, 4, generator=self.generator)

    def get_observations(self):
        return dict(self.buffers[0])

    def _begin(self, ids):
        self.pos[ids] = 0.3 * torch.randn(len(ids), 2, generator=self.generator)
        self.vel[ids] = 0.0
        self.episode_length_buf[ids] = 0
        self.total[ids] = 0.0

    def reset(self, seed=None):
        if seed is not None:
            self.generator.manual_seed(seed)
        self._begin(torch.arange(self.num_envs))
        return self._observe()

    def stagger_episodes(self):
        ages = torch.randint(self.max_episode_length, (self.num_envs,), generator=self.generator)
        self.episode_length_buf.copy_(ages)

    def step(self, actions):
        self.vel += self.step_dt * actions.clamp(-5, 5)
        self.pos += self.step_dt * self.vel
        self.episode_length_buf += 1
        self.steps += 1
        reward = 1.0 - self.pos.norm(dim=1)
        self.total += reward
        terminated = self.pos.norm(dim=1) > 1.0
        truncated = (self.episode_length_buf >= self.max_episode_length) & ~terminated
        self.sums[0] += reward.mean()
        self.sums[1] += 1
        done = (terminated | truncated).nonzero().squeeze(1)
        self.sums[2] += len(done)
        self.sums[3] += self.total[done].sum()
        self._begin(done)
        return self._observe(), reward, terminated, truncated, {"time_outs": truncated}

    def log_iteration(self):
        reward, steps, episodes, totals = self.sums.tolist()
        self.sums.zero_()
        log = {"reward/near": reward / max(steps, 1)}
        if episodes:
            log |= {
                "train/mean_reward": totals / episodes,
                "train/episodes": episodes,
                "train/mean_episode_length_s": 1.0,
            }
        return log

    def _state(self):
        state = {name: getattr(self, name) for name in ("pos", "vel", "episode_length_buf", "sums", "total", "steps")}
        return state | {f"obs/{name}": tensor for name, tensor in self.buffers[0].items()}

    def state_dict(self):
        return {name: tensor.clone() for name, tensor in self._state().items()} | {
            "generator": self.generator.get_state()
        }

    def fits(self, state):
        return {name: t.shape for name, t in self.state_dict().items()} == {name: t.shape for name, t in state.items()}

    def load_state_dict(self, state):
        for name, tensor in self._state().items():
            tensor.copy_(state[name])
        self.generator.set_state(state["generator"])

    common_step_counter = property(lambda self: int(self.steps))

    def progress(self):
        return {"env/step_counter": self.steps.clone()}

    def load_progress(self, progress, steps=0):
        self.steps.copy_(progress.get("env/step_counter", torch.tensor(steps)))

    def close(self):
        self.closed = True


def small_config(kind="mlp"):
    config = Config(robot="point", task="stay")
    agent = config.agent
    agent.num_steps_per_env, agent.save_interval, agent.logger = 8, 2, "none"
    for network in (agent.actor, agent.critic):
        network.class_name, network.hidden_dims, network.rnn_hidden_dim = kind, [16, 16], 8
    return config


class Lab:
    """Makes runs and trainers of the fake environment."""

    def __init__(self, root):
        self.root = root
        self.config = small_config()
        self.trainers = []

    def start(self, **env):
        config = self.config
        seed_everything(config.agent.seed)
        run = create_run(self.root, "point_stay", config.agent.run_name)
        run.write_info({"started": time.time(), "plugins": []})
        run.write_config({"robot": "point", "task": "stay"})
        trainer = Trainer(FakeEnv(**env), config, run)
        trainer.warm_up()
        trainer.save()
        run.publish()
        return trainer

    def resume(self, run, iteration=None, **env):
        seed_everything(999)
        trainer = Trainer(FakeEnv(**{"seed": 77, **env}), self.config, run)
        path = run.newest_checkpoint() if iteration is None else run.checkpoint_path(iteration)
        trainer.load_state_dict(read_checkpoint(run, path))
        return trainer


@pytest.fixture(autouse=True)
def _one_thread():
    """Networks this small only wait for each other on more threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "logs")
