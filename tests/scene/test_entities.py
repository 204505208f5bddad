from __future__ import annotations

import mujoco
import numpy as np
import pytest

from mjsdk.plugins import open_session
from mjsdk.robot import InitialState, Robot, Role, Roles
from mjsdk.scene import compile_robot
from mjsdk.scene.entities import find_robot

ARM = """
<mujoco><worldbody>
  <body name="cube" pos="1 0 0"><freejoint name="cube"/><geom size=".05" mass="1"/></body>
  <body name="stand"><geom size=".1" mass="10"/>
    <body name="link"><joint name="pan" axis="0 0 1"/><geom size=".1" mass="2"/></body>
  </body>
</worldbody>{more}</mujoco>"""
MOTOR = '<actuator><position name="pan" joint="pan" kp="5"/></actuator>'


@pytest.fixture(scope="module")
def crowded(crowd):
    session = open_session(crowd)
    model = compile_robot(session)
    return model, find_robot(model, session.robot())


def names(model, kind, ids):
    return [getattr(model, kind)(i).name for i in ids]


def arm(more=MOTOR, **roles):
    model = mujoco.MjModel.from_xml_string(ARM.format(more=more))
    return model, find_robot(model, Robot(name="arm", roles=Roles(**roles)))


def test_the_robot_is_the_tree_of_its_base_and_nothing_beside_it(crowded):
    model, robot = crowded
    parts = ["trunk", *(f"{side}_{part}" for side in ("left", "right") for part in ("leg", "tail", "toe"))]
    assert names(model, "body", robot.bodies) == parts
    assert robot.mass == pytest.approx(3.4)


def test_its_joints_are_hinges_and_slides_without_balls_and_doors(crowded):
    model, robot = crowded
    assert names(model, "joint", robot.joints) == ["left_hip", "left_toe", "right_hip", "right_toe"]
    assert names(model, "joint", [robot.joints[i] for i in robot.driven]) == ["left_hip", "right_hip"]


def test_its_columns_are_those_of_the_model(crowded):
    model, robot = crowded
    assert robot.qpos == tuple(model.jnt_qposadr[model.joint(name).id] for name in names(model, "joint", robot.joints))
    assert robot.base_qpos == model.joint("base").qposadr[0]
    assert names(model, "body", {model.dof_bodyid[i] for i in robot.dofs}) == names(model, "body", robot.bodies)


def test_a_start_leaves_everything_else_where_the_model_has_it(crowded):
    model, robot = crowded
    qpos, ctrl = robot.start(model, InitialState(pos=(1, 2, 3), quat=(0, 0, 0, 1)), (0.1, 0.2, 0.3, 0.4))
    own = [*range(robot.base_qpos, robot.base_qpos + 7), *robot.qpos]
    assert qpos[own].tolist() == [1, 2, 3, 0, 0, 0, 1, 0.1, 0.2, 0.3, 0.4]
    np.testing.assert_array_equal(np.delete(qpos, own), np.delete(model.qpos0, own))
    assert ctrl.tolist() == [0.1, 0.3]


def test_a_cube_beside_a_fixed_arm_is_not_its_base():
    model, robot = arm(base=Role(bodies="stand"))
    assert not robot.has_free_base
    assert (model.body(robot.base).name, robot.mass) == ("stand", pytest.approx(12.0))


def test_without_a_role_the_robot_is_what_its_motors_drive():
    model, robot = arm()
    assert names(model, "body", robot.bodies) == ["stand", "link"]
    assert robot.actuators == (0,)


def test_an_actuator_of_a_tendon_drives_no_joint():
    tendon = '<tendon><fixed name="t"><joint joint="pan" coef="1"/></fixed></tendon>'
    _, robot = arm(f'{tendon}<actuator><motor tendon="t"/></actuator>', base=Role(bodies="stand"))
    assert robot.actuators == (None,)
