"""From what a robot's plugin says to a compiled model of the robot: the one way that everything takes."""

from __future__ import annotations

import attrs
import mujoco
import numpy as np

from mjsdk.errors import SceneError, listing
from mjsdk.plugins import Session
from mjsdk.scene.facts import check_compiled, check_facts
from mjsdk.scene.guest import Found, receive

_NAMED = {"body": "body", "jnt": "joint", "geom": "geom", "site": "site", "actuator": "actuator", "tendon": "tendon"}
"""Kinds of elements by the first word of their fields in `MjModel`."""


@attrs.frozen
class Alone:
    """A robot without a ground, with motors and collisions, held against its facts."""

    spec: mujoco.MjSpec
    """Not compiled, to add things to; compile it once, or copies of it."""
    model: mujoco.MjModel
    found: tuple[Found, ...]
    """What its model brought along and was changed."""

    def told(self, who: str) -> list[str]:
        """Warnings about names that are not the model's own: whoever writes facts has to know them."""
        new = (found for found in self.found if found.fate in ("named", "renamed"))
        return [f"{who}: {found.what}: {found.fate} {listing(found.names)}; give it a name of its own" for found in new]


def robot_alone(session: Session, collisions: str = "") -> Alone:
    """The session's robot with the collisions of a preset. Raises `SceneError` if model or facts are wrong."""
    spec = session.load_spec()
    who = session.robot_ref.label
    _check_fresh(who, spec)
    found = receive(spec)
    session.setup(spec, collisions)
    check_facts(session, spec)
    model = compiled(who, spec)
    check_compiled(session, spec, model)
    _check_fusion(who, spec, model)
    return Alone(spec, model, found)


def compiled(who: str, spec: mujoco.MjSpec) -> mujoco.MjModel:
    """The model of a spec, which stays as it is: MuJoCo spoils specs that fuse bodies (`fusestatic`) as it compiles."""
    try:
        model = spec.copy().compile()
        mujoco.mj_forward(model, mujoco.MjData(model))
    except Exception as error:  # whatever MuJoCo raises, it is about the model
        said = ", ".join(str(error).removeprefix("Error: ").split("\n")).strip(", ")
        raise SceneError(
            f"the model of {who} does not compile: {said}. Correct it in the model's file, or in mjsdk_load_spec"
        ) from error
    _check_numbers(who, model)
    return model


def check_same_masses(who: str, after: str, before: mujoco.MjModel, model: mujoco.MjModel) -> None:
    """Refuse a model whose bodies weigh something else than they did before."""
    if before.nbody != model.nbody or not np.allclose(before.body_mass, model.body_mass):
        masses = f"{before.body_mass.sum():.4g} kg to {model.body_mass.sum():.4g} kg"
        raise SceneError(f"the model of {who} went from {before.nbody} bodies of {masses} {after}")


def _check_fresh(who: str, spec: mujoco.MjSpec) -> None:
    if not spec.worldbody.bodies:
        raise SceneError(f"the model of {who} has no body; mjsdk_load_spec must return the robot's")
    if spec.compiler.fusestatic and np.any(spec.timer):
        raise SceneError(
            f"the model of {who} was compiled before, and fuses bodies (fusestatic): MuJoCo spoils it so. Return it "
            "from mjsdk_load_spec uncompiled, compile a copy of it, or set spec.compiler.fusestatic = False before"
        )


def _check_fusion(who: str, spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    """Fusing bodies must not change what they weigh together."""
    if not spec.compiler.fusestatic:
        return
    whole = spec.copy()
    whole.compiler.fusestatic = False
    mass, fused = compiled(who, whole).body_mass[1:].sum(), model.body_mass[1:].sum()
    if not np.isclose(mass, fused):
        raise SceneError(
            f"the model of {who} weighs {mass:.4g} kg, and {fused:.4g} kg once its bodies are fused (fusestatic); set "
            "spec.compiler.fusestatic = False in mjsdk_load_spec"
        )


def _check_numbers(who: str, model: mujoco.MjModel) -> None:
    for field in dir(model):
        values = getattr(model, field) if "_" in field.strip("_") else None
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and np.isnan(values).any():
            row = int(np.argwhere(np.isnan(values))[0][0])
            raise SceneError(f"the model of {who} has a number that is none: {_element(model, field, row)}")


def _element(model: mujoco.MjModel, field: str, row: int) -> str:
    kind, _, quantity = field.partition("_")
    name = getattr(model, kind)(row).name if kind in _NAMED else ""
    return f"{quantity} of {_NAMED[kind]} '{name}'" if name else f"{field}[{row}]"
