"""The commands that policies are compared with."""

from __future__ import annotations

import attrs

LARGEST = 100.0
"""Largest velocity to ask for [m/s, rad/s]."""


@attrs.frozen
class Command:
    """A velocity to keep."""

    forward: float = 0.0
    """[m/s]"""
    left: float = 0.0
    """[m/s]"""
    yaw_rate: float = 0.0
    """[rad/s], positive to the left."""

    @property
    def values(self) -> tuple[float, float, float]:
        """Forward [m/s], left [m/s], yaw rate [rad/s]."""
        return self.forward, self.left, self.yaw_rate

    @property
    def is_stand(self) -> bool:
        """Whether the robot is asked to stand still."""
        return not any(self.values)

    @property
    def label(self) -> str:
        """Such as `forward 0.5, turn left 0.5`."""
        parts = [
            _part("forward", "backward", self.forward),
            _part("left", "right", self.left),
            _part("turn left", "turn right", self.yaw_rate),
        ]
        return ", ".join(filter(None, parts)) or "stand"


def _part(positive: str, negative: str, value: float) -> str:
    return f"{positive if value > 0 else negative} {abs(value):g}" if value else ""


STANDARD = (
    Command(),
    Command(forward=0.5),
    Command(forward=1.0),
    Command(forward=-0.5),
    Command(left=0.4),
    Command(left=-0.4),
    Command(forward=0.5, yaw_rate=0.5),
    Command(yaw_rate=0.8),
)
"""Stand, walk in four directions, walk a curve, turn on the spot."""


def parse_command(text: str) -> Command:
    """The command of `vx,vy,wz`. Raises `ConfigError`."""
    from mjsdk.errors import ConfigError, Mistake, shortened

    try:
        forward, left, yaw_rate = (float(part) for part in text.split(","))
    except ValueError:
        message = f"'{shortened(text)}' is not a command. Give forward m/s, left m/s and yaw rate rad/s: 0.8,0,0"
        raise ConfigError([Mistake("--command", message)]) from None
    command = Command(forward, left, yaw_rate)
    if not all(abs(value) <= LARGEST for value in command.values):
        message = f"'{shortened(text)}' is not a command: each number must be from {-LARGEST:g} to {LARGEST:g}"
        raise ConfigError([Mistake("--command", message)])
    return command
