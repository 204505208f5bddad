"""Mirror images and noise, in place."""

from __future__ import annotations

import numpy as np

from mjsdk.kernels import Kernel


@Kernel.of("f4[:,::1], b1[::1], i8[::1], f4[::1], f4[::1]")
def reflect(values: np.ndarray, active: np.ndarray, sources: np.ndarray, signs: np.ndarray, row: np.ndarray) -> None:
    """Mirror `values`, shape (E, D), in the worlds that are `active`, shape (E,). `row`, shape (D,), is for work."""
    for e in range(values.shape[0]):
        if active[e]:
            for i in range(row.shape[0]):
                row[i] = values[e, i]
            for i in range(row.shape[0]):
                values[e, i] = signs[i] * row[sources[i]]


@Kernel.of("f4[:,:], f4[::1], u8[::1]")
def add_uniform(values: np.ndarray, scale: np.ndarray, state: np.ndarray) -> None:
    """Add noise between -scale and scale, shape (D,), to the columns of `values`.

    The numbers are those of splitmix64 (Steele, Lea and Flood, 2014), of which each gives two of 24 bits; `state`,
    shape (1,), goes on.
    """
    seed, mixed = state[0], np.uint64(0)
    unit, one, fresh = np.float32(2.0**-23), np.float32(1.0), False
    for i in range(scale.shape[0]):
        if scale[i] == 0.0:
            continue
        for e in range(values.shape[0]):
            if fresh:
                mixed <<= np.uint64(32)
            else:
                seed += np.uint64(0x9E3779B97F4A7C15)
                mixed = (seed ^ (seed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                mixed ^= mixed >> np.uint64(31)
            fresh = not fresh
            values[e, i] += (np.float32(mixed >> np.uint64(40)) * unit - one) * scale[i]
    state[0] = seed
