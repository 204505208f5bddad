"""What a robot package says about its machine: plain facts, no simulation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from numbers import Real
from typing import Any

import attrs

from mjsdk.errors import MissingRole, closest, listing

PARTS = ("bodies", "joints", "sites", "geoms")
_INT32 = 2**31


def _check(what: str, value: Any, legal: str = "a finite number", low: float = -math.inf, above: bool = False) -> None:
    """Raise `ValueError` for what is no finite number, or is less than `low`, or that itself if it must be `above`."""
    wrong = isinstance(value, bool) or not isinstance(value, Real) or not _finite(value)
    if wrong or value < low or (above and value == low):
        raise ValueError(f"{what} must be {legal}, not {_shown(value)}")


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _shown(value: Any) -> str:
    return "a whole number of hundreds of digits" if isinstance(value, int) and not _finite(value) else repr(value)


def _positive(what: str, value: Any) -> None:
    _check(what, value, "a finite number above 0", 0.0, above=True)


def _not_negative(what: str, value: Any) -> None:
    _check(what, value, "a finite number of at least 0", 0.0)


def _numbers(what: str, values: Any, *counts: int) -> None:
    """Raise `ValueError` for what is no list of finite numbers, as many as one of the `counts` says, if any does."""
    listed = isinstance(values, Collection) and not isinstance(values, str | Mapping)
    if not listed or (counts and len(values) not in counts):
        raise ValueError(f"{what} must be {' or '.join(map(str, counts)) or 'a list of'} numbers, not {values!r}")
    for value in values:
        _check(what, value, "finite numbers")


def _entries(what: str, mapping: Any) -> Iterable[tuple[Any, Any]]:
    """Pairs of a map. Raises `ValueError` for anything else."""
    if not isinstance(mapping, Mapping):
        raise ValueError(f"{what} must be a map, not {mapping!r}")
    return mapping.items()


def _unit(quat: Any) -> Any:
    """A quaternion at its exact length, if it is nearly of length one; others are left to be refused."""
    try:
        length = math.hypot(*quat)
    except TypeError:
        return quat
    return tuple(number / length for number in quat) if 0.99 < length < 1.01 else quat


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

    def __attrs_post_init__(self) -> None:
        who = f"ActuatorGroup of {listing(self.joints)}:"
        for name in ("kp", "effort_limit", "velocity_limit"):
            if getattr(self, name) is not None or name != "velocity_limit":
                _positive(f"{who} {name}", getattr(self, name))
        for name in ("kd", "armature", "frictionloss"):
            if getattr(self, name) is not None or name == "kd":
                _not_negative(f"{who} {name}", getattr(self, name))

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
    priority: int = 1
    """The geom of higher priority decides friction, condim and solref of a pair; the ground has 0. At the same priority
    the larger friction and condim count."""
    solref: tuple[float, float] | None = None
    """Time constant [s] and damping ratio [-] of the contact; the model's if none."""

    def __attrs_post_init__(self) -> None:
        who = f"CollisionRule of {listing(self.geoms)}:"
        if self.condim not in (1, 3, 4, 6):
            raise ValueError(f"{who} condim must be 1, 3, 4 or 6, not {self.condim!r}")
        _check(f"{who} priority", self.priority)
        if not -_INT32 <= self.priority < _INT32:
            raise ValueError(f"{who} priority must fit into 32 bits, not {self.priority!r}; 1 is enough")
        _numbers(f"{who} friction", self.friction, 1, 2, 3)
        for number in self.friction:
            _not_negative(f"{who} friction", number)
        if self.solref is not None:
            _numbers(f"{who} solref", self.solref, 2)


@attrs.frozen(kw_only=True)
class InitialState:
    """Where a robot starts."""

    pos: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Position of the base in the world [m]."""
    quat: tuple[float, float, float, float] = attrs.field(default=(1.0, 0.0, 0.0, 0.0), converter=_unit)
    """Orientation of the base in the world, wxyz."""
    joint_pos: Mapping[str, float] = attrs.field(factory=dict)
    """Joint positions [rad] by regular expression; the others are 0."""

    def __attrs_post_init__(self) -> None:
        _numbers("InitialState: pos", self.pos, 3)
        _numbers("InitialState: quat", self.quat, 4)
        if not 0.99 < math.hypot(*self.quat) < 1.01:
            raise ValueError(f"InitialState: quat must be a quaternion wxyz of length 1, not {self.quat!r}")
        for pattern, value in _entries("InitialState: joint_pos", self.joint_pos):
            _check(f"InitialState: joint_pos of '{pattern}'", value)


@attrs.frozen(kw_only=True)
class Gait:
    """How this robot steps when it walks: a clock, and which joints lift which foot."""

    frequency: float
    """Steps of one foot per second [Hz]."""
    offsets: tuple[float, ...]
    """Phase at which each foot of the role `feet` begins its swing, in cycles, [0, 1]."""
    lift: tuple[Mapping[str, float], ...] = ()
    """For each foot, the change of joint positions [rad] that lifts it by about a step's height."""

    def __attrs_post_init__(self) -> None:
        _positive("Gait: frequency", self.frequency)
        _numbers("Gait: offsets", self.offsets)
        if not self.offsets or not all(0.0 <= offset <= 1.0 for offset in self.offsets):
            raise ValueError(f"Gait: offsets must be numbers from 0 to 1, one per foot, not {self.offsets!r}")
        if self.lift and len(self.lift) != len(self.offsets):
            raise ValueError(f"Gait: lift has {len(self.lift)} maps for the {len(self.offsets)} feet of offsets")
        for pattern, value in (entry for lift in self.lift for entry in _entries("Gait: lift of a foot", lift)):
            _check(f"Gait: lift of '{pattern}'", value)


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

    def __attrs_post_init__(self) -> None:
        who = f"Robot '{self.name}':"
        factor = self.soft_joint_pos_limit_factor
        _positive(f"{who} soft_joint_pos_limit_factor", factor)
        if factor > 1.0:
            raise ValueError(f"{who} soft_joint_pos_limit_factor must be at most 1, not {factor!r}")
        if not self.poses:
            raise ValueError(f"{who} poses must have one at least")
        for name, values in _entries(f"{who} tolerances", self.tolerances):
            for pattern, value in _entries(f"{who} tolerances '{name}'", values):
                _positive(f"{who} tolerances '{name}' of '{pattern}'", value)
        if not all(left and right and left != right for left, right in _entries(f"{who} mirror", self.mirror)):
            raise ValueError(f"{who} mirror must give two different words for each pair, not {dict(self.mirror)!r}")

    @property
    def default_pose(self) -> InitialState:
        """The first of `poses`."""
        return next(iter(self.poses.values()))

    @property
    def default_collisions(self) -> str:
        """Name of the first of `collisions`."""
        return next(iter(self.collisions), "")
