"""The wheels work away from the source tree: built, installed into a fresh environment, and used from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
PROJECTS = [REPO, *sorted(path.parent for path in (REPO / "plugins").glob("*/pyproject.toml"))]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **settings: str) -> str:
    """What a command printed. It sees neither the source tree nor this environment's search path."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=inherited | settings, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One wheel per project of this repository."""
    out = tmp_path_factory.mktemp("wheels")
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    run(sys.executable, "-m", "pip", "wheel", *offline, "--wheel-dir", out, *PROJECTS, cwd=out)
    return sorted(out.glob("*.whl"))


@pytest.fixture(scope="module")
def scripts(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of a fresh environment with our wheels.

    Third-party packages are borrowed, by a line in a .pth file, from the environment that runs the tests. Files of
    that kind that lie there are not followed, so an editable install of this tree stays out.
    """
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False)
    folder = home / Path(sysconfig.get_path("scripts")).name
    python = folder / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        *wheels,
        cwd=home,
    )
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    (packages / "borrowed.pth").write_text("\n".join({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    return folder


def test_every_project_gives_a_wheel(wheels: list[Path]) -> None:
    assert len(wheels) == len(PROJECTS)
    assert {wheel.name.split("-")[0] for wheel in wheels} >= {
        "mjsdk",
        "mjsdk_robot_g1",
        "mjsdk_robot_go1",
        "mjsdk_task_velocity",
    }


def test_the_fresh_environment_imports_its_own_copies(scripts: Path, tmp_path: Path) -> None:
    modules = "mjsdk, mjsdk_robot_g1, mjsdk_robot_go1, mjsdk_task_velocity"
    places = run(
        scripts / "python", "-c", f"import {modules}\nfor m in ({modules}): print(m.__file__)", cwd=tmp_path
    ).split()
    assert all(Path(place).is_relative_to(scripts.parent) for place in places)


def test_list_finds_the_plugins(scripts: Path, tmp_path: Path) -> None:
    found = json.loads(run(scripts / "mjsdk", "list", "--json", cwd=tmp_path))
    assert {"g1", "go1"} <= {robot["name"] for robot in found["robots"]}
    assert {"velocity"} <= {task["name"] for task in found["tasks"]}
    assert all(
        entry["status"] == "ok" for kind in found.values() for entry in kind if entry["dist"].startswith("mjsdk")
    )


@pytest.mark.parametrize("robot", ["g1", "go1"])
def test_the_models_travel_with_their_wheels(robot: str, scripts: Path, tmp_path: Path) -> None:
    names = "import mjsdk; print(mjsdk.load_robot({!r}).compile().joint(1).name)"
    assert run(scripts / "python", "-c", names.format(robot), cwd=tmp_path).strip()


def test_two_iterations_of_training_leave_a_run(scripts: Path, tmp_path: Path) -> None:
    sizes = ("--env.scene.num-envs", "8", "--agent.num-steps-per-env", "8", "--agent.max-iterations", "2")
    run(scripts / "mjsdk", "train", "--robot", "g1", "--task", "velocity", "--device", "cpu", *sizes, cwd=tmp_path)
    lines = next(tmp_path.glob("logs/rsl_rl/*/*/metrics.jsonl")).read_text().splitlines()
    assert len(lines) == 2
    assert list(tmp_path.glob("logs/rsl_rl/*/*/*.pt"))
