"""What every physics does."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch

from mjsdk.env.worlds import Worlds
from mjsdk.errors import PhysicsError
from mjsdk.physics.cpu import CpuPhysics
from mjsdk.physics.warp import WarpPhysics

BALL = """
<mujoco>
  <option timestep="0.01"/>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1"/>
    <body name="ball" pos="0 0 1"><freejoint/><geom name="ball" size="0.1" mass="1"/></body>
  </worldbody>
  <keyframe><key name="initial" qpos="0 0 1 1 0 0 0"/></keyframe>
</mujoco>
"""


@pytest.fixture(params=["cpu", "warp"])
def physics(request):
    model = mujoco.MjModel.from_xml_string(BALL)
    return CpuPhysics(model, 3) if request.param == "cpu" else WarpPhysics(model, 3, "cpu")


@pytest.fixture(params=["ids", "mask"])
def some(request):
    """Makes some of three worlds, by their numbers and by a mask."""

    def make(*ids):
        mask = torch.tensor([i in ids for i in range(3)])
        given = {"ids": torch.tensor(ids)} if request.param == "ids" else {"mask": mask}
        return Worlds(3, torch.Generator(), **given)

    return make


def same(state, other):
    return state.keys() == other.keys() and all(torch.equal(values, other[name]) for name, values in state.items())


def states(physics):
    """All that the worlds go on from, shape (3, n)."""
    kept = [values for name, values in physics.state_dict().items() if name.startswith("state")]
    return torch.cat([values.reshape(3, -1) for values in kept], 1)


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
    before = states(physics)
    physics.reset(some(1))
    after = states(physics)
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
    np.testing.assert_allclose(physics.bind("qpos")[2].numpy(), data.qpos, rtol=1e-6, atol=1e-6)


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
    expected = physics.state_dict()
    physics.load_state_dict(saved)
    physics.step(20)
    assert same(physics.state_dict(), expected)


def test_a_world_that_blows_up_is_named_each_time_and_once(physics, some):
    assert not physics.unstable().any()
    for _ in range(3):
        physics.write("qvel", torch.full((6,), 1e12), some(1))
        physics.step(1)
        assert physics.unstable().tolist() == [False, True, False]
        physics.reset(some(1))
        physics.step(1)
        assert not physics.unstable().any()


def test_an_unknown_field_is_an_error_that_names_it(physics):
    with pytest.raises(PhysicsError, match="qpso"):
        physics.bind("qpso")
    for write in (physics.write, physics.write_start):
        with pytest.raises(PhysicsError, match="xpos.*Legal: time, qpos"):
            write("xpos", torch.zeros(3, 3))


@pytest.mark.parametrize(("field", "what"), [("body_mass", "mass"), ("body_inertia", "inertia")])
@pytest.mark.parametrize("value", [-0.5, 0.0, float("nan")])
def test_what_a_randomisation_took_away_is_an_error_that_names_the_body(physics, field, what, value):
    physics.expand(field)[1, 1] = value
    with pytest.raises(PhysicsError, match=f"the {what} of body 'ball' is .* in world 1, and must be above 0"):
        physics.set_const()
        physics.report()


def test_bodies_without_a_mass_may_stay_so(physics):
    physics.expand("body_mass")[:, 1] = 2.0
    physics.set_const()
    assert physics.expand("body_mass").tolist() == [[0.0, 2.0]] * 3


@pytest.mark.parametrize(("start", "width"), [(0, 8), (6, 2), (-1, 2)])
def test_columns_beyond_a_field_are_refused_as_others_begin_there(physics, some, start, width):
    before = physics.state_dict()
    for write in (physics.write, physics.write_start):
        with pytest.raises(PhysicsError, match=f"{width} columns from {start} on do not fit 'qpos', which has 7"):
            write("qpos", torch.ones(2, width), some(0, 2), start=start)
    assert same(physics.state_dict(), before)
