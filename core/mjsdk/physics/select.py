"""Which backend runs where."""

from __future__ import annotations

import re

import mujoco

from mjsdk.errors import PhysicsError
from mjsdk.physics.protocol import Physics


def resolve_device(device: str) -> str:
    """`cpu` or `cuda:i` for `auto`, `cpu`, `cuda`, `cuda:i`. Raises `PhysicsError` for what is not there.

    This version steps worlds on the CPU only, so `auto` is `cpu`.
    """
    if device in ("auto", "cpu"):
        return "cpu"
    if re.fullmatch(r"cuda(:\d+)?", device):
        raise PhysicsError(
            f"device '{device}' needs the GPU physics, which this version of mjsdk does not have yet. Use --device cpu."
        )
    raise PhysicsError(f"unknown device '{device}'. Legal: auto, cpu, cuda, cuda:N (N counts GPUs from 0)")


def make_physics(model: mujoco.MjModel, num_envs: int, device: str, threads: int = 0) -> Physics:
    """All worlds of `model` on the backend of `device`, as `resolve_device` gave it."""
    from mjsdk.physics.cpu import CpuPhysics

    return CpuPhysics(model, num_envs, threads)
