from __future__ import annotations

import mujoco
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.env.rotations import matrix_from_quat, quat_from_euler, quat_rotate_inverse, wrap_angle

angles = st.floats(-3.1, 3.1)
numbers = st.floats(-10, 10)


def quaternion(roll, pitch, yaw):
    return quat_from_euler(*(torch.tensor([a], dtype=torch.float64) for a in (roll, pitch, yaw)))


@given(angles, angles, angles, st.tuples(numbers, numbers, numbers))
def test_rotating_back_agrees_with_mujoco(roll, pitch, yaw, vector):
    quat, back, expected = quaternion(roll, pitch, yaw), np.zeros(4), np.zeros(3)
    mujoco.mju_negQuat(back, quat[0].numpy())
    mujoco.mju_rotVecQuat(expected, np.array(vector), back)
    ours = quat_rotate_inverse(quat, torch.tensor([vector], dtype=torch.float64))
    np.testing.assert_allclose(ours[0].numpy(), expected, atol=1e-9)


@given(angles, angles, angles)
def test_matrices_agree_with_mujoco(roll, pitch, yaw):
    quat, expected = quaternion(roll, pitch, yaw), np.zeros(9)
    mujoco.mju_quat2Mat(expected, quat[0].numpy())
    np.testing.assert_allclose(matrix_from_quat(quat)[0].numpy().ravel(), expected, atol=1e-12)


@given(st.floats(-100, 100))
def test_a_wrapped_angle_is_the_same_direction(angle):
    wrapped = wrap_angle(torch.tensor([angle], dtype=torch.float64))
    assert -torch.pi <= float(wrapped) <= torch.pi
    torch.testing.assert_close(
        torch.cos(wrapped), torch.cos(torch.tensor([angle], dtype=torch.float64)), atol=1e-9, rtol=0
    )
