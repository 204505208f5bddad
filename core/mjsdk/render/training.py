"""Videos of a policy while it is trained."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

import torch

from mjsdk.errors import MjsdkError
from mjsdk.evaluate.setup import calm
from mjsdk.render.gl import make_context
from mjsdk.render.world import Recorder

if TYPE_CHECKING:
    from mjsdk.env import Env
    from mjsdk.learn.report import Report
    from mjsdk.learn.trainer import Trainer
    from mjsdk.plugins import Session

log = logging.getLogger(__name__)


class VideoWatcher:
    """Records `videos/iteration_<n>.mp4` in the run every so many iterations.

    The video is made in a world of its own, with random numbers of its own, so that a training is the same with and
    without. Where no picture can be drawn it warns once and stays quiet.
    """

    def __init__(self, trainer: Trainer, session: Session) -> None:
        self._trainer = trainer
        self._session = session
        self._settings = trainer.config.train
        self._env: Env | None = None
        self._working = True
        self._try(lambda: make_context(64, 64).free())

    def iteration(self, report: Report) -> None:
        """Record, if a video is due."""
        if self._working and report.iteration % self._settings.video_interval == 0:
            self._try(lambda: self._record(report.iteration))

    def close(self) -> None:
        """The training has ended."""
        self._env = None

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except MjsdkError as error:
            self._working = False
            log.warning("no videos of this training: %s", error)

    def _record(self, iteration: int) -> None:
        from mjsdk.learn.policy import Policy, describe_policy

        trainer = self._trainer
        env = self._env = self._env or self._make_env()
        description = describe_policy(trainer.config.agent, trainer.env)
        policy = Policy(deepcopy(trainer.algorithm.actor).eval(), description, iteration, trainer.run)
        policy.reset()
        env.common_step_counter = trainer.env.common_step_counter
        path = trainer.run.path / "videos" / f"iteration_{iteration}.mp4"
        with torch.no_grad(), Recorder(env, self._session, path) as recorder:
            obs = env.reset()
            for _ in range(self._settings.video_length):
                obs, _, terminated, truncated, _ = env.step(policy(obs))
                if terminated[0] or truncated[0]:
                    recorder.cut()
                recorder.capture()

    def _make_env(self) -> Env:
        from mjsdk.env import make_env

        config = deepcopy(self._trainer.config)
        config.env.scene.num_envs = 1
        calm(config)
        return make_env(config, self._session, device=self._settings.device, seed=config.agent.seed)
