"""A pretended site-packages for plugins, and the sources of small ones."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mjsdk.plugins import DISABLE, installed
from mjsdk.runs.trust import STATE
from mjsdk.testing import fake_dist

VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES")
settings.register_profile("mjsdk", deadline=None, derandomize=True)
settings.load_profile("mjsdk")

ROBOT = """
import mujoco
import mjsdk
from mjsdk.robot import ActuatorGroup, CollisionRule, Robot, Role, Roles

MJSDK_API = 1
XML = '''<mujoco><compiler angle="radian"/><worldbody><body name="base"><geom name="base" size=".1"/>
  <body name="tip" pos="0 0 .5"><joint name="bend" range="-1 1"/><geom name="tip" size=".1"/></body></body>
  </worldbody></mujoco>'''

@mjsdk.hookimpl
def mjsdk_robot():
    return Robot(
        name="myarm", summary="an arm [of one joint]", roles=Roles(base=Role(bodies="base"), tip=Role(bodies="tip")),
        actuators=(ActuatorGroup(joints=".*", kp=10.0, kd=1.0, effort_limit=4.0, armature=0.01),),
        collisions={"tip": (CollisionRule(geoms="tip"),), "all": (CollisionRule(geoms=".*"),)},
    )

@mjsdk.hookimpl
def mjsdk_load_spec(robot):
    return mujoco.MjSpec.from_string(XML)
"""

TASK = """
import mjsdk
from mjsdk.config import EnvConfig, RewardTermConfig
from mjsdk.task import Requirement, TaskConfig

MJSDK_API = 1

@mjsdk.hookimpl
def mjsdk_task(robot):
    robot.roles["base"]
    return TaskConfig(
        name="reach", summary="touch things", requires=(Requirement(role="tip", why="to touch with"),),
        env=EnvConfig(rewards={"near": RewardTermConfig(func="reach:near", weight=2.0, params={"std": 0.5})}),
    )

@mjsdk.hookimpl
def mjsdk_reward_terms():
    return {"near": near}

def near(env, std):
    return None
"""

EXTRA = """
import mjsdk
MJSDK_API = 1

@mjsdk.hookimpl
def mjsdk_reward_terms():
    return {"jump": jump}

def jump(env):
    return None
"""


class Site:
    """A folder on `sys.path` that packages are written into."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, **given: Any) -> Path:
        """Install a package."""
        return fake_dist(self.path, name, **given)

    def robot(self, source: str = ROBOT, name: str = "myarm", dist: str = "my-robot", **given: Any) -> Path:
        """Install a package with one robot."""
        return self._one("robots", source, name, dist, **given)

    def task(self, source: str = TASK, name: str = "reach", dist: str = "my-task", **given: Any) -> Path:
        """Install a package with one task."""
        return self._one("tasks", source, name, dist, **given)

    def extra(self, source: str = EXTRA, name: str = "hop", dist: str = "my-extra", **given: Any) -> Path:
        """Install a package with one extra."""
        return self._one("extras", source, name, dist, **given)

    def file(self, name: str, source: str) -> Path:
        """Write a local plugin."""
        path = self.path.parent / name
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    def _one(self, kind: str, source: str, name: str, dist: str, more: str = "", **given: Any) -> Path:
        module = f"{dist}_{name}".replace("-", "_")
        return self.add(dist, **{kind: {name: module}}, modules={module: textwrap.dedent(source) + more}, **given)


@pytest.fixture(autouse=True, scope="session")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What mjsdk keeps of its user: nothing of the one who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE, str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _on_the_cpu() -> Iterator[None]:
    """`auto` is the CPU, whatever the machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        yield


@pytest.fixture(autouse=True)
def _on_the_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that need a GPU see those that the machine has."""
    if request.node.get_closest_marker("gpu") is not None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
        if VISIBLE is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", VISIBLE)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty site-packages; the plugins that are really installed are switched off."""
    monkeypatch.setenv(DISABLE, ",".join({ref.dist for ref in installed()}))
    made = Site(tmp_path / "site")
    made.path.mkdir()
    monkeypatch.syspath_prepend(made.path)
    before = set(sys.modules)
    yield made
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def crowd() -> str:
    """What to give as `--robot` for a robot with objects, a door, balls and passive joints around its own."""
    return str(Path(__file__).with_name("parts") / "crowd.py")
