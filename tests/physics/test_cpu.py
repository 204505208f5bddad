from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch

from mjsdk.env.worlds import Worlds
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


@pytest.fixture
def physics() -> CpuPhysics:
    return CpuPhysics(mujoco.MjModel.from_xml_string(BALL), num_envs=3)


@pytest.fixture(params=["ids", "mask"])
def some(request):
    """Makes some of three worlds, by their numbers and by a mask."""

    def make(*ids):
        mask = torch.tensor([i in ids for i in range(3)])
        given = {"ids": torch.tensor(ids)} if request.param == "ids" else {"mask": mask}
        return Worlds(3, torch.Generator(), **given)

    return make


def test_a_bound_field_follows_every_step_in_place(physics):
    qpos = physics.bind("qpos")
    before = qpos.clone()
    physics.step(5)
    assert (qpos[:, 2] < before[:, 2]).all()


def test_a_bound_field_is_the_physics_own_memory(physics):
    assert physics.bind("qpos").data_ptr() == physics.bind("qpos").data_ptr()


def test_a_bound_field_is_filled_at_once(physics):
    assert torch.allclose(physics.bind("xpos")[:, 1, 2], torch.ones(3))


def test_what_is_written_is_read_at_once_and_simulated(physics, some):
    qpos = physics.bind("qpos")
    target = torch.tensor([1.0, 2.0, 3.0, 1.0, 0.0, 0.0, 0.0])
    physics.write("qpos", target, some(1))
    assert torch.equal(qpos[1], target)
    physics.forward()
    assert torch.allclose(physics.bind("xpos")[1, 1], target[:3])
    assert torch.allclose(physics.bind("xpos")[0, 1], torch.tensor([0.0, 0.0, 1.0]))


def test_writing_back_what_was_there_before_a_reset_is_not_lost(physics, some):
    qpos = physics.bind("qpos")
    physics.step(10)
    fallen = qpos[0].clone()
    physics.reset(some(0))
    physics.write("qpos", fallen, some(0))
    physics.forward(some(0))
    assert torch.allclose(physics.bind("xpos")[0, 1], fallen[:3])


def test_a_reset_leaves_other_worlds_bit_identical(physics, some):
    physics.bind("qpos"), physics.bind("ctrl")
    physics.step(10)
    before = physics.state_dict()["state"]
    physics.reset(some(1))
    after = physics.state_dict()["state"]
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_columns_are_written_where_they_begin(physics, some):
    before = physics.bind("qpos").clone()
    rows = torch.tensor([7.0, 8.0])
    physics.write("qpos", rows, some(0, 2), start=1)
    before[[0, 2], 1:3] = rows
    assert torch.equal(physics.bind("qpos"), before)
    physics.forward()
    assert torch.equal(physics.bind("xpos")[:, 1, :3], before[:, :3])


def test_forward_leaves_the_derived_fields_of_other_worlds_as_they_are(physics, some):
    xpos = physics.bind("xpos").clone()
    physics.write("qpos", torch.full((3, 1), 5.0), start=2)
    physics.forward(some(0, 2))
    assert physics.bind("xpos")[:, 1, 2].tolist() == [5.0, float(xpos[1, 1, 2]), 5.0]


def test_a_world_starts_where_it_was_told_to(physics, some):
    model_start = physics.start_state("qpos").clone()
    physics.write_start("qpos", torch.tensor([3.0]), some(1), start=2)
    assert physics.start_state("qpos")[:, 2].tolist() == [1.0, 3.0, 1.0]
    qpos = physics.bind("qpos")
    physics.step(10)
    physics.reset(some(0, 1))
    model_start[1, 2] = 3.0
    assert torch.equal(qpos[:2], model_start[:2])
    assert not torch.equal(qpos[2], model_start[2])
    physics.write_start("qvel", torch.ones(3, 6))
    physics.reset(some(2))
    assert physics.bind("qvel")[2].tolist() == [1.0] * 6
    assert torch.equal(physics.start_state("qpos"), model_start)


def test_start_states_are_saved_and_restored(physics, some):
    without = physics.state_dict()
    physics.write_start("qpos", torch.tensor([3.0]), some(1), start=2)
    saved = physics.state_dict()
    physics.write_start("qpos", torch.full((3, 1), 4.0), start=2)
    for state, heights in ((saved, [1.0, 3.0, 1.0]), (without, [1.0, 1.0, 1.0]), (saved, [1.0, 3.0, 1.0])):
        physics.load_state_dict(state)
        assert physics.start_state("qpos")[:, 2].tolist() == heights


def test_what_is_written_after_loading_leaves_the_saved_start_alone(physics, some):
    physics.write_start("qpos", torch.tensor([3.0]), some(1), start=2)
    saved = physics.state_dict()
    physics.load_state_dict(saved)
    physics.write_start("qpos", torch.tensor([9.0]), some(1), start=2)
    physics.load_state_dict(saved)
    assert physics.start_state("qpos")[1, 2] == 3.0


def test_worlds_agree_with_mujoco_itself(physics):
    model = mujoco.MjModel.from_xml_string(BALL)
    data = mujoco.MjData(model)
    for _ in range(50):
        mujoco.mj_step(model, data)
    physics.bind("qpos")
    physics.step(50)
    np.testing.assert_allclose(physics.bind("qpos")[2].numpy(), data.qpos.astype(np.float32), atol=1e-7)


def test_expanded_fields_differ_between_worlds(physics, some):
    physics.expand("body_mass")[:, 1] = torch.tensor([1.0, 2.0, 4.0])
    physics.set_const(some(0, 1, 2))
    physics.bind("qfrc_bias")
    physics.forward()
    weight = physics.bind("qfrc_bias")[:, 2]
    assert torch.allclose(weight / weight[0], torch.tensor([1.0, 2.0, 4.0]), atol=1e-5)


def test_going_on_from_a_saved_state_is_exact(physics):
    physics.bind("qpos"), physics.bind("sensordata")
    physics.expand("body_mass")[:, 1] = torch.tensor([1.0, 2.0, 4.0])
    physics.step(7)
    saved = physics.state_dict()
    physics.step(20)
    expected = physics.state_dict()["state"]
    physics.load_state_dict(saved)
    physics.step(20)
    assert torch.equal(physics.state_dict()["state"], expected)


def test_a_world_that_blows_up_is_named_each_time_and_once(physics, some):
    assert not physics.unstable().any()
    for _ in range(3):
        physics.write("qvel", torch.full((6,), 1e12), some(1))
        physics.step(1)
        assert physics.unstable().tolist() == [False, True, False]
        physics.reset(some(1))
        physics.step(1)
        assert not physics.unstable().any()


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


def test_an_unknown_field_is_an_error_that_names_it(physics):
    with pytest.raises(PhysicsError, match="qpso"):
        physics.bind("qpso")
    for write in (physics.write, physics.write_start):
        with pytest.raises(PhysicsError, match="xpos.*Legal: time, qpos"):
            write("xpos", torch.zeros(3, 3))


def test_threads_follow_the_cpu_affinity():
    assert CpuPhysics(mujoco.MjModel.from_xml_string(BALL), num_envs=64).threads == min(available_threads(), 64)


def test_the_look_alike_package_is_refused(monkeypatch):
    monkeypatch.setattr(cpu_module, "_installed", lambda name: True)
    with pytest.raises(PhysicsError, match="pip uninstall mjbatch-uni"):
        cpu_module.check_mjbatch()


@pytest.mark.parametrize(("field", "what"), [("body_mass", "mass"), ("body_inertia", "inertia")])
@pytest.mark.parametrize("value", [-0.5, 0.0, float("nan")])
def test_what_a_randomisation_took_away_is_an_error_that_names_the_body(physics, field, what, value):
    physics.expand(field)[1, 1] = value
    with pytest.raises(PhysicsError, match=f"the {what} of body 'ball' is .* in world 1, and must be above 0"):
        physics.set_const()


def test_bodies_without_a_mass_may_stay_so(physics):
    physics.expand("body_mass")[:, 1] = 2.0
    physics.set_const()
    assert physics.expand("body_mass").tolist() == [[0.0, 2.0]] * 3


@pytest.mark.parametrize(("start", "width"), [(0, 8), (6, 2), (-1, 2)])
def test_columns_beyond_a_field_are_refused_as_others_begin_there(physics, some, start, width):
    before = physics.state_dict()["state"]
    for write in (physics.write, physics.write_start):
        with pytest.raises(PhysicsError, match=f"{width} columns from {start} on do not fit 'qpos', which has 7"):
            write("qpos", torch.ones(2, width), some(0, 2), start=start)
    assert torch.equal(physics.state_dict()["state"], before)
