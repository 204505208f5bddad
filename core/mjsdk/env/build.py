"""From a configuration to an environment."""

from __future__ import annotations

from copy import deepcopy

from mjsdk.config.root import Config
from mjsdk.env.env import Env
from mjsdk.physics import make_physics, resolve_device
from mjsdk.plugins import Session
from mjsdk.scene import build_scene


def make_env(config: Config, session: Session, *, device: str | None = None, seed: int | None = None) -> Env:
    """The environment of a composed configuration.

    Args:
        config: What `compose` gave, or a run's own configuration.
        session: The plugins that it was composed with.
        device: Where the worlds are; the configuration's own device if none.
        seed: Seed of the environment's random numbers; the learner's seed if none.
    """
    where = resolve_device(device or config.train.device)
    scene = build_scene(session, config.env)
    physics = make_physics(scene.model, config.env.scene.num_envs, where, config.env.sim.threads)
    # A copy: a curriculum changes settings during training, and a run must record those that it began with.
    seed = config.agent.seed if seed is None else seed
    return Env(deepcopy(config.env), scene, physics, session.terms(), seed)
