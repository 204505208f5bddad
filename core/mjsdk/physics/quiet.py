"""MuJoCo's own lines, kept off the terminal and out of the present folder."""

from __future__ import annotations

import mujoco


def quiet_mujoco() -> None:
    """From now on, let MuJoCo count its warnings (`MjData.warning`) without writing them anywhere.

    By itself it prints a line per world, and appends it to a MUJOCO_LOG.TXT in the present folder. A handler that
    somebody else has set is left alone.
    """
    if mujoco.get_mju_user_warning() is None:
        # A built-in that does nothing: Python code in its place could be interrupted, which MuJoCo does not survive.
        mujoco.set_mju_user_warning(id)
