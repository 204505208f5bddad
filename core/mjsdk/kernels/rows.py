"""Rows of the physics' state, which is kept twice: in double precision, and as terms read it."""

from __future__ import annotations

import numpy as np

from mjsdk.kernels import Kernel


@Kernel
def write_all(state: np.ndarray, bound: np.ndarray, values: np.ndarray) -> None:
    """Copy `values`, shape (E, n), to both arrays."""
    for e in range(values.shape[0]):
        for i in range(values.shape[1]):
            state[e, i] = values[e, i]
            bound[e, i] = values[e, i]


@Kernel
def write_rows(state: np.ndarray, bound: np.ndarray, ids: np.ndarray, values: np.ndarray) -> None:
    """Copy `values`, shape (m, n), to the rows `ids`, shape (m,), of both arrays."""
    for k in range(ids.shape[0]):
        for i in range(values.shape[1]):
            state[ids[k], i] = values[k, i]
            bound[ids[k], i] = values[k, i]
