"""What only MuJoCo Warp does, on its CPU device."""

from __future__ import annotations

import logging

import mujoco
import numpy as np
import pytest
import torch

from mjsdk.env.worlds import Worlds
from mjsdk.errors import PhysicsError
from mjsdk.physics.capacity import SMALL, sizes_of
from mjsdk.physics.cpu import CpuPhysics
from mjsdk.physics.warp import WarpPhysics
from mjsdk.physics.warp_runtime import warp_modules

LEG = """
<mujoco>
  <option timestep="0.005" solver="{solver}" integrator="implicitfast"/>
  <worldbody>
    <geom name="floor" type="plane" size="0 0 1"/>
    <body name="base" pos="0 0 0.4"><freejoint/><geom name="base" size="0.1" mass="2"/><site name="imu"/>
      <body name="leg" pos="0 0 -0.1"><joint name="hip" axis="0 1 0" range="-1 1" limited="true" damping="0.1"/>
        <geom name="foot" size="0.05" pos="0 0 -0.25" mass="0.2"/></body></body>
  </worldbody>
  <actuator><position name="hip" joint="hip" kp="5"/></actuator>
  <sensor><gyro site="imu"/><framepos objtype="geom" objname="foot"/></sensor>
  <keyframe><key name="initial" qpos="0 0 0.4 1 0 0 0 0"/></keyframe>
</mujoco>
"""
WORLDS = 4


def leg(solver="Newton"):
    return mujoco.MjModel.from_xml_string(LEG.format(solver=solver))


def warp(model=None, **sizes):
    return WarpPhysics(model or leg(), WORLDS, "cpu", **sizes)


def worlds(*ids):
    return Worlds(WORLDS, torch.Generator(), mask=torch.tensor([number in ids for number in range(WORLDS)]))


def warnings_in(caplog):
    """What was warned of: notes that kernels are compiled are none."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def pairs_of(model):
    return np.array([(0, geom) for geom in range(1, model.ngeom)])


def test_single_steps_agree_with_native_mujoco():
    model = leg()
    native, physics = CpuPhysics(model, WORLDS), warp(model)
    fields = ("qpos", "qvel", "sensordata", "xpos", "actuator_force", "qacc")
    for each in (native, physics):
        for field in fields:
            each.bind(field)
    heights = torch.tensor([[0.39], [0.395], [0.4], [0.6]])
    for each in (native, physics):
        each.write("qpos", heights, start=2)
        each.write("ctrl", torch.tensor([[-0.5], [0.0], [0.2], [0.5]]))
    for _ in range(20):
        for each in (native, physics):
            each.step()
        for field in fields:
            torch.testing.assert_close(physics.bind(field), native.bind(field), atol=2e-3, rtol=1e-3)
        for field in ("qpos", "qvel", "qacc_warmstart"):
            physics.write(field, native.bind(field))


def test_derived_fields_lag_by_one_step_and_those_of_other_worlds_stay_so():
    physics = warp()
    foot, sensors = physics.bind("xpos"), physics.bind("sensordata")
    physics.step()
    before = foot.clone(), sensors.clone()
    physics.forward(worlds(1))
    for now, old in zip((foot, sensors), before, strict=True):
        changed = (now != old).flatten(1).any(1)
        assert changed.tolist() == [False, True, False, False]


def test_constants_are_computed_for_each_world_and_nothing_else_changes():
    model = leg()
    physics = warp(model)
    physics.bind("xpos"), physics.bind("sensordata")
    physics.step(3)
    physics.expand("body_mass")[:, 1] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    kept = {field: physics.bind(field).clone() for field in ("xpos", "sensordata", "qpos", "qvel")}
    physics.set_const()
    for field, values in kept.items():
        assert torch.equal(physics.bind(field), values), field
    for world in range(WORLDS):
        model.body_mass[1] = world + 1.0
        mujoco.mj_setConst(model, mujoco.MjData(model))
        for field in ("body_subtreemass", "dof_invweight0", "body_invweight0"):
            np.testing.assert_allclose(physics.expand(field)[world], getattr(model, field), rtol=1e-4, atol=1e-5)
    physics.step(2)
    assert len(physics.bind("qpos")[:, 2].unique()) == WORLDS


def test_what_is_written_to_an_expanded_field_later_is_simulated():
    physics = warp()
    friction = physics.expand("geom_friction")
    mass = physics.expand("body_mass")
    physics.step()
    mass[:, 1] *= torch.arange(1, WORLDS + 1)
    physics.set_const()
    physics.bind("qfrc_bias")
    physics.forward()
    weight = physics.bind("qfrc_bias")[:, 2]
    torch.testing.assert_close(weight - weight[0], 2.0 * 9.81 * torch.arange(WORLDS).float(), rtol=1e-4, atol=1e-3)
    assert friction.shape == (WORLDS, 3, 3)


@pytest.mark.parametrize("field", ["qpos", "qvel"])
def test_a_world_that_blows_up_leaves_nothing_behind(field):
    physics = warp()
    bound = [physics.bind(name) for name in ("qpos", "sensordata", "xpos", "qacc_warmstart")]
    physics.write(field, torch.full((1,), float("nan")), worlds(2))
    physics.step(2)
    assert physics.unstable().tolist() == [False, False, True, False]
    assert all(values.isfinite().all() for values in bound)
    physics.step(2)
    assert not physics.unstable().any()


def test_replaying_a_recorded_step_is_the_same_as_taking_it(caplog):
    recorded, taken = warp(), warp()
    taken._graphs._works = False
    taken._graphs.discard()
    for each in (recorded, taken):
        each.write("ctrl", torch.tensor([[-0.5], [0.0], [0.2], [0.5]]))
        each.step(4)
        each.reset(worlds(0))
        each.forward(worlds(0))
        each.step(4)
    ours, theirs = recorded.state_dict(), taken.state_dict()
    assert all(torch.equal(values, theirs[name]) for name, values in ours.items())
    assert not warnings_in(caplog)


def test_functions_are_recorded_on_their_device_whatever_the_default_one_is(monkeypatch, caplog):
    """Which is the first GPU of a machine that has any, also for physics on its second one and on its CPU."""
    runtime, another = warp_modules()[0].get_device("cpu").runtime, object()
    monkeypatch.setattr(runtime, "default_device", another)
    physics = warp()
    physics.step(4)
    physics.reset(worlds(0))
    physics.set_const()
    assert not warnings_in(caplog)
    assert all(physics._graphs._graphs.values())
    assert runtime.default_device is another


def test_a_model_that_warp_refuses_is_one_message_that_says_why():
    with pytest.raises(PhysicsError, match="MuJoCo Warp cannot simulate this model: .*PGS.*--physics cpu"):
        warp(leg("PGS"))


@pytest.mark.parametrize("field", ["nefc_typo", "contact", "nworld"])
def test_a_field_without_a_row_per_world_is_refused(field):
    with pytest.raises(PhysicsError, match=f"no field '{field}'"):
        warp().bind(field)


@pytest.mark.parametrize("field", ["body_parentid", "nq", "masses"])
def test_a_field_of_the_model_that_all_worlds_share_is_refused(field):
    with pytest.raises(PhysicsError, match=f"no field '{field}' that may differ between worlds"):
        warp().expand(field)


def test_memory_for_all_contacts_is_there_where_it_is_little():
    model = leg()
    sizes = sizes_of(model, pairs_of(model))
    assert (sizes.nconmax, sizes.njmax) == (2, 32)  # two spheres on a plane; 1 joint limit and 2 x 4 rows


@pytest.mark.parametrize(("given", "kept"), [({"nconmax": 5}, (5, 32)), ({"njmax": 70}, (2, 70))])
def test_memory_is_as_large_as_people_say(given, kept):
    model = leg()
    sizes = sizes_of(model, pairs_of(model), **given)
    assert (sizes.nconmax, sizes.njmax) == kept


HEAP = "".join(
    f'<body pos="{x / 4} {y / 4} 0.12"><freejoint/><geom type="box" size=".1 .1 .1"/></body>'
    for x in range(3)
    for y in range(3)
)


def test_memory_for_many_contacts_is_what_wild_states_need_with_a_margin():
    xml = f'<mujoco><worldbody><geom type="plane" size="1 1 1"/>{HEAP}</worldbody></mujoco>'
    model = mujoco.MjModel.from_xml_string(xml)
    pairs = np.array([(first, second) for first in range(10) for second in range(first + 1, 10)])
    sizes = sizes_of(model, pairs)
    assert SMALL > sizes.nconmax >= 9
    assert 9 * 4 * 4 <= sizes.njmax < 8 * 4 * len(pairs)


def lying():
    """The base and the foot on the ground in all worlds."""
    return torch.tensor([0.0, 0.0, 0.04, 0.7071, 0.0, 0.7071, 0.0, 0.0])


@pytest.mark.parametrize(
    ("sizes", "path", "what"),
    [({"nconmax": 1, "njmax": 64}, "nconmax", "contacts"), ({"nconmax": 8, "njmax": 2}, "njmax", "solver rows")],
)
def test_what_did_not_fit_is_said_with_the_size_to_set_and_steps_go_on(sizes, path, what, caplog):
    physics = warp(**sizes)
    physics.write("qpos", lying())
    physics.step(3)
    assert not warnings_in(caplog)
    physics.report()
    (said,) = [text for text in warnings_in(caplog) if what in text]
    assert f"left out {what} in 4 of 4 worlds" in said
    enough = int(said.rpartition(f"Set --env.sim.{path} ")[2])
    assert physics.bind("qpos").isfinite().all()
    caplog.clear()
    larger = warp(**{**sizes, path: enough})
    larger.write("qpos", lying())
    larger.step(3)
    larger.report()
    assert not warnings_in(caplog)


def test_that_nothing_was_lost_is_not_worth_a_word(caplog):
    caplog.set_level(logging.INFO)
    physics = warp()
    physics.write("qpos", lying())
    physics.step(5)
    physics.report()
    assert physics.report() == {}
    assert not warnings_in(caplog)


def test_steps_are_timed():
    physics = warp()
    before = physics.seconds
    physics.step(5)
    assert physics.seconds > before
