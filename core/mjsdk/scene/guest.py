"""What a robot's model may bring along besides the robot, and what becomes of it: one rule for each kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import mujoco
import numpy as np

GROUND = "floor"
"""Name of the geom that is the ground."""
_REFERRING = ("actuators", "sensors", "pairs", "excludes", "equalities", "tuples")
"""Elements that name others, besides tendons."""
_GROUNDS = (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD)
_SHOWN = 8
"""Names that a message lists."""


@attrs.frozen
class Rule:
    """What is done with one kind of thing."""

    what: str
    fate: str
    """`used`, `kept apart`, `removed`, `reset` to MuJoCo's defaults, `renamed` or `named`."""
    why: str
    apply: Callable[[mujoco.MjSpec], Iterable[str]] = lambda _: ()
    """Does it, and gives the name of each thing that it was done to."""


@attrs.frozen
class Found:
    """Things in a model that a rule changed."""

    what: str
    fate: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.names) - _SHOWN} more" if len(self.names) > _SHOWN else ""
        return f"{self.fate} {self.what}: {', '.join(self.names[:_SHOWN])}{more}"


def receive(spec: mujoco.MjSpec) -> tuple[Found, ...]:
    """Apply the rules to a robot's model, before anything is added to it, and tell what they changed."""
    found = (Found(rule.what, rule.fate, tuple(rule.apply(spec))) for rule in RULES)
    return tuple(each for each in found if each.names)


def neutral() -> mujoco.MjsDefault:
    """MuJoCo's own defaults, for what is added to a model: those of the model are for its own elements."""
    return mujoco.MjSpec().default


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The wanted name, with underscores after it if need be."""
    taken = set(taken)
    while wanted in taken:
        wanted += "_"
    return wanted


def referred_to(spec: mujoco.MjSpec) -> set[str]:
    """Names of the geoms, sites, bodies and joints that other elements of the model refer to."""
    elements = (element for kind in _REFERRING for element in getattr(spec, kind))
    wraps = (wrap for tendon in spec.tendons for wrap in tendon.path)
    return {name for element in (*elements, *wraps) for name in _names_in(element)} - {""}


def _names_in(element: Any) -> Iterator[str]:
    for field in dir(element):
        value = getattr(element, field) if field not in ("name", "info") and not field.startswith("_") else None
        if isinstance(value, str):
            yield value
        elif isinstance(value, Iterable):
            yield from (name for name in value if isinstance(name, str))
        elif isinstance(value, mujoco.MjsGeom | mujoco.MjsSite | mujoco.MjsJoint):
            yield value.name


def _remove(*kinds: str, which: Callable[[Any], bool] = lambda _: True) -> Callable[[mujoco.MjSpec], Iterable[str]]:
    def apply(spec: mujoco.MjSpec) -> list[str]:
        elements = [element for kind in kinds for element in getattr(spec, kind) if which(element)]
        names = [element.name for element in elements]
        for element in elements:
            spec.delete(element)
        return names

    return apply


def _reset(*parts: str) -> Callable[[mujoco.MjSpec], Iterable[str]]:
    def apply(spec: mujoco.MjSpec) -> Iterator[str]:
        fresh = mujoco.MjSpec()
        for part in parts:
            yield from _made_equal(getattr(spec, part), getattr(fresh, part))

    return apply


def _made_equal(given: Any, fresh: Any) -> Iterator[str]:
    for name in dir(fresh):
        value = None if name.startswith("_") else getattr(fresh, name)
        if isinstance(value, int | float | np.ndarray):
            if not np.array_equal(getattr(given, name), value, equal_nan=True):
                setattr(given, name, value)
                yield name
        elif value is not None and not callable(value):
            yield from _made_equal(getattr(given, name), value)


def _reset_sizes(spec: mujoco.MjSpec) -> Iterator[str]:
    fresh = mujoco.MjSpec()
    for name in ("memory", "nkey", "njmax", "nconmax", "nstack"):
        if getattr(spec, name) != getattr(fresh, name):
            setattr(spec, name, getattr(fresh, name))
            yield name


def _keep_drawings(spec: mujoco.MjSpec) -> Iterator[str]:
    if spec.compiler.discardvisual:
        spec.compiler.discardvisual = False
        yield "discardvisual"


def _never_fuse(spec: mujoco.MjSpec) -> Iterator[str]:
    if spec.compiler.fusestatic:
        spec.compiler.fusestatic = False
        yield from (body.name for body in spec.bodies if not body.joints and body.name != "world")


def _make_way(spec: mujoco.MjSpec) -> Iterator[str]:
    for geom in [geom for geom in spec.geoms if geom.name == GROUND]:
        geom.name = free_name(f"robot_{GROUND}", [other.name for other in spec.geoms])
        yield geom.name


def _name_joints(spec: mujoco.MjSpec) -> Iterator[str]:
    for body in spec.bodies:
        for i, joint in enumerate(body.joints):
            if not joint.name and joint.type != mujoco.mjtJoint.mjJNT_FREE:
                joint.name = free_name(f"{body.name or 'body'}_joint{i}", [other.name for other in spec.joints])
                yield joint.name


RULES = (
    Rule("bodies, joints, geoms, sites, cameras, meshes, skins, flexes", "used", "They are the robot."),
    Rule("materials and textures", "used", "What mjsdk adds has names of its own."),
    Rule("tendons, equalities, excluded contacts, plugins", "used", "They belong to the mechanism."),
    Rule("armature, friction loss, damping and stiffness of joints", "used", "`ActuatorGroup` may set the first two."),
    Rule("defaults", "used", "For the model's own elements: what mjsdk adds has MuJoCo's defaults."),
    Rule("actuators", "removed", "`Robot.actuators` drives the joints.", _remove("actuators")),
    Rule("sensors", "removed", "`env.scene.sensors` says what is sensed.", _remove("sensors")),
    Rule("keyframes", "removed", "`Robot.poses` has the poses.", _remove("keys")),
    Rule("contact pairs", "removed", "`Robot.collisions` says what touches.", _remove("pairs")),
    Rule(
        "planes and height fields",
        "removed",
        "`env.scene.terrain` is the ground.",
        _remove("geoms", which=lambda geom: geom.type in _GROUNDS),
    ),
    Rule("lights", "removed", "Pictures have a light of their own.", _remove("lights")),
    Rule(
        "skies",
        "removed",
        "Pictures have a sky of their own.",
        _remove("textures", which=lambda texture: texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX),
    ),
    Rule("custom data", "removed", "Nothing reads it.", _remove("numerics", "texts", "tuples")),
    Rule("options", "reset", "`env.sim` has the options: no wind, no medium, no flags.", _reset("option")),
    Rule("sizes", "reset", "MuJoCo finds them.", _reset_sizes),
    Rule("visual settings and statistics", "reset", "All robots are looked at alike.", _reset("visual", "stat")),
    Rule("compiler flag", "reset", "Collision rules are later than `discardvisual`.", _keep_drawings),
    Rule(
        "bodies to be fused",
        "kept apart",
        "With `fusestatic` MuJoCo fuses by chance, and spoils the model.",
        _never_fuse,
    ),
    Rule(f"geom called {GROUND}", "renamed", "That is the ground's name.", _make_way),
    Rule("hinges, slides and balls without a name", "named", "After their body, as in `thigh_joint0`.", _name_joints),
)
"""In the order in which they are applied."""
