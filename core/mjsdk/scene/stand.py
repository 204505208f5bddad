"""Whether the servos alone hold a robot for a moment where episodes start."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import mujoco
import numpy as np

from mjsdk.scene.entities import Entity

_STEP_S = 0.005
_TILT = 45.0
"""Turn of the base from where it began that counts as falling [deg]."""
_FAST = 100.0
"""Speed beyond which the physics has blown up [m/s, rad/s]."""


def collapse(model: mujoco.MjModel, robot: Entity, start: mujoco.MjData, feet: int) -> Iterator[str]:
    """What happens to a robot with a free base, on a ground, that its servos cannot hold; nothing if they can.

    Two feet or one have to stand for half a second, since servos do not balance; more have to for one.
    """
    model, data = copy(model), copy(start)
    model.opt.timestep, model.opt.integrator = _STEP_S, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    height, up = data.xpos[robot.base, 2], data.xmat[robot.base, 6:].copy()
    for step in range(round((1.0 if feet > 2 else 0.5) / _STEP_S)):
        mujoco.mj_step(model, data)
        after = f"its servos do not hold it: after {(step + 1) * _STEP_S:.2g} s"
        advice = "Try higher kp and effort_limit, or a pose with the feet under the mass"
        tilt = np.degrees(np.arccos(np.clip(data.xmat[robot.base, 6:] @ up, -1.0, 1.0)))
        if not np.abs(data.qvel).max() < _FAST:
            yield f"{after} the physics blows up. Look for parts that overlap, and for kp and kd that are too large"
            return
        if tilt > _TILT or data.xpos[robot.base, 2] < 0.5 * height:
            yield f"{after} the base has turned by {tilt:.0f} deg and is at {data.xpos[robot.base, 2]:.2g} m. {advice}"
            return
