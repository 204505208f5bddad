"""One world of an environment, as a picture with its command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from mjsdk.motion import base_velocity, velocity_term
from mjsdk.render.camera import FollowCamera, heading_of
from mjsdk.render.draw import ACTUAL, ASKED, RADIUS, SLOWEST, add_velocity
from mjsdk.render.offscreen import Offscreen
from mjsdk.render.video import VideoWriter, check_video_path
from mjsdk.scene import INITIAL, Scene, build_scene

if TYPE_CHECKING:
    from mjsdk.env import Env
    from mjsdk.plugins import Session

MAX_FPS = 30.0
"""Videos have the control rate, or a whole part of it, up to this many frames per second: 25 at 50 Hz."""
_LIGHT_DISTANCE = 2.5
"""Distance of the lights to the robot [m]."""
_LIGHT_TURN, _LIGHT_STEEPNESS = 25.0, 1.5
"""Angle from the direction of view to that of the light [deg], and how much it goes down for each way along [-]."""
_EXTENT = 3.0
"""Size of what is lit and shadowed around the robot [m]."""
_FLOOR = 0.03
"""Height of the arcs that show turns [m]."""
_WIDER = 1.25
"""Radius of the command's arc over that of the robot's motion."""
_SWAY = 0.1
"""Speed [m/s] and yaw rate [rad/s] up to which a robot that is to stand still counts as standing still."""
_GAP = 0.06
"""Height between the arrow of the command and that of the robot's motion [m]."""


class WorldView:
    """The state of one world in a model with floor, sky and light, and what to draw into it."""

    def __init__(self, env: Env, session: Session, world: int = 0) -> None:
        self.world = world
        scene = build_scene(session, env.config, visuals=True)
        self.model = scene.model
        self.data = mujoco.MjData(self.model)
        self.base = scene.entity.base
        """The robot's base among the bodies of `model`."""
        # Clean shadows, no mirror images that distract from the feet, half of MuJoCo's facets in half of the time.
        self.model.vis.quality.numslices, self.model.vis.quality.numstacks = 16, 10
        self.model.vis.quality.shadowsize, self.model.vis.map.shadowclip = 2048, 1.0
        self.model.stat.extent = _EXTENT
        self.model.mat_reflectance[:] = 0.0
        self.set_light(env.config.viewer.azimuth)
        self._env = env
        self._qpos = env.physics.bind("qpos")
        self._top = _height_above_base(scene, self.data)

    def update(self) -> None:
        """Take over the world's state."""
        self.data.qpos[:] = self._qpos[self.world].cpu().numpy()
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        self._place_lights()

    def set_light(self, azimuth: float) -> None:
        """Put the key light behind a camera that looks along `azimuth` [deg], and to its side."""
        angle = math.radians(azimuth + _LIGHT_TURN)
        direction = np.array([math.cos(angle), math.sin(angle), -_LIGHT_STEEPNESS])
        self._light_dir = direction / np.linalg.norm(direction)
        self._place_lights()

    def _place_lights(self) -> None:
        """The lights go along with the robot: shadows are drawn only near them."""
        self.data.light_xdir[:] = self._light_dir
        self.data.light_xpos[:] = self.base_pos - _LIGHT_DISTANCE * self._light_dir

    @property
    def base_pos(self) -> np.ndarray:
        """Position of the robot's base [m], world frame, shape (3,)."""
        return self.data.xpos[self.base].copy()

    @property
    def heading(self) -> float:
        """Direction of the robot's base around the vertical [rad]."""
        return heading_of(self.data.xquat[self.base])

    def velocities(self) -> tuple[Sequence[float], Sequence[float]] | None:
        """Asked and actual forward speed, speed to the left [m/s] and yaw rate [rad/s]; none without such a command."""
        term = velocity_term(self._env)
        if term is None:
            return None
        return term.command[self.world].tolist(), base_velocity(self._env.robot)[self.world].tolist()

    def decorate(self, scene: mujoco.MjvScene) -> None:
        """Draw command (green) and motion (blue) over the robot, turns around its feet."""
        velocities = self.velocities()
        if velocities is None:
            return
        over = self.base_pos + np.array([0.0, 0.0, self._top + 0.15])
        asked, actual = velocities
        floor = np.array([*self.base_pos[:2], _FLOOR])
        slowest = SLOWEST if any(asked) else _SWAY
        higher = over + np.array([0.0, 0.0, _GAP])
        add_velocity(scene, higher, self.heading, asked, ASKED, turn_at=floor, radius=_WIDER * RADIUS)
        add_velocity(scene, over, self.heading, actual, ACTUAL, turn_at=floor, slowest=slowest)

    def text(self, time_s: float) -> tuple[str, str]:
        """Two columns for a corner of the picture."""
        velocities = self.velocities()
        if velocities is None:
            return "time", f"{time_s:5.1f} s"
        (vx, vy, wz), (ax, ay, az) = velocities
        left = "time\n \n \nforward\nleft\nturn"
        right = (
            f"{time_s:5.1f} s\nasked  actual\n(green) (blue)\n"
            f"{vx:+5.2f}   {ax:+5.2f} m/s\n{vy:+5.2f}   {ay:+5.2f} m/s\n{wz:+5.2f}   {az:+5.2f} rad/s"
        )
        return left, right


class Recorder:
    """Records one world of an environment: call `capture` after every step.

    Use it as a context manager, so that an error leaves no half-written file. Raises `RenderError` where nothing can
    draw and `StorageError` for a path that cannot be written, both at once.
    """

    def __init__(self, env: Env, session: Session, path: Path, world: int = 0) -> None:
        viewer = env.config.viewer
        self._every = max(1, round(1.0 / (env.step_dt * MAX_FPS) + 0.49))
        self._dt = env.step_dt * self._every
        self._steps = 0
        self.view = WorldView(env, session, world)
        self._camera = FollowCamera(viewer)
        size = (viewer.width - viewer.width % 2, viewer.height - viewer.height % 2)  # video codecs want even ones
        check_video_path(path)
        self._offscreen = Offscreen(self.view.model, *size)
        self._writer = VideoWriter(path, 1.0 / self._dt, size)

    def capture(self) -> None:
        """Add a frame, if one is due."""
        if self._steps % self._every == 0:
            self.view.update()
            self.view.set_light(self._camera.azimuth(self.view.heading))
            self._camera.aim(self._offscreen.camera, self.view.base_pos, self.view.heading, self._dt)
            text = self.view.text(self._steps / self._every * self._dt)
            self._writer.add(self._offscreen.draw(self.view.data, self.view.decorate, text))
        self._steps += 1

    def cut(self) -> None:
        """Let the camera jump to the robot, as after a reset."""
        self._camera.cut()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *more: object) -> None:
        self._offscreen.close()
        self._writer.__exit__(kind, *more)


def _height_above_base(scene: Scene, data: mujoco.MjData) -> float:
    """How far the highest geom of the robot is above its base in the initial pose [m]."""
    model = scene.model
    mujoco.mj_resetDataKeyframe(model, data, model.key(INITIAL).id)
    mujoco.mj_kinematics(model, data)
    robot = np.isin(model.geom_bodyid, scene.entity.bodies)
    base = float(data.xpos[scene.entity.base, 2])
    return float((data.geom_xpos[robot, 2] + model.geom_rbound[robot]).max(initial=base)) - base
