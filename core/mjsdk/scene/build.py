"""Robot, ground and sensors in one model."""

from __future__ import annotations

import attrs
import mujoco

from mjsdk.config.env import EnvConfig, SimConfig
from mjsdk.errors import SceneError, closest, listing
from mjsdk.plugins import Session
from mjsdk.robot import InitialState, Robot
from mjsdk.scene.entities import Entity, find_robot
from mjsdk.scene.facts import robot_spec
from mjsdk.scene.sensors import SensorSlot, add_sensors, sensor_slots
from mjsdk.scene.terrain import add_ground
from mjsdk.selection import ModelNames, per_joint

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
    robot = session.robot()
    spec = robot_spec(session, config.scene.collisions)
    add_ground(spec, config.scene.terrain, visuals)
    bare = _compile(robot, spec)
    _check_base(robot, bare)
    names = ModelNames.of(bare, find_robot(bare, robot).joints)
    added = add_sensors(spec, config.scene.sensors, names, robot.roles)
    _apply_options(spec, config.sim)
    initial = _pose(robot, config.scene.pose)
    joint_pos = per_joint(initial.joint_pos, names, robot.roles, default=0.0)
    _add_initial(spec, bare, robot, initial, joint_pos)
    if not visuals:
        _drop_visuals(spec)
    model = _compile(robot, spec)
    entity = find_robot(model, robot)
    names = ModelNames.of(model, entity.joints)
    return Scene(model, robot, entity, names, sensor_slots(model, added), initial, tuple(joint_pos))


def compile_robot(session: Session, collisions: str = "", *, ground: bool = False) -> mujoco.MjModel:
    """The robot, with actuators and collisions, at its default pose: alone, or on the ground."""
    robot = session.robot()
    spec = robot_spec(session, collisions)
    if ground:
        add_ground(spec, "flat", visuals=False)
    model = _compile(robot, spec)
    names = ModelNames.of(model, find_robot(model, robot).joints)
    joint_pos = per_joint(robot.default_pose.joint_pos, names, robot.roles, default=0.0)
    _add_initial(spec, model, robot, robot.default_pose, joint_pos)
    return _compile(robot, spec)


def _pose(robot: Robot, name: str) -> InitialState:
    if not name:
        return robot.default_pose
    if name not in robot.poses:
        raise SceneError(
            f"robot '{robot.name}' has no pose '{name}'{closest(name, robot.poses) or '.'} "
            f"Legal: {listing(robot.poses)}"
        )
    return robot.poses[name]


def _check_base(robot: Robot, model: mujoco.MjModel) -> None:
    """What terms call the base is the body of the free joint: the role must name the same."""
    named = robot.roles["base"].bodies if "base" in robot.roles else ()
    entity = find_robot(model, robot)
    moved = model.body(entity.base).name if entity.has_free_base else ""
    if named and moved and named != (moved,):
        raise SceneError(f"robot '{robot.name}': role 'base' is {listing(named)}, but the free joint moves {moved}")


def _compile(robot: Robot, spec: mujoco.MjSpec) -> mujoco.MjModel:
    try:
        return spec.compile()
    except ValueError as error:
        raise SceneError(f"the model of robot '{robot.name}' does not compile: {error}") from error


def _apply_options(spec: mujoco.MjSpec, sim: SimConfig) -> None:
    option = spec.option
    for name in ("timestep", "iterations", "ls_iterations", "tolerance", "ls_tolerance", "impratio", "ccd_iterations"):
        setattr(option, name, getattr(sim, name))
    option.gravity = sim.gravity
    option.solver = getattr(mujoco.mjtSolver, f"mjSOL_{_SOLVERS[sim.solver]}")
    option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{_INTEGRATORS[sim.integrator]}")
    option.cone = getattr(mujoco.mjtCone, f"mjCONE_{sim.cone.upper()}")


def _drop_visuals(spec: mujoco.MjSpec) -> None:
    watched = {sensor.objname for sensor in spec.sensors if sensor.objtype == mujoco.mjtObj.mjOBJ_GEOM}
    for geom in list(spec.geoms):
        needed = geom.contype or geom.conaffinity or geom.name in watched
        if not needed and not _gives_mass(spec, geom):
            spec.delete(geom)


def _gives_mass(spec: mujoco.MjSpec, geom: mujoco.MjsGeom) -> bool:
    """Whether the mass and inertia of the geom's body come from its geoms."""
    stated = geom.parent.explicitinertial or geom.parent.name == "world"
    return spec.compiler.inertiafromgeom == mujoco.mjtInertiaFromGeom.mjINERTIAFROMGEOM_TRUE or not stated


def _add_initial(
    spec: mujoco.MjSpec, model: mujoco.MjModel, robot: Robot, initial: InitialState, joint_pos: tuple[float, ...]
) -> None:
    """Add the pose as the keyframe `initial`, with servos that hold it."""
    qpos, ctrl = find_robot(model, robot).start(model, initial, joint_pos)
    spec.add_key(name=INITIAL, qpos=qpos, ctrl=ctrl)
