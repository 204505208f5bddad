"""What a robot package says about its machine: plain facts, no simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from mjsdk.errors import MissingRole, closest, listing

PARTS = ("bodies", "joints", "sites", "geoms")


def _names(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class Role:
    """The parts of a model that play one role; names as in the model, left before right, front before rear."""

    bodies: tuple[str, ...] = attrs.field(default=(), converter=_names)
    joints: tuple[str, ...] = attrs.field(default=(), converter=_names)
    sites: tuple[str, ...] = attrs.field(default=(), converter=_names)
    geoms: tuple[str, ...] = attrs.field(default=(), converter=_names)


class Roles(Mapping[str, Role]):
    """Roles by name. A role that is not there raises `MissingRole`, which lists the ones that are."""

    def __init__(self, **roles: Role) -> None:
        self._roles = roles

    def __getitem__(self, name: str) -> Role:
        if name not in self._roles:
            raise MissingRole(f"no role '{name}'{closest(name, self._roles) or '.'} Roles: {listing(self._roles)}")
        return self._roles[name]

    def __contains__(self, name: object) -> bool:
        return name in self._roles

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)

    def __repr__(self) -> str:
        return f"Roles({listing(self._roles)})"


@attrs.frozen(kw_only=True)
class ActuatorGroup:
    """Joints driven by the same motor: a position servo `torque = kp (target - q) - kd qd`, clipped to the effort."""

    joints: tuple[str, ...] = attrs.field(converter=_names)
    """Regular expressions over names of the robot's hinges and slides; each must match, and each joint belongs to one
    group."""
    kp: float
    """Stiffness [N m/rad]."""
    kd: float
    """Damping [N m s/rad]."""
    effort_limit: float
    """Largest torque [N m]."""
    armature: float | None = None
    """Inertia of the rotor as felt at the joint [kg m^2]; the model's if none."""
    velocity_limit: float | None = None
    """Largest speed that the motor's data sheet names [rad/s]; stated, not simulated."""
    frictionloss: float | None = None
    """Dry friction [N m]; the model's if none."""

    @property
    def action_scale(self) -> float:
        """Change of target per unit of action [rad]: a quarter of the deflection that asks for the full effort."""
        return 0.25 * self.effort_limit / self.kp


@attrs.frozen(kw_only=True)
class CollisionRule:
    """How some geoms collide. A geom that no rule of a preset names does not collide at all."""

    geoms: tuple[str, ...] = attrs.field(converter=_names)
    """Regular expressions over geom names; each must match."""
    world: bool = True
    """Collide with the world."""
    self_collision: bool = False
    """Collide with other geoms of the robot that do so too."""
    condim: int = 3
    """Dimension of the contact's friction cone: 1 frictionless, 3 sliding, 4 and torsional, 6 and rolling."""
    friction: tuple[float, ...] = (0.6,)
    """Sliding [-], torsional [m] and rolling [m] friction, as many as given."""
    priority: int = 0
    """The geom of higher priority decides friction and condim of a pair."""
    solref: tuple[float, float] | None = None
    """Time constant [s] and damping ratio [-] of the contact; the model's if none."""


@attrs.frozen(kw_only=True)
class InitialState:
    """Where a robot starts."""

    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Position of the base in the world [m]."""
    quat: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    """Orientation of the base in the world, wxyz."""
    joint_pos: Mapping[str, float] = attrs.field(factory=dict)
    """Joint positions [rad] by regular expression; the others are 0."""


@attrs.frozen(kw_only=True)
class Gait:
    """How this robot steps when it walks: a clock, and which joints lift which foot."""

    frequency: float
    """Steps of one foot per second [Hz]."""
    offsets: tuple[float, ...]
    """Where in the cycle each foot of the role `feet` begins its swing, in turns from 0 to 1."""
    lift: tuple[Mapping[str, float], ...] = ()
    """For each foot, the change of joint positions [rad] that lifts it by about a step's height."""


@attrs.frozen(kw_only=True)
class Robot:
    """The facts of one machine."""

    name: str
    summary: str = ""
    """One line for people: maker, kind, degrees of freedom."""
    roles: Roles = attrs.field(factory=Roles)
    """Parts that tasks may ask for: `base`, `torso`, `imu`, `feet`, `legs`, `arms`, ..."""
    actuators: tuple[ActuatorGroup, ...] = ()
    collisions: Mapping[str, tuple[CollisionRule, ...]] = attrs.field(factory=dict)
    """Named sets of collision rules, the default one first."""
    poses: Mapping[str, InitialState] = attrs.field(factory=lambda: {"default": InitialState()})
    """Named poses, the default one first."""
    tolerances: Mapping[str, Mapping[str, float]] = attrs.field(factory=dict)
    """How far joints may stray from the default pose [rad], by regular expression, for `standing`, `walking`,
    `running`."""
    gait: Gait | None = None
    mirror: Mapping[str, str] = attrs.field(factory=dict)
    """For a machine that is symmetric left to right: the left name's part and the right name's, such as `left_:
    right_`."""
    soft_joint_pos_limit_factor: float = 0.9
    """Share of each joint's range that tasks treat as its limit [-]."""

    @property
    def default_pose(self) -> InitialState:
        """The first of `poses`."""
        return next(iter(self.poses.values()))

    @property
    def default_collisions(self) -> str:
        """Name of the first of `collisions`."""
        return next(iter(self.collisions), "")
