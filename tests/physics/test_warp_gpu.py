"""What is different on a GPU. All of it but the device is tested on the CPU as well."""

from __future__ import annotations

import logging
import time

import mujoco
import pytest
import torch

from mjsdk import device as devices
from mjsdk.env.worlds import Worlds
from mjsdk.physics import graphs
from mjsdk.physics.warp import WarpPhysics

SWINGING_BALL = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1"/>
    <body name="ball" pos="0 0 0.3"><freejoint/><geom name="ball" size="0.1" mass="1"/></body>
    <body name="arm" pos="2 0 1"><joint name="hinge" axis="0 1 0"/><geom size="0.1" pos="0.3 0 0" mass="1"/></body>
  </worldbody>
  <actuator><motor joint="hinge"/></actuator>
  <keyframe><key name="initial" qpos="0 0 0.3 1 0 0 0 0"/></keyframe>
</mujoco>
"""
E = 5
ON_CUDA = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


@pytest.fixture(params=["cpu", pytest.param("cuda:0", marks=ON_CUDA)])
def device(request):
    return request.param


def make(device):
    physics = WarpPhysics(mujoco.MjModel.from_xml_string(SWINGING_BALL), E, device)
    physics.write("ctrl", torch.arange(E, device=device).unsqueeze(1) / 2)
    return physics


def steps(physics, count):
    """Each of one physics step, whose recording is short."""
    for _ in range(count):
        physics.step()


def some(device, *ids):
    mask = torch.tensor([i in ids for i in range(E)], device=device)
    return Worlds(E, torch.Generator(device), mask=mask)


def state(physics):
    return torch.cat([physics.bind(field) for field in ("qpos", "qvel")], 1).clone()


def close(one, other):
    """Sums of contacts are made in any order on a GPU."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_functions_are_recorded_and_do_what_they_do_without(device, monkeypatch, caplog):
    recorded = make(device)
    monkeypatch.setattr(graphs, "GRAPHS", False)
    eager = make(device)
    with caplog.at_level(logging.WARNING):
        for physics in (recorded, eager):
            steps(physics, 25)
            physics.reset(some(device, 1, 3))
            physics.forward(some(device, 1, 3))
            steps(physics, 3)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert close(state(recorded), state(eager))
    assert state(recorded)[:, 7].unique().numel() == E - 1  # worlds 1 and 3 start again without controls


def test_torch_and_warp_see_the_same_memory(device):
    physics = make(device)
    qpos, xpos = physics.bind("qpos"), physics.bind("xpos")
    assert {qpos.device.type, xpos.device.type} == {torch.device(device).type}
    address = qpos.data_ptr()
    qpos[2, 2] = 7.0
    physics.forward()
    assert xpos[2, 1, 2] == 7.0
    steps(physics, 3)
    assert physics.bind("qpos").data_ptr() == address
    assert (qpos[:, 2] != 0.3).all()


def test_what_torch_does_before_a_step_is_in_it_and_what_it_reads_after_it_is_new(device):
    """Without waiting: work of torch that takes long stands before each write."""

    def run(wait):
        physics, big, seen = make(device), torch.eye(50 if device == "cpu" else 3000, device=device), []
        generator = torch.Generator(device).manual_seed(0)
        for _ in range(20):
            for _ in range(5):
                big = big @ big
            pushed = torch.rand(E, 7, device=device, generator=generator) * big[0, 0]
            physics.write("qvel", pushed)
            if wait:
                devices.wait(device)
            physics.step()
            seen.append(physics.bind("qvel") * big[0, 0])
        return torch.stack(seen)

    assert close(run(wait=False), run(wait=True))


def test_a_reset_of_some_worlds_leaves_the_others(device):
    physics = make(device)
    start = state(physics)
    steps(physics, 20)
    moved = state(physics)
    physics.reset(some(device, 0, 4))
    assert torch.equal(state(physics)[[0, 4]], start[[0, 4]])
    assert torch.equal(state(physics)[1:4], moved[1:4])


def test_a_field_that_is_expanded_after_steps_were_recorded_is_used(device):
    physics, plain = make(device), make(device)
    for each in (physics, plain):
        steps(each, 5)
    physics.expand("dof_damping")[3] = 50.0
    for each in (physics, plain):
        steps(each, 20)
    hinge, undamped = physics.bind("qvel")[:, 6].abs(), plain.bind("qvel")[:, 6].abs()
    assert hinge[3] < 0.5 * undamped[3]
    assert close(hinge[:3], undamped[:3])


def test_the_time_of_physics_is_that_of_the_device(device):
    physics = make(device)
    physics.step()  # and recorded
    before = physics.seconds
    devices.wait(device)
    begun = time.perf_counter()
    steps(physics, 20)
    devices.wait(device)
    wall, seconds = time.perf_counter() - begun, physics.seconds - before
    assert 0.0 < seconds <= wall
    assert physics.seconds == before + seconds


def test_moments_are_in_the_order_of_the_work(device):
    moments, physics = devices.Moments(device), make(device)
    begin = moments.now()
    steps(physics, 20)
    middle = moments.now()
    steps(physics, 5)
    end = moments.now()
    assert moments.seconds(begin, middle) > 0.0
    assert moments.seconds(begin, end) > moments.seconds(begin, middle)


def test_a_device_tells_its_memory_and_its_name(device):
    block = torch.ones(10_000_000, device=device)
    memory = devices.memory(device)
    assert block.numel() * 4 <= memory.own <= memory.total
    assert memory.own <= memory.used <= memory.total
    assert 0.0 < memory.share < 1.0
    assert devices.name(device)
