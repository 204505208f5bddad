"""Where to draw without a display.

MuJoCo decides when it is imported, by MUJOCO_GL, and then either works or not. Here the choice is made when the first
picture is drawn: EGL if this machine has it, else OSMesa. Each is tried in a process of its own, because a driver that
fails may take the process with it, and because PyOpenGL cannot change its mind.
"""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
from typing import Any

from mjsdk.errors import RenderError

HEADLESS = ("egl", "osmesa")
"""MuJoCo's ways to draw without a display, in the order in which they are tried."""
_PROBE = "import sys, importlib; importlib.import_module('mujoco.' + sys.argv[1]).GLContext(64, 64).make_current()"
_PROBE_WINDOW = """import sys, glfw
glfw.ERROR_REPORTING = False
window = glfw.init() and (glfw.window_hint(glfw.VISIBLE, 0) or glfw.create_window(64, 64, "mjsdk", None, None))
sys.exit(None if window else glfw.get_error()[1].decode())"""
_PROBE_TIMEOUT = 30.0  # s; a first start of a driver on a slow disk takes a few
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software", "osmesa")
"""Parts of the names of OpenGL implementations that draw on the CPU."""
_HELP = (
    "Install one of them: `sudo apt install libegl1 libgl1-mesa-dri` (EGL) or `sudo apt install libosmesa6` (OSMesa), "
    "or set MUJOCO_GL to what this machine has."
)


def has_display() -> bool:
    """Whether a window can be opened."""
    linux = sys.platform.startswith("linux")
    return not linux or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_window() -> None:
    """Raise `RenderError` where no window opens: MuJoCo ends the process instead of raising an error."""
    if sys.platform == "darwin":  # says so itself
        return
    if reason := probe("glfw"):
        raise no_window(reason)


def no_window(reason: object) -> RenderError:
    """That no window can be opened, and what to do."""
    starter = "start it by `mjpython -m mjsdk play ...`" if sys.platform == "darwin" else "check the display (DISPLAY)"
    return RenderError(f"cannot open a window ({reason}). Either {starter}, or write a video: --video play.mp4")


def make_context(width: int, height: int) -> Any:
    """An OpenGL context for pictures of that size [px]. Raises `RenderError` where nothing can draw."""
    given = os.environ.get("MUJOCO_GL", "")
    backend = given.lower().strip()
    if not backend and sys.platform.startswith("linux"):
        backend = find_headless()
    headless = backend in HEADLESS  # else it is MuJoCo's own choice: by MUJOCO_GL, or what the system offers
    try:
        module = importlib.import_module(f"mujoco.{backend}" if headless else "mujoco.rendering.classic.gl_context")
        return module.GLContext(width, height)
    except Exception as error:  # drivers and PyOpenGL raise what they like
        what = backend if headless else f"MUJOCO_GL='{given}'"
        advice = "" if headless else f"Without a display use {' or '.join(HEADLESS)}. "
        raise RenderError(f"cannot draw with {what} ({error}). {advice}{_HELP}") from error


@functools.cache
def find_headless() -> str:
    """The first of `HEADLESS` that works here."""
    failures = {}
    for backend in HEADLESS:
        failures[backend] = probe(backend)
        if not failures[backend]:
            return backend
    reasons = "; ".join(f"{backend}: {reason}" for backend, reason in failures.items())
    raise RenderError(f"nothing on this machine can draw without a display ({reasons}). {_HELP}")


def probe(backend: str) -> str:
    """Try a backend, or `glfw` for windows, in a process of its own: nothing if it works, else why not."""
    environment = os.environ | {"MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend}
    command = [sys.executable, "-c", _PROBE_WINDOW if backend == "glfw" else _PROBE, backend]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def draws_in_software() -> bool:
    """Whether the current OpenGL context draws on the CPU."""
    try:
        renderer = importlib.import_module("OpenGL.GL").glGetString(0x1F01)  # GL_RENDERER
    except Exception:  # whatever is wrong with PyOpenGL, a picture can be drawn without knowing
        return True
    name = renderer.decode(errors="replace").lower() if renderer else ""
    return not name or any(mark in name for mark in _SOFTWARE)
