"""Backends that step all worlds."""

from mjsdk.physics.protocol import Physics
from mjsdk.physics.select import make_physics, resolve_device

__all__ = ["Physics", "make_physics", "resolve_device"]
