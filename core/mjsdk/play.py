"""Watching a policy: in a window in real time, or in a video."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import mujoco
import torch
from torch import Tensor

from mjsdk.env import Env
from mjsdk.evaluate.commands import Command
from mjsdk.evaluate.run import one_torch_thread, rebuild
from mjsdk.evaluate.setup import Options, evaluation_config
from mjsdk.motion import velocity_term
from mjsdk.render import Recorder, WorldView
from mjsdk.render.gl import check_window, no_window

if TYPE_CHECKING:
    from mjsdk.learn.policy import Policy
    from mjsdk.plugins import Session
    from mjsdk.runs import Run

TOUR = (Command(forward=0.8), Command(left=0.4), Command(yaw_rate=0.8), Command())
"""Commands of a video: walk, side-step, turn, stand."""
_TURN_S = 3.0
"""Time that each command of a video gets at least [s]; a start takes one."""
_AT_LEAST_EVERY = 25
"""Control steps after which a window shows a picture even where drawing is slow."""
_EPISODE_S = 3600.0
"""Nobody wants to see a reset because time is up [s]."""


@attrs.define
class Show:
    """One world of a run with its policy, under commands that change over time."""

    session: Session
    env: Env
    policy: Policy
    tour: tuple[Command, ...]
    obs: dict[str, Tensor] = attrs.field(factory=dict)
    falls: int = 0

    def start(self) -> None:
        """Begin at the beginning."""
        self.ask(0)
        self.obs = self.env.reset()

    def ask(self, index: int) -> None:
        """Ask for the command of that number, if the task has velocity commands."""
        term = velocity_term(self.env)
        if term is not None:
            term.fix(
                self.env.all_worlds, torch.tensor(self.tour[index % len(self.tour)].values, device=self.env.device)
            )

    def step(self) -> bool:
        """Take one control step; whether the robot fell in it and was put back."""
        with torch.no_grad():
            self.obs, _, terminated, _, _ = self.env.step(self.policy(self.obs))
        fell = bool(terminated[0])
        if fell:
            self.policy.reset()
        self.falls += fell
        return fell


def make_show(run: Run, options: Options, checkpoint: str | None, commands: Sequence[Command] | None) -> Show:
    """A show of a run's policy, on the physics and with the noise that `options` say."""
    session = run.session()
    options = attrs.evolve(options, horizon_s=_EPISODE_S)
    config = evaluation_config(run.config(session), session, options, session.task().evaluation)
    env, policy = rebuild(run, session, config, checkpoint, options.seed)
    return Show(session, env, policy, tuple(commands or TOUR))


def play_video(show: Show, path: Path, duration_s: float, on_step: Callable[[float], None] | None = None) -> int:
    """Write a video in which the commands follow each other; returns how often the robot fell.

    A short video has fewer commands. `on_step` gets the simulated time [s] after every control step.
    """
    commands = min(len(show.tour), max(1, int(duration_s / _TURN_S)))
    steps = max(1, round(duration_s / show.env.step_dt))
    with one_torch_thread(), Recorder(show.env, show.session, path) as recorder:
        show.start()
        for step in range(steps):
            show.ask(step * commands // steps)
            if show.step():
                recorder.cut()
            recorder.capture()
            if on_step is not None:
                on_step((step + 1) * show.env.step_dt)
    return show.falls


def play_window(show: Show, duration_s: float | None = None, turn_s: float = 5.0) -> None:
    """Show a window in real time until it is closed; commands change every `turn_s` seconds."""
    check_window()
    view = WorldView(show.env, show.session)
    show.start()
    view.update()
    dt, step, begin = show.env.step_dt, 0, time.perf_counter()
    with _open(view) as window:
        viewer, camera = show.env.config.viewer, window.cam
        camera.type, camera.trackbodyid = mujoco.mjtCamera.mjCAMERA_TRACKING, view.base
        camera.distance, camera.elevation = viewer.distance, viewer.elevation
        camera.azimuth = viewer.azimuth + math.degrees(view.heading)
        view.set_light(camera.azimuth)
        while window.is_running() and (duration_s is None or step * dt < duration_s):
            show.ask(int(step * dt / turn_s))
            show.step()
            ahead = begin + step * dt - time.perf_counter()
            # A machine that draws slowly leaves pictures out, a few a second excepted, and keeps the time.
            if ahead > -dt or step % _AT_LEAST_EVERY == 0:
                _draw(window, view, step * dt)
            step += 1
            time.sleep(max(0.0, ahead + dt))


def _open(view: WorldView) -> mujoco.viewer.Handle:
    try:
        import mujoco.viewer

        return mujoco.viewer.launch_passive(view.model, view.data, show_left_ui=False, show_right_ui=False)
    except (ImportError, RuntimeError, mujoco.FatalError) as error:
        raise no_window(error) from error


def _draw(window: mujoco.viewer.Handle, view: WorldView, time_s: float) -> None:
    with window.lock():
        view.update()
        window.user_scn.ngeom = 0
        view.decorate(window.user_scn)
    font, corner = mujoco.mjtFontScale.mjFONTSCALE_150, mujoco.mjtGridPos.mjGRID_TOPLEFT
    window.set_texts((font, corner, *view.text(time_s)))  # takes the lock itself
    window.sync()
