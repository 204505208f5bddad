"""One number for all that the model of a robot is, to tell whether it has changed."""

from __future__ import annotations

import hashlib

import numpy as np

from mjsdk.plugins import Session
from mjsdk.scene.alone import robot_alone


def model_digest(session: Session) -> str:
    """A SHA-256 of the robot alone, with actuators and its default collisions, as this MuJoCo compiles it."""
    model = robot_alone(session).model
    found = hashlib.sha256(model.names)
    for name in dir(model):
        values = getattr(model, name)
        if isinstance(values, np.ndarray):
            found.update(name.encode())
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()
