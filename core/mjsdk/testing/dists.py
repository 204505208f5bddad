"""Packages that are installed for the length of a test, without pip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def fake_dist(
    path: Path,
    name: str,
    version: str = "1.0",
    *,
    robots: Mapping[str, str] | None = None,
    tasks: Mapping[str, str] | None = None,
    extras: Mapping[str, str] | None = None,
    modules: Mapping[str, str] | None = None,
    requires: Iterable[str] = (),
    summary: str = "",
) -> Path:
    """Write a package into `path`, as pip would; put `path` on `sys.path` to install it.

    Args:
        path: Folder that stands for `site-packages`.
        name: Name of the package.
        version: Its version.
        robots: Entry points by name: the module of each. Likewise tasks and extras.
        tasks: Tasks.
        extras: Extras.
        modules: Source of its modules, by name.
        requires: Lines of `Requires-Dist`.
        summary: One line about it.

    Returns:
        The package's dist-info folder.
    """
    path.mkdir(parents=True, exist_ok=True)
    for module, source in (modules or {}).items():
        (path / f"{module}.py").write_text(source, encoding="utf-8")
    info = path / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Summary: {summary}"] if summary else []
    lines += [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    points: list[str] = []
    for group, given in (("mjsdk.robots", robots), ("mjsdk.tasks", tasks), ("mjsdk.extras", extras)):
        points += [f"[{group}]", *(f"{name} = {target}" for name, target in (given or {}).items()), ""]
    (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")
    return info
