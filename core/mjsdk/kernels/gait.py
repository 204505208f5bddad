"""The gait clock, and position targets that step with it."""

from __future__ import annotations

import math

import numpy as np

from mjsdk.kernels import Kernel


@Kernel.of("f4[:,::1], f8, f4[:,::1], f8, f8, b1[::1], b1[::1], f4[::1], b1[::1]")
def tell_to_step(
    twist: np.ndarray,
    threshold: float,
    gravity: np.ndarray,
    lean: float,
    side: float,
    told: np.ndarray,
    moving: np.ndarray,
    phase: np.ndarray,
    wanted: np.ndarray,
) -> None:
    """Fill which worlds are `told` to step, and which have it `wanted`: those and the ones that fall. Shape (E,) each.

    Told are those whose command `twist`, shape (E, n), adds up to more than the threshold in size. Those fall whose
    squared sine of the tilt is beyond `lean`; who stood then begins on the side that it falls to.
    """
    for e in range(twist.shape[0]):
        size = np.float32(0.0)
        for i in range(twist.shape[1]):
            size += abs(twist[e, i])
        told[e] = size > threshold
        left = gravity[e, 1]
        falling = gravity[e, 0] * gravity[e, 0] + left * left > lean
        if falling and side != 0.0 and not moving[e] and not told[e]:
            phase[e] = 0.5 if left * side < 0.0 else 0.0
        wanted[e] = falling or told[e]


@Kernel.of("f4[::1], i8[::1], f4[::1], b1[::1]")
def begin(random: np.ndarray, ids: np.ndarray, phase: np.ndarray, moving: np.ndarray) -> None:
    """Stop the clocks of the worlds `ids` where a step of either side begins, by numbers from 0 to 1, shape (m,)."""
    for k in range(ids.shape[0]):
        phase[ids[k]] = 0.5 if random[k] >= 0.5 else 0.0
        moving[ids[k]] = False


@Kernel.of("b1[::1], f4, f4[::1], f4[::1], b1[::1], f4[:,::1], f4[:,::1]")
def advance(
    wanted: np.ndarray,
    progress: np.float32,
    offsets: np.ndarray,
    phase: np.ndarray,
    moving: np.ndarray,
    foot_phase: np.ndarray,
    command: np.ndarray,
) -> None:
    """Let the clocks go on by `progress` cycles, and fill the feet's phases and sine and cosine."""
    half, one, turn, quarter = np.float32(0.5), np.float32(1.0), np.float32(2.0 * math.pi), np.float32(0.5 * math.pi)
    for e in range(phase.shape[0]):
        now = phase[e]
        if moving[e]:
            now += progress
        beyond = now % half
        goes_on = beyond >= progress or wanted[e]
        if not goes_on:
            now -= beyond
        now %= one
        phase[e] = now
        moving[e] = (moving[e] and goes_on) or wanted[e]
        for foot in range(offsets.shape[0]):
            foot_phase[e, foot] = (now - offsets[foot]) % one
        command[e, 0] = math.sin(now * turn) if moving[e] else 0.0
        command[e, 1] = math.sin(now * turn + quarter) if moving[e] else 0.0


@Kernel.of(
    "f4[:,::1], f4, f4[::1], f4[::1], f4[:,::1], i8[::1], b1[::1], f4[:,::1], f4, f4[:,::1], f4[:,::1], f4[:,::1]"
)
def stepping_targets(
    action: np.ndarray,
    standing: np.float32,
    offset: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    joints: np.ndarray,
    moving: np.ndarray,
    foot_phase: np.ndarray,
    swing: np.float32,
    lift: np.ndarray,
    step: np.ndarray,
    target: np.ndarray,
) -> None:
    """Fill what the open-loop step adds, `step`, and the `target` of each joint, shape (E, J) each.

    The bump of a foot that swings is max(0, (sin(pi phase / swing) - 0.2) / 0.8). `joints`, shape (J,), are the columns
    of the joints in `bias`.
    """
    half_turn, low, inverse = np.float32(math.pi) / swing, np.float32(0.2), np.float32(1.0 / 0.8)
    for e in range(action.shape[0]):
        size = np.float32(1.0) if moving[e] else standing
        for j in range(offset.shape[0]):
            step[e, j] = 0.0
            target[e, j] = offset[j] + action[e, j] * size * scale[j] - bias[e, joints[j]]
        for foot in range(lift.shape[0]):
            if moving[e] and foot_phase[e, foot] < swing:
                bump = (np.float32(math.sin(foot_phase[e, foot] * half_turn)) - low) * inverse
                if bump > 0.0:
                    for j in range(offset.shape[0]):
                        step[e, j] += bump * lift[foot, j]
        for j in range(offset.shape[0]):
            target[e, j] += step[e, j]
