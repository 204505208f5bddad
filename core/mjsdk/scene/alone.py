"""From what a robot's plugin says to a compiled model of the robot: the one way that everything takes."""

from __future__ import annotations

import attrs
import mujoco
import numpy as np

from mjsdk.errors import SceneError
from mjsdk.plugins import Session
from mjsdk.scene.actuators import apply_actuators
from mjsdk.scene.collisions import apply_collisions, preset_of
from mjsdk.scene.facts import check_facts
from mjsdk.scene.guest import GROUND, Found, receive
from mjsdk.scene.joints import SCALAR

_NAMED = {
    "body": "body", "jnt": "joint", "geom": "geom", "site": "site", "actuator": "actuator", "tendon": "tendon",
    "eq": "equality",
}  # fmt: skip
"""Kinds of elements by the first word of their fields in `MjModel`."""
_ADVICE = {
    "named": "give them names of your own in the model",
    "renamed": "call it something else in the model",
    "kept apart": "say so yourself by spec.compiler.fusestatic = False in mjsdk_load_spec",
}


@attrs.frozen
class Alone:
    """A robot without a ground, with motors and collisions, held against its facts."""

    spec: mujoco.MjSpec
    """Not compiled, to add things to; compile it once, or copies of it."""
    model: mujoco.MjModel
    found: tuple[Found, ...]
    """What its model brought along and was changed."""

    def warnings(self, who: str) -> list[str]:
        """Warnings about parts that facts may name, and that are not as the model has them."""
        return [f"{who}: {found}; {_ADVICE[found.fate]}" for found in self.found if found.fate in _ADVICE]


def robot_alone(session: Session, collisions: str = "") -> Alone:
    """The session's robot with the collisions of a preset. Raises `SceneError` if model or facts are wrong."""
    robot, spec, who = session.robot(), session.load_spec(), session.robot_ref.label
    _check_fresh(who, spec)
    found = receive(spec)
    preset = preset_of(robot, collisions)
    apply_actuators(robot, spec)
    session.setup_actuators(spec)
    apply_collisions(robot, spec, preset)
    session.setup_collisions(spec, preset)
    model = compile_model(who, spec)
    check_facts(session, model)
    return Alone(spec, model, found)


def compile_model(who: str, spec: mujoco.MjSpec) -> mujoco.MjModel:
    """The model of a spec, which stays uncompiled."""
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
    wrapped = [wrap.target for tendon in spec.tendons for wrap in tendon.path]
    if any(isinstance(geom, mujoco.MjsGeom) and geom.name == GROUND for geom in wrapped):
        raise SceneError(f"a tendon of {who} wraps around the geom '{GROUND}', the ground's name; rename that geom")
    if not any(joint.type in SCALAR for joint in spec.joints):
        raise SceneError(f"the model of {who} has no hinge or slide that could be driven")
    if spec.compiler.fusestatic and np.any(spec.timer):
        raise SceneError(
            f"the model of {who} was compiled before, and fuses bodies (fusestatic): MuJoCo spoils it so. Return it "
            "from mjsdk_load_spec uncompiled, compile a copy of it, or set spec.compiler.fusestatic = False before"
        )


def _check_numbers(who: str, model: mujoco.MjModel) -> None:
    kinds = (*(f"{kind}_" for kind in _NAMED), "dof_", "qpos")
    fields = (field for field in dir(model) if field.startswith(kinds))
    # What MuJoCo derives at qpos0, fields on 0, is no cause.
    for field in sorted(fields, key=lambda field: field.endswith("0") and field != "qpos0"):
        values = getattr(model, field)
        wrong = ~(np.abs(values) <= (mujoco.mjMAXVAL if field.endswith("_pos") else np.inf))
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            what = "no number" if np.isnan(values[row]).any() else "too large"
            raise SceneError(
                f"the model of {who} has a value that is {what}: {_element(model, field, row)}. Correct it in the "
                "model's file, or in mjsdk_load_spec"
            )


def _element(model: mujoco.MjModel, field: str, row: int) -> str:
    kind, _, quantity = field.partition("_")
    if kind == "dof":
        kind, row = "jnt", int(model.dof_jntid[row])
    elif field.startswith("qpos"):
        kind, quantity, row = "jnt", field, int(np.searchsorted(model.jnt_qposadr, row, "right")) - 1
    name = getattr(model, kind)(row).name
    return f"{quantity} of {_NAMED[kind]} " + (f"'{name}'" if name else f"number {row}, which has no name")
