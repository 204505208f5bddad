"""Our G1, and the public model's figures to hold it to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

import mjsdk_robot_g1
from mjsdk.robot import InitialState, Robot
from mjsdk.selection import match

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
        return _from_figures(json.loads(FIGURES.read_text(encoding="utf-8"))).compile()
    path = Path(os.environ.get("MJSDK_REFERENCE_MODELS", "")) / REFERENCE
    if not path.is_file():
        pytest.skip(f"MJSDK_REFERENCE_MODELS names no folder with {REFERENCE}")
    return mujoco.MjModel.from_xml_path(str(path))


def _from_figures(figures: dict[str, Any]) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    for entry in figures["bodies"]:
        spec.body(entry["parent"]).add_body(
            name=entry["name"],
            pos=entry["pos"],
            quat=entry["quat"],
            mass=entry["mass"],
            ipos=entry["com"],
            fullinertia=entry["inertia"],
            explicitinertial=True,
        )
    for entry in figures["joints"]:
        kind = mujoco.mjtJoint.mjJNT_FREE if entry["free"] else mujoco.mjtJoint.mjJNT_HINGE
        spec.body(entry["body"]).add_joint(
            name=entry["name"],
            type=kind,
            axis=entry["axis"],
            pos=entry["pos"],
            range=np.rad2deg(entry["range"]),
            limited=mujoco.mjtLimited.mjLIMITED_FALSE if entry["free"] else mujoco.mjtLimited.mjLIMITED_TRUE,
        )
    for entry in figures["sites"]:
        spec.body(entry["body"]).add_site(name=entry["name"], pos=entry["pos"], quat=entry["quat"])
    for entry in figures["geoms"]:
        kind = getattr(mujoco.mjtGeom, f"mjGEOM_{entry['type'].upper()}")
        numbers = {name: entry[name] for name in ("size", "pos", "quat")}
        spec.body(entry["body"]).add_geom(name=entry["name"], type=kind, **numbers)
    for first, second in figures["excludes"]:
        spec.add_exclude(bodyname1=first, bodyname2=second)
    return spec


@pytest.fixture(scope="session")
def posed() -> Callable[[mujoco.MjModel, InitialState], mujoco.MjData]:
    """A function that puts a model into a pose, servos holding it."""
    return _posed


def _posed(model: mujoco.MjModel, pose: InitialState) -> mujoco.MjData:
    data = mujoco.MjData(model)
    names = [model.joint(i).name for i in range(model.njnt)]
    data.qpos[:7] = [*pose.pos, *pose.quat]
    for pattern, value in pose.joint_pos.items():
        data.qpos[model.jnt_qposadr[match(pattern, names, "joints")]] = value
    data.ctrl[:] = data.qpos[model.jnt_qposadr[model.actuator_trnid[:, 0]]]
    mujoco.mj_forward(model, data)
    return data
