"""Which part of a robot is the mirror image of which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import mujoco
import numpy as np

from mjsdk.errors import SceneError
from mjsdk.robot import Robot
from mjsdk.robot.selection import ModelNames
from mjsdk.scene.entities import Entity

_IMAGE = np.array([1.0, -1.0, 1.0])
"""What the mirror does to a place: left becomes right."""
_NEAR = 0.05
"""Share of the robot's size by which a joint may be away from where its partner's image is."""
_FIX = "Give both sides of Robot.mirror as their names have them, such as {'left_': 'right_'}, or leave it out."


def partner(name: str, pairs: Mapping[str, str], names: Sequence[str]) -> str:
    """The part on the other side: one that the robot's pairs of words lead to, or the part itself if it is in the
    middle.
    """
    for left, right in pairs.items():
        for here, there in ((left, right), (right, left)):
            other = name.replace(here, there, 1)
            if here in name and other in names:
                return other
    return name


def joint_partners(model: mujoco.MjModel, robot: Entity, facts: Robot) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The partner of each joint by name, and whether it turns the same way (1) or the other (-1), shape (J,) each.

    Raises `SceneError` for joints that are not where the image of their partner is, at the model's zero pose.
    """
    names, pairs = [model.joint(joint).name for joint in robot.joints], facts.mirror
    if not pairs:
        raise SceneError(f"robot '{facts.name}' does not say which of its parts are left and right; set Robot.mirror")
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    frame = data.xmat[robot.base].reshape(3, 3)  # places and axes at the zero pose, in the frame of the base
    places, axes = (data.xanchor[[*robot.joints]] - data.xpos[robot.base]) @ frame, data.xaxis[[*robot.joints]] @ frame
    sources = [names.index(partner(name, pairs, names)) for name in names]
    products = ((axes * -_IMAGE) * axes[sources]).sum(1)
    every = ModelNames.of(model)
    parts = (*names, *every.bodies, *every.sites)
    mistakes = [
        f"  '{left}': '{right}' is in no name"
        for left, right in pairs.items()
        if not any(left in name or right in name for name in parts)
    ]
    mistakes += _misplaced(names, sources, places)
    for i in np.flatnonzero(np.abs(products) < 0.9).tolist():
        other = f"that of '{names[sources[i]]}' differs"
        whose = "the middle plane does not mirror it onto itself" if sources[i] == i else other
        mistakes.append(f"  joint '{names[i]}': its axis does not fit, {whose}")
    if mistakes:
        raise SceneError("\n".join([f"robot '{facts.name}' is not symmetric as its mirror says:", *mistakes, _FIX]))
    return tuple(sources), tuple(np.sign(products).tolist())


def _misplaced(names: Sequence[str], sources: Sequence[int], places: np.ndarray) -> Iterator[str]:
    near = _NEAR * np.abs(places).max(initial=0.0)
    far = np.linalg.norm(places * _IMAGE - places[list(sources)], axis=1)
    for i in np.flatnonzero(far > near).tolist():
        if sources[i] == i:
            yield f"  joint '{names[i]}' has no partner, and is {abs(places[i, 1]):.3g} m beside the middle"
        else:
            yield f"  joint '{names[i]}' is {far[i]:.3g} m away from the mirror image of '{names[sources[i]]}'"
