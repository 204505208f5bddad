"""Our G1, and the public model's figures to hold it to."""

from __future__ import annotations

import json
import os
from pathlib import Path

import mujoco
import pytest

import mjsdk_robot_g1
from mjsdk.robot import Robot
from mjsdk.testing.models import model_of

FIGURES = Path(__file__).parent / "data" / "figures.json"
REFERENCE = "unitree_g1.xml"


@pytest.fixture(scope="session")
def robot() -> Robot:
    return mjsdk_robot_g1.mjsdk_robot()


@pytest.fixture
def spec(robot: Robot) -> mujoco.MjSpec:
    return mjsdk_robot_g1.mjsdk_load_spec(robot)


@pytest.fixture(scope="session")
def model(robot: Robot) -> mujoco.MjModel:
    """The bare robot."""
    return mjsdk_robot_g1.mjsdk_load_spec(robot).compile()


@pytest.fixture(scope="session", params=["figures", "public model"])
def reference(request: pytest.FixtureRequest) -> mujoco.MjModel:
    """The public model, made from its figures, and read from its own file where there is one."""
    if request.param == "figures":
        return model_of(json.loads(FIGURES.read_text(encoding="utf-8"))).compile()
    path = Path(os.environ.get("MJSDK_REFERENCE_MODELS", "")) / REFERENCE
    if not path.is_file():
        pytest.skip(f"MJSDK_REFERENCE_MODELS names no folder with {REFERENCE}")
    return mujoco.MjModel.from_xml_path(str(path))
