"""Where the G1 starts, how far its joints may stray while it stands and walks, and how it steps."""

from __future__ import annotations

from mjsdk.robot import Gait, InitialState

STEP_FREQUENCY = 1.4


def poses() -> dict[str, InitialState]:
    """Start poses, feet flat on the ground; the default first."""
    return {
        "knees_bent": InitialState(pos=(0.0, 0.0, 0.76), joint_pos=_stance(-0.312, 0.669, -0.363) | _arms(elbow=0.6)),
        "home": InitialState(pos=(0.0, 0.0, 0.783675), joint_pos=_stance(-0.1, 0.3, -0.2) | _arms(elbow=1.28)),
    }


def _stance(hip: float, knee: float, ankle: float) -> dict[str, float]:
    return {r".*_hip_pitch_joint": hip, r".*_knee_joint": knee, r".*_ankle_pitch_joint": ankle}


def _arms(elbow: float) -> dict[str, float]:
    return {
        r".*_shoulder_pitch_joint": 0.2,
        r"left_shoulder_roll_joint": 0.2,
        r"right_shoulder_roll_joint": -0.2,
        r".*_elbow_joint": elbow,
    }


def tolerances() -> dict[str, dict[str, float]]:
    """How far joints may stray [rad]: hardly at rest; walking, most where the legs swing, least where they tilt."""
    return {"standing": {r".*": 0.05}, "walking": _strides(0), "running": _strides(1)}


_WALKING_AND_RUNNING = {
    r".*_hip_pitch_joint": (0.3, 0.5),
    r".*_hip_(roll|yaw)_joint": (0.15, 0.2),
    r".*_knee_joint": (0.35, 0.6),
    r".*_ankle_pitch_joint": (0.25, 0.35),
    r".*_ankle_roll_joint": (0.1, 0.15),
    r"waist_yaw_joint": (0.2, 0.3),
    r"waist_roll_joint": (0.08, 0.08),
    r"waist_pitch_joint": (0.1, 0.2),
    r".*_shoulder_pitch_joint": (0.15, 0.5),
    r".*_shoulder_roll_joint": (0.15, 0.2),
    r".*_shoulder_yaw_joint": (0.1, 0.15),
    r".*_elbow_joint": (0.15, 0.35),
    r".*_wrist_(roll|pitch|yaw)_joint": (0.3, 0.3),
}


def _strides(pace: int) -> dict[str, float]:
    return {joints: tolerance[pace] for joints, tolerance in _WALKING_AND_RUNNING.items()}


def gait() -> Gait:
    """One foot after the other. The lift bends hip, knee and ankle together, so the sole stays level."""
    return Gait(frequency=STEP_FREQUENCY, offsets=(0.0, 0.5), lift=(_lift("left"), _lift("right")))


def _lift(side: str) -> dict[str, float]:
    return {f"{side}_hip_pitch_joint": -0.35, f"{side}_knee_joint": 0.7, f"{side}_ankle_pitch_joint": -0.35}
