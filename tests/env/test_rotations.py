from __future__ import annotations

import mujoco
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.env.rotations import heading, quat_from_euler, quat_multiply, quat_rotate, quat_rotate_inverse, wrap_angle

angles = st.floats(-3.1, 3.1)
numbers = st.floats(-10, 10)


def quaternion(roll, pitch, yaw):
    return quat_from_euler(*(torch.tensor([a], dtype=torch.float64) for a in (roll, pitch, yaw)))


@given(angles, angles, angles, st.tuples(numbers, numbers, numbers))
def test_rotating_agrees_with_mujoco(roll, pitch, yaw, vector):
    quat = quaternion(roll, pitch, yaw)
    expected = np.zeros(3)
    mujoco.mju_rotVecQuat(expected, np.array(vector), quat[0].numpy())
    ours = quat_rotate(quat, torch.tensor([vector], dtype=torch.float64))
    np.testing.assert_allclose(ours[0].numpy(), expected, atol=1e-9)


@given(angles, angles, angles, st.tuples(numbers, numbers, numbers))
def test_rotating_back_gives_the_vector(roll, pitch, yaw, vector):
    quat, given_vector = quaternion(roll, pitch, yaw), torch.tensor([vector], dtype=torch.float64)
    torch.testing.assert_close(
        quat_rotate_inverse(quat, quat_rotate(quat, given_vector)), given_vector, atol=1e-9, rtol=0
    )


@given(angles, angles, angles, angles, angles, angles)
def test_products_agree_with_mujoco(a, b, c, d, e, f):
    first, second = quaternion(a, b, c), quaternion(d, e, f)
    expected = np.zeros(4)
    mujoco.mju_mulQuat(expected, first[0].numpy(), second[0].numpy())
    np.testing.assert_allclose(quat_multiply(first, second)[0].numpy(), expected, atol=1e-12)


@given(angles)
def test_the_heading_is_the_yaw_of_an_upright_base(yaw):
    torch.testing.assert_close(
        heading(quaternion(0.0, 0.0, yaw)), torch.tensor([yaw], dtype=torch.float64), atol=1e-9, rtol=0
    )


@given(st.floats(-100, 100))
def test_a_wrapped_angle_is_the_same_direction(angle):
    wrapped = wrap_angle(torch.tensor([angle], dtype=torch.float64))
    assert -torch.pi <= float(wrapped) <= torch.pi
    torch.testing.assert_close(
        torch.cos(wrapped), torch.cos(torch.tensor([angle], dtype=torch.float64)), atol=1e-9, rtol=0
    )
