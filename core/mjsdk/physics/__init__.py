"""Backends that step all worlds."""

from mjsdk.physics.protocol import Physics
from mjsdk.physics.select import make_physics, resolve, resolve_device, resolve_physics

__all__ = ["Physics", "make_physics", "resolve", "resolve_device", "resolve_physics"]
