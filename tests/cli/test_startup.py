"""How fast the command line starts, what it imports, and how it ends."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

import mjsdk
from mjsdk.cli import _main, main
from mjsdk.cli.app import COMMANDS, build
from mjsdk.errors import RunError

HEAVY = ("torch", "mujoco", "warp", "mujoco_warp", "rsl_rl", "tensordict", "matplotlib", "mjbatch", "pluggy")
BUDGET_S = 0.35
ROOT = Path(__file__).parents[2]
FAST = [("list",), ("list", "--json"), ("--help",), ("--version",)]

PROBE = f"""
import sys
from mjsdk.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("IMPORTED", [name for name in {HEAVY!r} if name in sys.modules], "CODE", end.code or 0)
"""


def python(*args: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment, **({"PYTHONPATH": str(path)} if path else {})}
    return subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, check=False)


def processor_time(path: Path, *args: str) -> float:
    """Seconds of a command on an idle machine: the time of its one thread, whatever else runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python("-m", "mjsdk", *args, path=path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture
def broken_site(site) -> Path:
    """Packages that would break any program that imported them."""
    site.robot("import no_such_module", name="bad", dist="bad-dist")
    site.task("raise SystemExit('bye')", name="rude", dist="rude-dist")
    site.extra("import torch, mujoco", name="heavy", dist="heavy-dist")
    site.add("odd-dist", robots={"Odd Name": "not a module"})
    (site.add("torn-dist") / "METADATA").unlink()
    return site.path


@pytest.mark.parametrize("args", FAST)
def test_light_commands_import_nothing_heavy_even_beside_broken_plugins(broken_site, args):
    done = python("-c", PROBE, *args, path=broken_site)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "IMPORTED [] CODE 0"
    assert ("rude" in done.stdout) == (args[0] == "list")


@pytest.mark.parametrize("args", FAST)
def test_light_commands_start_fast(broken_site, args):
    assert min(processor_time(broken_site, *args) for _ in range(4)) <= BUDGET_S


def test_every_command_gives_help_without_importing_anything_heavy():
    for command in COMMANDS:
        done = python("-c", PROBE, command, "--help")
        assert done.stdout.splitlines()[-1] == "IMPORTED [] CODE 0", (command, done.stderr)
        assert len(done.stdout.splitlines()) < 100


@pytest.mark.parametrize("command", COMMANDS)
def test_each_module_of_a_command_adds_the_command_of_its_name(command):
    assert [*typer.main.get_command(build([command])).commands] == [command]


def test_importing_the_package_is_light():
    probe = f"import sys, mjsdk; print([n for n in {(*HEAVY, 'attrs', 'numpy')!r} if n in sys.modules])"
    assert python("-c", probe).stdout == "[]\n"


def test_public_names_are_found_on_first_use():
    for name in mjsdk.__all__:
        assert getattr(mjsdk, name) is not None
        assert name in dir(mjsdk)
    with pytest.raises(AttributeError, match="module 'mjsdk' has no attribute 'lode_robot'"):
        mjsdk.lode_robot  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert mjsdk.__version__ == project["version"]
    assert python("-m", "mjsdk", "--version").stdout == f"mjsdk {mjsdk.__version__}\n"


def test_the_help_groups_the_commands():
    done = python("-m", "mjsdk", "--help")
    assert done.returncode == 0
    assert done.stdout.index("Learn:") < done.stdout.index("Look:") < done.stdout.index("\n  list ")


@pytest.mark.parametrize(
    ("args", "hint"),
    [(("lsit",), "Did you mean 'list'?"), (("list", "--jsn"), "--json"), (("show", "robt"), "'robot'")],
)
def test_a_misspelt_command_or_option_gets_the_closest_one(args, hint):
    done = python("-m", "mjsdk", *args)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(args: object) -> None:
        raise error

    monkeypatch.setattr(_main, "_run", run)


def test_an_error_of_ours_is_one_message_and_code_2(monkeypatch, capsys):
    fails_with(monkeypatch, RunError("no such run 'x'.\n  Runs: a, b"))
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "error: no such run 'x'.\n  Runs: a, b\n")


def test_tracebacks_can_be_asked_for(monkeypatch):
    fails_with(monkeypatch, RunError("no such run"))
    monkeypatch.setenv("MJSDK_TRACEBACK", "1")
    with pytest.raises(RunError):
        main([])


def test_an_interrupt_ends_with_130(monkeypatch):
    fails_with(monkeypatch, KeyboardInterrupt())
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 130


class OutOfMemoryError(RuntimeError):
    """Called like that of torch for a GPU."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("std::bad_alloc"),
        RuntimeError("can't allocate memory: 8 bytes"),
        RuntimeError("Failed to allocate 8 bytes on device 'cuda:0'"),
        OutOfMemoryError("CUDA: 8 GiB"),
    ],
)
def test_too_little_memory_says_what_to_do(monkeypatch, capsys, error):
    fails_with(monkeypatch, error)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: there is not enough memory ({error}). Where")


def test_an_unexpected_error_keeps_its_traceback_and_says_where_to_go(monkeypatch, capsys):
    fails_with(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main([])
    assert capsys.readouterr().err.startswith("This is a bug in mjsdk, or in a plugin that the lines below name")


@pytest.mark.parametrize("args", ["list --json", "list", "--help"])
def test_a_reader_that_leaves_early_is_no_error(args):
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m mjsdk {args} | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "1")
