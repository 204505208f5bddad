"""The G1's motors, and the servo gains that follow from their inertia.

Rotor inertias, gears and limits are the maker's published figures. The gains are not fitted: with the inertia I that
the motor shows at the joint, kp = I w^2 and kd = 2 z I w make that inertia alone a spring of natural frequency w and
damping ratio z. Links are heavier than rotors, so the joints are softer and less damped than that: too soft to balance
the robot by themselves, and soft enough that a policy commands torques as much as positions.
"""

from __future__ import annotations

import attrs

from mjsdk.robot import ActuatorGroup

NATURAL_FREQUENCY = 10 * 2 * 3.1415926535
"""Of every servo with its rotor alone [rad/s]."""
DAMPING_RATIO = 2.0
"""Of every servo with its rotor alone [-]."""


@attrs.frozen(kw_only=True)
class Motor:
    """A motor with a two-stage planetary gear."""

    rotors: tuple[float, float, float]
    """Inertia of the rotor and of the carriers after the first and second stage [kg m^2]."""
    gears: tuple[float, float]
    """Reduction of the first and second stage [-]."""
    effort_limit: float
    """Largest torque at the joint [N m]."""
    velocity_limit: float
    """Largest speed at the joint [rad/s]."""
    count: int = 1
    """Motors that drive the joint together."""

    @property
    def armature(self) -> float:
        """Inertia at the joint [kg m^2]: each part times the square of the reduction ahead of it."""
        rotor, first, second = self.rotors
        gear_1, gear_2 = self.gears
        return self.count * (rotor * (gear_1 * gear_2) ** 2 + first * gear_2**2 + second)

    @property
    def kp(self) -> float:
        """Stiffness [N m/rad]."""
        return self.armature * NATURAL_FREQUENCY**2

    @property
    def kd(self) -> float:
        """Damping [N m s/rad]."""
        return 2 * DAMPING_RATIO * self.armature * NATURAL_FREQUENCY

    def drives(self, *joints: str) -> ActuatorGroup:
        """Put the motor on the joints that match."""
        return ActuatorGroup(
            joints=joints,
            kp=self.kp,
            kd=self.kd,
            effort_limit=self.effort_limit * self.count,
            armature=self.armature,
            velocity_limit=self.velocity_limit,
        )


M5020 = Motor(
    rotors=(0.139e-4, 0.017e-4, 0.169e-4), gears=(1 + 46 / 18, 1 + 56 / 16), effort_limit=25.0, velocity_limit=37.0
)
M7520_14 = Motor(
    rotors=(0.489e-4, 0.098e-4, 0.533e-4), gears=(4.5, 1 + 48 / 22), effort_limit=88.0, velocity_limit=32.0
)
M7520_22 = Motor(rotors=(0.489e-4, 0.109e-4, 0.738e-4), gears=(4.5, 5.0), effort_limit=139.0, velocity_limit=20.0)
M4010 = Motor(rotors=(0.068e-4, 0.0, 0.0), gears=(5.0, 5.0), effort_limit=5.0, velocity_limit=22.0)

PAIR_OF_5020 = attrs.evolve(M5020, count=2)
"""Two motors on a four-bar linkage, taken as 1:1: the linkage's ratio changes little around the poses of walking."""


def actuators() -> tuple[ActuatorGroup, ...]:
    """Which motor drives which joints."""
    return (
        M7520_14.drives(r".*_hip_pitch_joint", r".*_hip_yaw_joint", r"waist_yaw_joint"),
        M7520_22.drives(r".*_hip_roll_joint", r".*_knee_joint"),
        PAIR_OF_5020.drives(r".*_ankle_(pitch|roll)_joint", r"waist_(roll|pitch)_joint"),
        M5020.drives(r".*_shoulder_(pitch|roll|yaw)_joint", r".*_elbow_joint", r".*_wrist_roll_joint"),
        M4010.drives(r".*_wrist_(pitch|yaw)_joint"),
    )
