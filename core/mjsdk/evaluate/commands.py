"""The commands that policies are compared with."""

from __future__ import annotations

import attrs

from mjsdk.errors import ConfigError, Mistake, shortened

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
    def label(self) -> str:
        """Such as `forward 0.5, turn left 0.5`."""
        words = (("forward", "backward"), ("left", "right"), ("turn left", "turn right"))
        ways = zip(words, self.values, strict=True)
        return ", ".join(f"{pair[value < 0]} {abs(value):g}" for pair, value in ways if value) or "stand"


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
