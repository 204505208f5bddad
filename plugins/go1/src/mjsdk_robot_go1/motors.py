"""The Go1's motors, and the servo gains that follow from their inertia.

All joints have the same motor; the calf's crank gears it down by half as much again. The gains are not fitted: with the
inertia I that the motor shows at the joint, kp = I w^2 and kd = 2 z I w make that inertia alone a spring of natural
frequency w and damping ratio z.
"""

from __future__ import annotations

from mjsdk.robot import ActuatorGroup

NATURAL_FREQUENCY = 10 * 2 * 3.1415926535
"""Of every servo with its rotor alone [rad/s]."""
DAMPING_RATIO = 2.0
"""Of every servo with its rotor alone [-]."""
ROTOR_INERTIA = 0.000111842
"""Of the motor, before its gear [kg m^2]."""
GEAR = 6.0
"""Reduction of the motor's own gear [-]."""
CRANK = 1.5
"""Further reduction between the calf and its motor [-]."""
EFFORT_LIMIT = 23.7
"""Largest torque after the gear [N m]."""
VELOCITY_LIMIT = 30.1
"""Largest speed after the gear [rad/s]."""


def actuators() -> tuple[ActuatorGroup, ...]:
    """Which gear drives which joints."""
    return (_drive(r".*_(hip|thigh)_joint", 1.0), _drive(r".*_calf_joint", CRANK))


def _drive(joints: str, crank: float) -> ActuatorGroup:
    inertia = ROTOR_INERTIA * (GEAR * crank) ** 2
    return ActuatorGroup(
        joints=joints,
        kp=inertia * NATURAL_FREQUENCY**2,
        kd=2 * DAMPING_RATIO * inertia * NATURAL_FREQUENCY,
        effort_limit=EFFORT_LIMIT * crank,
        armature=inertia,
        velocity_limit=VELOCITY_LIMIT / crank,
    )
