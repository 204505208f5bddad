"""Videos of the policy while it learns."""

from __future__ import annotations

from mjsdk.errors import StorageError
from mjsdk.learn.checkpoints import random_state, set_random_state
from mjsdk.learn.report import Report, Watcher
from mjsdk.learn.trainer import Trainer


class Videos(Watcher):
    """Films a world of its own every so many iterations, with the deterministic policy. Training does not notice."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._every = trainer.config.train.video_interval
        self._seconds = trainer.config.train.video_length * trainer.env.step_dt
        if not trainer.iteration:
            self._film()  # what cannot be drawn or encoded here is an error before hours of training, not after

    def iteration(self, report: Report) -> None:
        """Film, if it is time to."""
        if report.iteration % self._every == 0 or report.iteration == report.last_iteration:
            self._trainer.save()
            self._film()

    def _film(self) -> None:
        from mjsdk.evaluate.setup import Options
        from mjsdk.play import make_show, play_video

        run, iteration = self._trainer.run, self._trainer.iteration
        path, before = run.path / "videos" / f"iteration_{iteration}.mp4", random_state()
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make {path.parent}: {error.strerror or error}") from error
        try:
            train = self._trainer.config.train
            options = Options(num_envs=1, sim="as-trained", device=train.device, physics=train.physics)
            play_video(make_show(run, options, run.checkpoint_path(iteration).name, None), path, self._seconds)
        finally:
            set_random_state(before)
