"""From a configuration to an environment."""

from __future__ import annotations

from copy import deepcopy

from mjsdk.config.checks import check_physics
from mjsdk.config.root import Config
from mjsdk.env.env import Env
from mjsdk.errors import refuse
from mjsdk.physics import make_physics, resolve
from mjsdk.plugins import Session
from mjsdk.scene import build_scene


def make_env(
    config: Config,
    session: Session,
    *,
    device: str | None = None,
    physics: str | None = None,
    seed: int | None = None,
) -> Env:
    """The environment of a composed configuration.

    Args:
        config: What `compose` gave, or a run's own configuration.
        session: The plugins that it was composed with.
        device: Where the worlds are; the configuration's own device if none.
        physics: What steps them, `auto`, `cpu` or `warp`; the configuration's own if none.
        seed: Seed of the environment's random numbers; the learner's seed if none.
    """
    device, physics = resolve(device or config.train.device, physics or config.train.physics)
    refuse(check_physics(config, physics))
    scene, sim = build_scene(session, config.env), config.env.sim
    worlds = make_physics(scene.model, config.env.scene.num_envs, device, sim.threads, physics=physics)
    # A copy: a curriculum changes settings during training, and a run must record those that it began with.
    seed = config.agent.seed if seed is None else seed
    return Env(deepcopy(config.env), scene, worlds, session.terms(), seed)
