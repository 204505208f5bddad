"""Pictures of a MuJoCo model without a window."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np

from mjsdk.errors import RenderError
from mjsdk.render.gl import draws_in_software, make_context

_MAX_GEOMS = 4000
_SAMPLES = 4
"""Samples per pixel that smooth edges; without a GPU they would take most of the time of a picture."""


class Offscreen:
    """Draws pictures of one model at one size. Close it when done."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        self.size = (width, height)
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        self._model = model
        self._gl = make_context(width, height)
        self._gl.make_current()
        model.vis.quality.offsamples = 0 if draws_in_software() else _SAMPLES
        try:
            self.context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self.context)
        except mujoco.FatalError as error:
            self._gl.free()
            raise RenderError(f"OpenGL on this machine cannot draw a picture of {width} x {height}: {error}") from error
        self.scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self.camera = mujoco.MjvCamera()
        self._option = mujoco.MjvOption()
        self._viewport = mujoco.MjrRect(0, 0, width, height)

    def draw(
        self,
        data: mujoco.MjData,
        decorate: Callable[[mujoco.MjvScene], None] | None = None,
        text: tuple[str, str] | None = None,
    ) -> np.ndarray:
        """One picture, RGB of type uint8, shape (height, width, 3); `text` is two columns of lines in a corner."""
        self._gl.make_current()
        catch_all = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, self.camera, catch_all, self.scene)
        if decorate is not None:
            decorate(self.scene)
        mujoco.mjr_render(self._viewport, self.scene, self.context)
        if text is not None:
            font, corner = mujoco.mjtFont.mjFONT_NORMAL, mujoco.mjtGridPos.mjGRID_TOPLEFT
            mujoco.mjr_overlay(font, corner, self._viewport, *text, self.context)
        picture = np.empty((self.size[1], self.size[0], 3), np.uint8)
        mujoco.mjr_readPixels(picture, None, self._viewport, self.context)
        return picture[::-1]

    def close(self) -> None:
        """Give the graphics memory back."""
        if self._gl is not None:
            self._gl.make_current()
            self.context.free()
            self._gl.free()
            self._gl = None
