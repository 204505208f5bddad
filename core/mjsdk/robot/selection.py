"""Parts of a model chosen by role or pattern.

A term says what it takes by annotation: `feet: Sites`, `joints: Joints`, `std: PerJoint`. A setting gives `"@feet"` for
the parts of a role, or full-match regular expressions over names. Either must match something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from mjsdk.errors import SelectionError, closest, listing, shortened
from mjsdk.robot import Roles

if TYPE_CHECKING:
    import mujoco


_SLIDE = 2
"""MuJoCo's mjJNT_SLIDE; hinges follow. Written out, because this module must not import mujoco."""


@attrs.frozen
class Selection:
    """Parts of one kind, in the order of the model, or of the role that names them."""

    names: tuple[str, ...]
    ids: tuple[int, ...]
    """Positions among the parts of that kind; for joints, among the joints that have one degree of freedom."""
    index: Any = attrs.field(default=None, eq=False, repr=False)
    """What to index tensors with: a slice if the ids are consecutive, else an index tensor. Set by the environment."""

    part = ""

    def __len__(self) -> int:
        return len(self.ids)


class Joints(Selection):
    """Joints with one degree of freedom; ids count these only, as `env.robot.joint_pos` does."""

    part = "joints"


class Bodies(Selection):
    """Bodies; ids are MuJoCo's."""

    part = "bodies"


class Sites(Selection):
    """Sites; ids are MuJoCo's."""

    part = "sites"


class Geoms(Selection):
    """Geoms; ids are MuJoCo's."""

    part = "geoms"


class PerJoint(tuple[float, ...]):
    """One number per joint, shape (J,): given as a number for all, or by regular expression or role."""


@attrs.frozen
class ModelNames:
    """Names of a model's parts by MuJoCo id; joints are those with one degree of freedom, of the robot alone."""

    joints: tuple[str, ...]
    bodies: tuple[str, ...]
    sites: tuple[str, ...]
    geoms: tuple[str, ...]

    @classmethod
    def of(cls, model: mujoco.MjModel, joints: Sequence[int] | None = None) -> ModelNames:
        """Names in a compiled model, with some of its joints only: a robot's own."""
        hinges = [i for i in range(model.njnt) if model.jnt_type[i] >= _SLIDE] if joints is None else joints
        return cls(
            tuple(model.joint(i).name for i in hinges),
            tuple(model.body(i).name for i in range(model.nbody)),
            tuple(model.site(i).name for i in range(model.nsite)),
            tuple(model.geom(i).name for i in range(model.ngeom)),
        )


def match(patterns: str | Sequence[str], names: Sequence[str], what: str = "names") -> list[int]:
    """Positions of the `names` that match any pattern in full, in their own order; each pattern must match."""
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    found: set[int] = set()
    if not patterns:
        raise SelectionError(f"an empty list names no {what}. Legal: {listing(filter(None, names))}")
    for pattern in patterns:
        hits = {i for i, name in enumerate(names) if name and regular_expression(pattern).fullmatch(name)}
        if not hits:
            hint = closest(re.sub(r"[^\w-]+", "", pattern), names) or "."
            raise SelectionError(
                f"'{shortened(pattern)}' matches no {what}{hint} Legal: {listing(filter(None, names))}"
            )
        found |= hits
    return sorted(found)


_ENDLESS = re.compile(r"[+*}]\)[+*{]")
"""What repeats a group that ends in a repetition, such as `(a+)+`: may be tried for longer than anyone waits."""


def regular_expression(pattern: str) -> re.Pattern[str]:
    """A regular expression. Raises `SelectionError` if it is none, or may take forever."""
    if _ENDLESS.search(pattern):
        raise SelectionError(f"'{shortened(pattern)}' repeats a repetition, which may take forever; repeat once")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise SelectionError(f"'{shortened(pattern)}' is not a regular expression: {error}") from error


def select(kind: type[Selection], given: str | Sequence[str], names: ModelNames, roles: Roles) -> Any:
    """The selection that a setting asks for: `@role` keeps the role's order, patterns the model's."""
    legal: tuple[str, ...] = getattr(names, kind.part)
    if isinstance(given, str) and given.startswith("@"):
        wanted: tuple[str, ...] = getattr(roles[given[1:]], kind.part)
        if not wanted:
            raise SelectionError(f"role '{given[1:]}' has no {kind.part}")
        if kind is Geoms:
            # Collision presets choose among a role's geoms, and the others may not be in the model.
            wanted = tuple(name for name in wanted if name in legal) or wanted
        ids = [match(re.escape(name), legal, kind.part)[0] for name in wanted]
    else:
        ids = match(given, legal, kind.part)
    return kind(tuple(legal[i] for i in ids), tuple(ids))


def per_joint(
    given: float | Mapping[str, float], names: ModelNames, roles: Roles, default: float | None = None
) -> PerJoint:
    """One number per joint. In a map the first entry that matches a joint wins, and every entry must match one."""
    if not isinstance(given, Mapping):
        return PerJoint([float(given)] * len(names.joints))
    values: list[float | None] = [default] * len(names.joints)
    taken: set[int] = set()
    for pattern, value in given.items():
        ids = set(select(Joints, pattern, names, roles).ids)
        for i in ids - taken:
            values[i] = float(value)
        taken |= ids
    missing = [name for name, value in zip(names.joints, values, strict=True) if value is None]
    if missing:
        raise SelectionError(f"no value for the joints {listing(missing)}")
    return PerJoint([value for value in values if value is not None])


def resolve(annotation: Any, given: Any, names: ModelNames, roles: Roles) -> Any:
    """What a term is called with for a setting's value, by the annotation of its parameter."""
    if isinstance(annotation, type) and issubclass(annotation, Selection):
        return select(annotation, given, names, roles)
    if annotation is PerJoint:
        return per_joint(given, names, roles)
    return given
