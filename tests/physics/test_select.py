from __future__ import annotations

import logging
import warnings

import mujoco
import pytest
import torch

from mjsdk.errors import PhysicsError
from mjsdk.physics import make_physics, resolve, resolve_device, resolve_physics, select

BALL = """
<mujoco>
  <worldbody>
    <geom type="plane" size="0 0 1"/>
    <body name="ball" pos="0 0 1"><freejoint/><geom size="0.1" mass="1"/></body>
  </worldbody>
  <keyframe><key name="initial" qpos="0 0 1 1 0 0 0"/></keyframe>
</mujoco>
"""


def two_cards():
    return ["A100", "T4"], ""


@pytest.fixture
def driver(monkeypatch):
    """A machine with an NVIDIA driver."""
    monkeypatch.setattr(select, "_has_driver", lambda: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    select._warn_once.cache_clear()
    return monkeypatch


def test_without_a_driver_auto_is_the_cpu_and_torch_is_not_asked(monkeypatch):
    monkeypatch.setattr(select, "_has_driver", lambda: False)
    monkeypatch.setattr(select, "_cuda_devices", lambda: pytest.fail("asked"))
    assert resolve("auto") == ("cpu", "cpu")


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_who_hides_all_cards_wants_the_cpu(driver, hidden, caplog):
    driver.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert resolve_device("auto") == "cpu"
    assert caplog.text == ""


def test_auto_is_the_first_card_and_warp_is_the_physics_there(driver):
    driver.setattr(select, "_cuda_devices", two_cards)
    assert resolve("auto") == ("cuda:0", "warp")


def test_a_driver_that_nothing_can_use_is_one_warning(driver, caplog):
    driver.setattr(torch.version, "cuda", None)
    assert [resolve_device("auto"), resolve_device("auto")] == ["cpu", "cpu"]
    assert len(caplog.records) == 1
    assert f"the CPU is used: this torch ({torch.__version__}) is built without CUDA" in caplog.text


@pytest.mark.parametrize(
    ("device", "resolved"), [("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1")]
)
def test_a_device_that_is_there_has_one_name(monkeypatch, device, resolved):
    monkeypatch.setattr(select, "_cuda_devices", two_cards)
    assert resolve_device(device) == resolved


def test_a_card_too_many_names_those_that_are_there(monkeypatch):
    monkeypatch.setattr(select, "_cuda_devices", two_cards)
    with pytest.raises(PhysicsError, match=r"'cuda:2': there is cuda:0 \(A100\), cuda:1 \(T4\)\. Use one of these"):
        resolve_device("cuda:2")


def test_a_torch_without_cuda_says_so_and_what_to_do(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(PhysicsError, match="without CUDA; install one that is built with it. Use --device cpu"):
        resolve_device("cuda:0")


def test_what_torch_says_of_a_driver_that_is_too_old_is_part_of_the_error(driver):
    def too_old():
        warnings.warn("The NVIDIA driver on your system is too old", stacklevel=1)
        return False

    driver.setattr(torch.version, "cuda", "13.0")
    driver.setattr(torch.cuda, "is_available", too_old)
    driver.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(PhysicsError, match=r"no CUDA device \(CUDA_VISIBLE_DEVICES is '3'\); The NVIDIA driver on"):
        resolve_device("cuda")


@pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:one", "CPU", ""])
def test_an_unknown_device_lists_the_legal_ones(device):
    with pytest.raises(PhysicsError, match=f"unknown device '{device}'. Legal: auto, cpu, cuda, cuda:N"):
        resolve_device(device)


@pytest.mark.parametrize(
    ("physics", "device", "resolved"),
    [
        ("auto", "cpu", "cpu"),
        ("auto", "cuda:1", "warp"),
        ("cpu", "cpu", "cpu"),
        ("warp", "cpu", "warp"),
        ("warp", "cuda:0", "warp"),
    ],
)
def test_the_physics_follows_the_device_unless_it_is_named(physics, device, resolved):
    assert resolve_physics(physics, device) == resolved


@pytest.mark.parametrize(
    ("physics", "device", "message"),
    [
        (
            "cpu",
            "cuda:0",
            "in the memory of the CPU, not on cuda:0. Use --physics warp on that device, or --device cpu",
        ),
        ("mjx", "cpu", "unknown physics 'mjx'. Legal: auto, cpu, warp"),
    ],
)
def test_a_physics_that_cannot_be_there_is_an_error(physics, device, message):
    with pytest.raises(PhysicsError, match=message):
        resolve_physics(physics, device)


def test_settings_may_be_for_a_device_that_is_not_here(monkeypatch):
    monkeypatch.setattr(select, "_cuda_devices", lambda: pytest.fail("asked"))
    assert resolve("cuda:7", here=False) == ("cuda:7", "warp")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_this_machine_s_card_is_found():
    assert resolve("auto") == ("cuda:0", "warp")


def test_warp_on_a_cpu_is_said_to_be_for_tests_once(caplog):
    pytest.importorskip("mjsdk.physics.warp")
    model = mujoco.MjModel.from_xml_string(BALL)
    select._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        made = [make_physics(model, 2, "cpu", physics=name) for name in ("cpu", "warp", "warp")]
    assert [physics.name for physics in made] == ["cpu", "warp", "warp"]
    assert caplog.text.count("for testing: it is about five times slower than --physics cpu") == 1
