from __future__ import annotations

import mujoco
import pytest
import torch

from mjsdk.errors import PhysicsError
from mjsdk.physics import cpu as cpu_module
from mjsdk.physics.cpu import CpuPhysics
from mjsdk.runtime import available_threads

BALL = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1"/>
    <body name="ball" pos="0 0 1"><freejoint/><geom name="ball" size="0.1" mass="1"/></body>
  </worldbody>
</mujoco>
"""


PILE = """
<mujoco>
  <size memory="{memory}"/>
  <worldbody>
    <geom type="plane" size="0 0 1"/>{boxes}
  </worldbody>
</mujoco>
"""
BOX = '<body pos="0 0 .1"><freejoint/><geom type="box" size=".1 .1 .1" mass="1"/></body>'


def pile(memory: str) -> CpuPhysics:
    """Boxes in each other, which need much memory."""
    return CpuPhysics(mujoco.MjModel.from_xml_string(PILE.format(memory=memory, boxes=12 * BOX)), num_envs=8)


@pytest.fixture
def no_handler():
    """MuJoCo as it is before mjsdk has made any worlds."""
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(None)
    yield
    mujoco.set_mju_user_warning(before)


def test_mujoco_writes_nothing_when_worlds_blow_up(no_handler, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    physics = CpuPhysics(mujoco.MjModel.from_xml_string(BALL), num_envs=8, threads=2)
    for field in ("qpos", "qvel"):
        physics.write(field, torch.full((8, 7 if field == "qpos" else 6), float("nan")))
        physics.step(2)
        assert physics.unstable().all()
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_handler_that_somebody_has_set_is_left_alone(no_handler):
    heard: list[str] = []
    mujoco.set_mju_user_warning(heard.append)
    physics = CpuPhysics(mujoco.MjModel.from_xml_string(BALL), num_envs=2)
    physics.write("qvel", torch.full((2, 6), 1e12))
    physics.step(1)
    assert len(heard) == 2
    assert "QVEL" in heard[0]


def test_contacts_that_find_no_memory_are_said_once(no_handler, caplog):
    physics = pile("100K")
    for _ in range(5):
        physics.step(1)
        physics.unstable()
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 2
    assert all(warning.startswith("MuJoCo warns in 8 of 8 worlds: ") for warning in warnings)
    assert "Too many contacts" in "".join(warnings)


def test_a_model_that_mujoco_cannot_step_is_an_error_that_says_why(no_handler):
    with pytest.raises(PhysicsError, match="MuJoCo cannot simulate this model: .*out of memory.*<size>"):
        pile("20K").step(1)


def test_threads_follow_the_cpu_affinity():
    assert CpuPhysics(mujoco.MjModel.from_xml_string(BALL), num_envs=64).threads == min(available_threads(), 64)


def test_the_look_alike_package_is_refused(monkeypatch):
    monkeypatch.setattr(cpu_module, "_installed", lambda name: True)
    with pytest.raises(PhysicsError, match="pip uninstall mjbatch-uni"):
        cpu_module.check_mjbatch()
