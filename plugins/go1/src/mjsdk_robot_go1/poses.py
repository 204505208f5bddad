"""Where the Go1 starts, how far its joints may stray while it stands and trots, and how it steps."""

from __future__ import annotations

from mjsdk.robot import Gait, InitialState
from mjsdk_robot_go1.roles import LEGS

TROT_FREQUENCY = 2.5
DIAGONALS = (0.0, 0.5, 0.5, 0.0)
"""When each of `LEGS` begins its swing: front left with rear right, then the others [cycles]."""
LIFT = 0.2
"""Turn of a lifted thigh [rad]; the calf folds by twice that, so the foot rises by 7 cm straight up."""


def poses() -> dict[str, InitialState]:
    """Start poses, feet on the ground; the default first."""
    return {
        "standing": _pose(0.278, hip=0.1, thigh=0.9),
        "home": _pose(0.2878, hip=0.0, thigh=0.9),
        "crouched": _pose(0.1774, hip=0.0, thigh=1.2),
    }


def _pose(height: float, *, hip: float, thigh: float) -> InitialState:
    """Feet below the hips, or outside of them by the angle `hip`."""
    hips = {r"(FL|RL)_hip_joint": hip, r"(FR|RR)_hip_joint": 0.0 - hip}
    legs = {r".*_thigh_joint": thigh, r".*_calf_joint": -2 * thigh}
    return InitialState(pos=(0.0, 0.0, height), joint_pos=hips | legs)


def tolerances() -> dict[str, dict[str, float]]:
    """How far joints may stray [rad]: hardly at rest, widely in motion."""
    moving = {r".*_(hip|thigh)_joint": 0.3, r".*_calf_joint": 0.6}
    return {
        "standing": {r".*_(hip|thigh)_joint": 0.05, r".*_calf_joint": 0.1},
        "walking": dict(moving),
        "running": dict(moving),
    }


def gait() -> Gait:
    """A trot: diagonal pairs of legs."""
    lift = tuple({f"{leg}_thigh_joint": LIFT, f"{leg}_calf_joint": -2 * LIFT} for leg in LEGS)
    return Gait(frequency=TROT_FREQUENCY, offsets=DIAGONALS, lift=lift)
