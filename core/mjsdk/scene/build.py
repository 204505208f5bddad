"""Robot, ground and sensors in one model."""

from __future__ import annotations

import attrs
import mujoco

from mjsdk.config.env import EnvConfig, SimConfig
from mjsdk.errors import SceneError, closest, listing
from mjsdk.plugins import Session
from mjsdk.robot import InitialState, Robot
from mjsdk.robot.selection import ModelNames, per_joint
from mjsdk.scene.alone import Alone, check_same_masses, compile_model, robot_alone
from mjsdk.scene.entities import Entity, find_robot
from mjsdk.scene.guest import referred_to
from mjsdk.scene.sensors import SensorSlot, add_sensors, sensor_slots
from mjsdk.scene.terrain import add_ground

INITIAL = "initial"
"""Name of the keyframe that episodes start from."""
_SOLVERS = {"pgs": "PGS", "cg": "CG", "newton": "NEWTON"}
_INTEGRATORS = {"euler": "EULER", "implicit": "IMPLICIT", "implicitfast": "IMPLICITFAST", "rk4": "RK4"}


@attrs.frozen
class Scene:
    """A compiled model and where to find what the settings put into it."""

    model: mujoco.MjModel
    robot: Robot
    entity: Entity
    """Which bodies, joints and columns are the robot's own."""
    names: ModelNames
    sensors: dict[str, SensorSlot]
    initial: InitialState
    """The pose that episodes start from."""
    default_joint_pos: tuple[float, ...]
    """Joint positions of that pose [rad], shape (J,)."""


def build_scene(session: Session, config: EnvConfig, *, visuals: bool = False) -> Scene:
    """Compile the robot on its ground. Without `visuals`, geoms that only look good are left out: faster."""
    robot, who = session.robot(), session.robot_ref.label
    alone = robot_alone(session, config.scene.collisions)
    spec, bare = alone.spec, alone.model
    add_ground(spec, config.scene.terrain, visuals)
    entity = find_robot(bare, robot)
    names = ModelNames.of(bare, entity.joints)
    added = add_sensors(spec, config.scene.sensors, names, robot.roles)
    _apply_options(spec, config.sim)
    initial = _pose(robot, config.scene.pose)
    joint_pos = per_joint(initial.joint_pos, names, robot.roles, default=0.0)
    qpos, ctrl = entity.start(bare, initial, joint_pos)
    spec.add_key(name=INITIAL, qpos=qpos, ctrl=ctrl)
    if not visuals:
        _drop_visuals(spec)
    model = compile_model(f"{who} with its ground and sensors", spec)
    check_same_masses(who, "as ground and sensors were added", bare, model)
    entity = find_robot(model, robot)
    names = ModelNames.of(model, entity.joints)
    return Scene(model, robot, entity, names, sensor_slots(model, added), initial, tuple(joint_pos))


def compile_robot(session: Session, collisions: str = "") -> mujoco.MjModel:
    """The robot alone, with actuators and collisions."""
    return robot_alone(session, collisions).model


def on_ground(session: Session, alone: Alone) -> mujoco.MjModel:
    """The robot with nothing but a ground, as its facts are held against."""
    spec = alone.spec.copy()
    add_ground(spec, "flat", visuals=False)
    return compile_model(session.robot_ref.label, spec)


def _pose(robot: Robot, name: str) -> InitialState:
    if not name:
        return robot.default_pose
    if name not in robot.poses:
        raise SceneError(
            f"robot '{robot.name}' has no pose '{name}'{closest(name, robot.poses) or '.'} "
            f"Legal: {listing(robot.poses)}"
        )
    return robot.poses[name]


def _apply_options(spec: mujoco.MjSpec, sim: SimConfig) -> None:
    option = spec.option
    for name in ("timestep", "iterations", "ls_iterations", "tolerance", "ls_tolerance", "impratio", "ccd_iterations"):
        setattr(option, name, getattr(sim, name))
    option.gravity = sim.gravity
    option.solver = getattr(mujoco.mjtSolver, f"mjSOL_{_SOLVERS[sim.solver]}")
    option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{_INTEGRATORS[sim.integrator]}")
    option.cone = getattr(mujoco.mjtCone, f"mjCONE_{sim.cone.upper()}")


def _drop_visuals(spec: mujoco.MjSpec) -> None:
    named = referred_to(spec)
    for geom in list(spec.geoms):
        needed = geom.contype or geom.conaffinity or geom.name in named
        if not needed and not _gives_mass(geom):
            spec.delete(geom)


def _gives_mass(geom: mujoco.MjsGeom) -> bool:
    """Whether the mass and inertia of the geom's body come from its geoms."""
    stated = geom.parent.explicitinertial or geom.parent.name == "world"
    return geom.compiler.inertiafromgeom == mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_TRUE or not stated
