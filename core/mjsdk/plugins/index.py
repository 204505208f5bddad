"""The installed plugins as their metadata describes them. No plugin is imported here."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from mjsdk.errors import AmbiguousPlugin, PluginError, UnknownPlugin, closest, frames, listing, said

GROUPS = {"robot": "mjsdk.robots", "task": "mjsdk.tasks", "extra": "mjsdk.extras"}
"""Entry-point group of each kind of plugin."""

FLAGS = {"robot": "--robot", "task": "--task", "extra": "--with"}
"""Flag that names a plugin of each kind."""

DISABLE = "MJSDK_DISABLE_PLUGINS"
"""Environment variable: packages or plugins to leave out, joined by commas."""

_ENTRY_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FILE_STEM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

_log = logging.getLogger(__name__)


@attrs.frozen(order=True)
class PluginRef:
    """One plugin, as the metadata of its package (or the name of its file) describes it."""

    kind: str
    """`robot`, `task` or `extra`."""
    name: str
    """What users type."""
    dist: str
    """The package that provides it, normalised; empty for a local file."""
    version: str
    target: str
    """The module, or the absolute path of a local file."""
    requires: str | None = attrs.field(default=None, eq=False)
    """Versions of mjsdk that the package asks for, such as `<0.2,>=0.1`."""
    summary: str = attrs.field(default="", eq=False)
    damage: str = attrs.field(default="", eq=False)
    """What cannot be read of the package's metadata, if anything."""

    @property
    def local(self) -> bool:
        """Whether this is a file rather than part of an installed package."""
        return not self.dist

    @property
    def spec(self) -> str:
        """What finds exactly this plugin again: `package:name`, or the path of the file."""
        return self.target if self.local else f"{self.dist}:{self.name}"

    @property
    def label(self) -> str:
        """For error messages: kind, name, package, version and module."""
        if self.local:
            return f"{self.kind} '{self.name}' ({self.target})"
        return f"{self.kind} '{self.name}' ({self.package}, module {self.target})"

    @property
    def package(self) -> str:
        """Package and version, or the file."""
        return self.target if self.local else f"{self.dist} {self.version}"


def installed() -> tuple[PluginRef, ...]:
    """All installed plugins, sorted, without those that `MJSDK_DISABLE_PLUGINS` names."""
    return tuple(ref for ref in _installed() if not _disabled(ref))


def status_of(ref: PluginRef, refs: Iterable[PluginRef]) -> str:
    """`ok`, `ambiguous`, or what is wrong with the metadata of one of `refs`."""
    refs = tuple(refs)
    same = [other for other in refs if (other.kind, other.name) == (ref.kind, ref.name)]
    return fault(ref, refs) or ("ambiguous" if len(same) > 1 else "ok")


def fault(ref: PluginRef, refs: Iterable[PluginRef]) -> str:
    """What makes a plugin unusable as far as metadata tells, or nothing."""
    if ref.damage:
        return ref.damage
    if not ref.local and not _ENTRY_NAME.fullmatch(ref.name):
        return "illegal name: use lower-case letters, digits and single hyphens"
    if not ref.local and not _MODULE.fullmatch(ref.target):
        return f"illegal target '{ref.target}': must be one module"
    # A plugin manager takes a module once, so two entry points of a package must name two modules.
    twins = [other for other in refs if other != ref and (other.dist, other.target) == (ref.dist, ref.target)]
    shared = f"same module as {twins[0].kind} '{twins[0].name}': give each its own" if twins else ""
    return unmet(ref) or shared


def find_plugin(kind: str, spec: str) -> PluginRef:
    """The one plugin that `spec` means: `name`, `package:name` or `./file.py`."""
    if kind not in GROUPS:
        raise PluginError(f"no kind of plugin '{kind}'{closest(kind, GROUPS)} Legal: {listing(GROUPS)}")
    if spec.endswith(".py") or spec.startswith((".", "~")) or "/" in spec or os.sep in spec:
        return _find_file(kind, spec)
    refs = [ref for ref in installed() if ref.kind == kind]
    found = [ref for ref in refs if _matches(ref, spec)]
    if not found:
        raise UnknownPlugin(_unknown(kind, spec, refs))
    if len(found) > 1:
        raise AmbiguousPlugin(_ambiguous(kind, spec, found))
    return found[0]


def _installed() -> list[PluginRef]:
    return sorted(_ref(kind, point) for kind, group in GROUPS.items() for point in _entry_points(group))


def _entry_points(group: str) -> Sequence[Any]:
    import importlib_metadata

    try:
        return importlib_metadata.entry_points(group=group)
    except Exception:  # one unreadable entry_points.txt spoils the whole call
        return list(_salvage(group))


def _salvage(group: str) -> Iterator[Any]:
    """What `entry_points` would give without the packages that are damaged; the first of each name counts, as there."""
    import importlib_metadata

    seen: set[str] = set()
    for dist in importlib_metadata.distributions():
        if damage := _damage_of(dist):
            _warn_of_damage(str(getattr(dist, "_path", dist)), damage)
        elif (name := _normal(dist.name)) not in seen:
            seen.add(name)
            yield from dist.entry_points.select(group=group)


def damage_behind(error: BaseException) -> str:
    """Which installed packages are damaged, if an error is from reading about them, as libraries do too; or nothing."""
    modules = (str(frame.f_globals.get("__name__")) for each in _causes(error) for frame, _ in frames(each))
    if not any(f"{module}.".startswith(("importlib.metadata.", "importlib_metadata.")) for module in modules):
        return ""
    from importlib.metadata import distributions

    lines = [f"  {getattr(dist, '_path', dist)}: {fault}" for dist in distributions() if (fault := _damage_of(dist))]
    if not lines:
        return ""
    return "\n".join(["damaged packages are installed; install them again, or delete these folders:", *lines[:20]])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it was raised from or during."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _damage_of(dist: Any) -> str:
    """What of the metadata of a package cannot be read."""
    part = "METADATA"
    try:
        _normal(dist.metadata["Name"])
        part = "entry_points.txt"
        list(dist.entry_points)
    except Exception as error:
        return f"{part} cannot be read ({said(error)})"
    return ""


@functools.cache
def _warn_of_damage(folder: str, damage: str) -> None:
    """Say it once, although packages are looked through for each kind of plugin, and more than once."""
    _log.warning("skipping the package in %s: its %s; install it again", folder, damage)


def _ref(kind: str, point: Any) -> PluginRef:
    dist = point.dist
    facts: dict[str, Any] = {"dist": Path(str(getattr(dist, "_path", "(unknown)"))).name, "version": "?"}
    try:
        facts |= {"dist": _normal(dist.name), "version": str(dist.version)}
        facts["summary"] = dist.metadata.get("Summary") or ""
        facts["requires"] = _core_requirement(dist)
    except Exception as error:
        facts["damage"] = f"damaged metadata: {error}".splitlines()[0]
    return PluginRef(kind, point.name, target=point.value, **facts)


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name))


def _core_requirement(dist: Any) -> str | None:
    """Versions of mjsdk that a package asks for outside of its extras, or None if it does not say."""
    from packaging.requirements import Requirement

    mine = [Requirement(line) for line in dist.requires or () if re.match(r"\s*mjsdk\b(?![-_.])", line, re.I)]
    held = [need for need in mine if need.marker is None or need.marker.evaluate({"extra": ""})]
    return ",".join(str(need.specifier) for need in held if str(need.specifier)) if held else None


def unmet(ref: PluginRef) -> str:
    """`needs mjsdk>=9, found 0.1.0` for a plugin that asks for another mjsdk, or nothing."""
    from mjsdk import __version__

    if not ref.requires:
        return ""
    from packaging.specifiers import SpecifierSet

    met = SpecifierSet(ref.requires).contains(__version__, prereleases=True)
    return "" if met else f"needs mjsdk{ref.requires}, found {__version__}"


def _disabled(ref: PluginRef) -> bool:
    names = [name.strip() for name in os.environ.get(DISABLE, "").split(",") if name.strip()]
    return any(_matches(ref, name) or _matches(ref, f"{name}:{ref.name}") for name in names)


def _matches(ref: PluginRef, spec: str) -> bool:
    dist, _, name = spec.rpartition(":")
    return ref.name == name and (not dist or ref.dist == _normal(dist))


def _find_file(kind: str, spec: str) -> PluginRef:
    try:
        path = Path(spec).expanduser()
        if path.suffix != ".py" or not path.is_file():
            raise UnknownPlugin(_no_file(kind, spec, path))
        target = str(path.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # too long, null characters, no such home folder
        raise UnknownPlugin(f"{kind} {spec!r} is no path that can be read: {error}") from error
    if not _FILE_STEM.fullmatch(path.stem):
        raise PluginError(
            f"{kind} '{spec}': '{path.stem}' cannot be the name of a plugin. Rename the file: a letter, then letters, "
            "digits, _ and -."
        )
    return PluginRef(kind, path.stem, "", "", target)


def _no_file(kind: str, spec: str, path: Path) -> str:
    beside = sorted(str(other) for other in path.parent.glob("*.py")) if path.parent.is_dir() else []
    hint = closest(f"{str(path).removesuffix(path.suffix)}.py", beside) or "."
    if path.is_dir():
        return f"{kind} '{spec}' is a folder{hint} A plugin is one .py file; packages are given by their plugin's name."
    if path.exists():
        return f"{kind} '{spec}' is no Python file{hint} A plugin is one .py file."
    return f"{kind} '{spec}': no such file{hint} Looked in {path.parent.resolve()}."


def _unknown(kind: str, spec: str, refs: Sequence[PluginRef]) -> str:
    names = sorted({ref.name for ref in refs} | ({ref.spec for ref in refs} if ":" in spec else set()))
    lines = [f"no {kind} '{spec}'{closest(spec, names)}", f"  installed: {listing(names)}"]
    lines += [f"  '{spec}' is a {ref.kind}: {FLAGS[ref.kind]} {ref.name}" for ref in installed() if _matches(ref, spec)]
    if any(ref.kind == kind and _matches(ref, spec) and _disabled(ref) for ref in _installed()):
        lines.append(f"  {DISABLE}={os.environ[DISABLE]} switches it off")
    lines.append(f"  searched: {sys.executable} (a plugin installed into another Python is not seen)")
    return "\n".join(lines)


def _ambiguous(kind: str, spec: str, found: Sequence[PluginRef]) -> str:
    if len({ref.dist for ref in found}) == 1:
        targets = listing(ref.target for ref in found)
        return f"{kind} '{spec}' is declared {len(found)} times by {found[0].package} ({targets}). Tell its authors."
    choices = [f"  {FLAGS[kind]} {ref.spec}   ({ref.version}, {ref.target})" for ref in found]
    return "\n".join([f"{kind} '{spec}' is provided by {len(found)} packages; choose one:", *choices])
