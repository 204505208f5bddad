"""House rules that a program can hold: sizes, annotations, names, and the direction of imports."""

from __future__ import annotations

import ast
import importlib.util
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
CORE = REPO / "core" / "mjsdk"
PLUGINS = sorted(path.parent for path in (REPO / "plugins").glob("*/pyproject.toml"))

DEFERRED = {("config", "scene")}
"""Calls upward from inside functions: composing tries patterns on the compiled robot."""

BELOW_THE_SURFACE = {
    "mjsdk.env.robot_state.take",
    "mjsdk.mdp.actions.SteppingJointPosition",
    "mjsdk.mdp.clock.gait_clock",
    "mjsdk.mdp.commands.STANDING",
}
"""What the velocity task and the guide still import beside the declared surface of the core."""

ORDINARY_WORDS = {"velocity", "tracking"}
"""Names of plugins that are words of the field too: only their use as a name is refused in the core."""


def sources(*roots: Path) -> list[Path]:
    return sorted(path for root in roots for path in root.rglob("*.py"))


CORE_FILES = sources(CORE)
PLUGIN_FILES = sources(*(plugin / "src" for plugin in PLUGINS))
ALL_FILES = [*CORE_FILES, *PLUGIN_FILES, *sources(REPO / "tools")]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(), str(path))
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: Function) -> int:
    """Lines of the body, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def where(path: Path, node: Function | ast.expr | ast.stmt | None = None) -> str:
    return str(path.relative_to(REPO)) + (f":{node.lineno}" if node else "")


@pytest.mark.parametrize("files", [CORE_FILES, PLUGIN_FILES], ids=["core", "plugins"])
def test_half_of_the_functions_fit_in_six_lines_and_nine_tenths_in_twenty_five(files: list[Path]) -> None:
    lengths = sorted(filter(None, (length(function) for path in files for function in functions(path))))
    assert statistics.median(lengths) <= 6
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 25


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{where(path, f)} {f.name}: {length(f)} lines" for path in ALL_FILES for f in functions(path) if length(f) > 60
    ]
    assert long == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    sizes = {where(path): len(path.read_text().splitlines()) for path in ALL_FILES}
    assert {name: size for name, size in sizes.items() if size > 400} == {}


def unannotated(function: Function) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    missing = [a.arg for a in every if a and not a.annotation and a.arg not in ("self", "cls")]
    return missing if function.returns else [*missing, "return"]


def test_every_function_is_annotated() -> None:
    bare = [
        f"{where(path, f)} {f.name}: {unannotated(f)}" for path in ALL_FILES for f in functions(path) if unannotated(f)
    ]
    assert bare == []


def test_only_the_command_line_prints() -> None:
    quiet = [path for path in [*CORE_FILES, *PLUGIN_FILES] if CORE / "cli" not in path.parents]
    calls = (
        (path, node)
        for path in quiet
        for node in ast.walk(ast.parse(path.read_text(), str(path)))
        if isinstance(node, ast.Call)
    )
    assert [
        where(path, call) for path, call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"
    ] == []


def project(plugin: Path) -> dict:
    return tomllib.loads((plugin / "pyproject.toml").read_text())["project"]


def plugin_names() -> list[str]:
    """Names that users type for the plugins of this repository."""
    groups = [group for plugin in PLUGINS for group in project(plugin)["entry-points"].values()]
    return sorted(name for group in groups for name in group)


def naming(name: str) -> re.Pattern[str]:
    """What counts as naming a plugin: the bare word, or for an ordinary word its use as a name."""
    if name not in ORDINARY_WORDS:
        return re.compile(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])", re.IGNORECASE)
    return re.compile(rf"mjsdk[-_]task[-_]{name}|task[=\s'\"`]+{name}\b|\b{name}:[a-z_]")


def test_naming_tells_the_name_of_a_task_from_the_word() -> None:
    assert naming("velocity").search('task="velocity"')
    assert naming("velocity").search("--task velocity")
    assert naming("velocity").search('func="velocity:feet_slip"')
    assert not naming("velocity").search('"""Joint velocity [rad/s], shape (E, J)."""')
    assert not naming("velocity").search("velocity_limit: float")


@pytest.mark.parametrize("name", plugin_names())
def test_the_core_names_no_robot_and_no_task(name: str) -> None:
    files = [path for path in CORE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    lines = ((path, number, line) for path in files for number, line in enumerate(path.read_text().splitlines(), 1))
    assert [
        f"{where(path)}:{number}: {line.strip()}" for path, number, line in lines if naming(name).search(line)
    ] == []


def only_for_types(tree: ast.Module) -> set[ast.AST]:
    """Nodes below `if TYPE_CHECKING:`, which never run."""
    checks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {node for check in checks for statement in check.body for node in ast.walk(statement)}


def imported(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Modules, and names from them, that source imports anywhere, by dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node, f"{'.' * node.level}{node.module}.{alias.name}") for alias in node.names)


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """What a file imports when it runs."""
    tree = ast.parse(path.read_text(), str(path))
    skipped = only_for_types(tree)
    for node, dotted in imported(tree):
        assert not dotted.startswith("."), f"{where(path, node)}: relative import"
        if node not in skipped:
            yield node, dotted


def named_modules(path: Path) -> Iterator[tuple[ast.expr, str]]:
    """Modules of the core that a file names by text, as for `importlib`."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"mjsdk\.[\w.]+", node.value)
        ):
            yield node, node.value


def layers() -> list[set[str]]:
    """Parts of the core from the bottom up, as the architecture lists them; each imports from its own row and below."""
    section = (
        (REPO / "docs" / "architecture.md").read_text().partition("## Imports point one way")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\d+\. (.*(?:\n   .*)*)", section, re.MULTILINE)
    return [set(re.findall(r"`([a-z_]+)`", row)) for row in rows]


def part(dotted: str) -> str | None:
    """The part of the core that a dotted module name belongs to."""
    pieces = dotted.split(".")
    return pieces[1] if pieces[0] == "mjsdk" and len(pieces) > 1 else None


def upward(path: Path, here: str, rank: dict[str, int]) -> list[str]:
    """What a file of a part of the core imports or names from a layer above it."""
    found = []
    for node, dotted in [*imports(path), *named_modules(path)]:
        there = part(dotted) or ""
        deferred = node.col_offset > 0 and (here, there) in DEFERRED
        if rank.get(there, 0) > rank.get(here, len(rank)) and not deferred:
            found.append(f"{where(path, node)} imports {dotted}")
    return found


def test_imports_in_the_core_point_down() -> None:
    rank = {name: level for level, names in enumerate(layers()) for name in names}
    parts = ((path, path.relative_to(CORE).parts[0].removesuffix(".py")) for path in CORE_FILES)
    assert [line for path, here in parts for line in upward(path, here, rank)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import mjsdk.cli",
        "def call():\n    from mjsdk.cli import app",
        "import importlib\nimportlib.import_module('mjsdk.cli.app')",
    ],
)
def test_an_import_that_points_up_is_seen_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setitem(globals(), "REPO", tmp_path)
    path = tmp_path / "file.py"
    path.write_text(line)
    assert upward(path, "errors", {"errors": 0, "cli": 1})
    assert not upward(path, "cli", {"errors": 0, "cli": 1})


def test_every_part_of_the_core_has_its_layer() -> None:
    parts = {path.relative_to(CORE).parts[0].removesuffix(".py") for path in CORE_FILES} - {"__init__", "__main__"}
    assert parts == set().union(*layers())


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_core_and_no_other_plugin(plugin: Path) -> None:
    own = next((plugin / "src").iterdir()).name
    packages = [
        (path, node, dotted.split(".")[0]) for path in sources(plugin / "src") for node, dotted in imports(path)
    ]
    assert [
        where(path, node) for path, node, name in packages if re.match(r"mjsdk_(robot|task)_", name) and name != own
    ] == []


def surface() -> set[str]:
    """Names of the core that plugins may import, by the page that declares them."""
    page = (REPO / "docs" / "plugin_surface.md").read_text()
    lines = re.findall(r"^- `([\w.]+)`: (.*)$", page, re.MULTILINE)
    return {f"{module}.{name}" for module, names in lines for name in re.findall(r"`(\w+)`", names)}


def exists(dotted: str) -> bool:
    home, _, name = dotted.rpartition(".")
    return hasattr(importlib.import_module(home), name) or importlib.util.find_spec(dotted) is not None


def test_the_declared_surface_exists() -> None:
    assert [name for name in sorted(surface()) if not exists(name)] == []


def examples() -> Iterator[str]:
    """Python of the README and the guide."""
    for document in (REPO / "README.md", REPO / "docs" / "writing_a_plugin.md"):
        yield from re.findall(r"^```python\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def test_our_plugins_and_examples_import_the_declared_surface_of_the_core_and_nothing_else() -> None:
    texts = [*(path.read_text() for path in PLUGIN_FILES), *examples()]
    found = {dotted for text in texts for _, dotted in imported(ast.parse(text)) if part(dotted)}
    assert found - surface() == BELOW_THE_SURFACE


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_every_plugin_carries_licence_version_and_readme(plugin: Path) -> None:
    facts = project(plugin)
    assert facts["license"] == "Apache-2.0"
    assert facts["version"]
    assert any(need.startswith("mjsdk>=") for need in facts["dependencies"])
    assert (plugin / "LICENSE").read_text() == (REPO / "LICENSE").read_text()
    assert facts["name"] in (plugin / "README.md").read_text()
