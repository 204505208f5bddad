"""Which physics runs where."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import logging
import os
import re
import sys
import warnings

import mujoco

from mjsdk.errors import PhysicsError, listing, one_line, shortened
from mjsdk.physics.protocol import Physics

PHYSICS = ("cpu", "warp")
"""Names of the physics."""
_log = logging.getLogger(__name__)


def resolve(device: str, physics: str = "auto", *, here: bool = True) -> tuple[str, str]:
    """Device and physics for settings in which either may be `auto`: `resolve_device`, then `resolve_physics`.

    Unless it must be `here`, a device that is named need not be there: for those who only want to know the settings.
    """
    where = resolve_device(device) if here or device == "auto" else device
    return where, resolve_physics(physics, where)


def resolve_device(device: str) -> str:
    """`cpu` or `cuda:N` for `auto`, `cpu`, `cuda`, `cuda:N`. Raises `PhysicsError` for what is not there.

    `auto` is the first CUDA device that torch and Warp can use, `cuda` is `cuda:0`.
    """
    if device == "auto":
        return _first_device()
    if device == "cpu":
        return device
    if not re.fullmatch(r"cuda(:\d{1,4})?", device):
        legal = "Legal: auto, cpu, cuda, cuda:N (N counts GPUs from 0)"
        raise PhysicsError(f"unknown device '{shortened(device)}'. {legal}")
    there, why = _cuda_devices()
    index = int(device.partition(":")[2] or 0)
    if index >= len(there):
        found = listing(f"cuda:{i} ({name})" for i, name in enumerate(there))
        way = "one of these" if there else "--device cpu"
        raise PhysicsError(f"there is no device '{device}': {why or f'there is {found}'}. Use {way}.")
    return f"cuda:{index}"


def resolve_physics(physics: str, device: str) -> str:
    """`cpu` or `warp` for `auto`, `cpu`, `warp` on a resolved device: `auto` is Warp on CUDA, native MuJoCo on a CPU.

    Raises `PhysicsError` for one that cannot be there.
    """
    on_cuda = device.startswith("cuda")
    if physics == "auto":
        return "warp" if on_cuda else "cpu"
    if physics not in PHYSICS:
        raise PhysicsError(f"unknown physics '{shortened(physics)}'. Legal: auto, {listing(PHYSICS)}")
    if physics == "cpu" and on_cuda:
        raise PhysicsError(
            f"the physics 'cpu' keeps its worlds in the memory of the CPU, not on {device}. "
            "Use --physics warp on that device, or --device cpu."
        )
    return physics


def make_physics(
    model: mujoco.MjModel, num_envs: int, device: str, threads: int = 0, *, physics: str = "auto"
) -> Physics:
    """All worlds of `model` on a device, as `resolve_device` gave it, stepped by one of `PHYSICS`."""
    if resolve_physics(physics, device) == "cpu":
        from mjsdk.physics.cpu import CpuPhysics

        return CpuPhysics(model, num_envs, threads)
    from mjsdk.physics.warp import WarpPhysics

    if device == "cpu":
        _warn_once("the physics 'warp' on a CPU is for testing: it is about five times slower than --physics cpu")
    return WarpPhysics(model, num_envs, device)


_warn_once = functools.cache(functools.partial(_log.warning, "%s"))


def _first_device() -> str:
    """What `auto` is. torch, which takes seconds to import, is asked only where there may be something to use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not _has_driver():
        return "cpu"
    there, why = _cuda_devices()
    if not there:
        _warn_once(f"this machine has an NVIDIA driver, but the CPU is used: {why}")
    return "cuda:0" if there else "cpu"


def _has_driver() -> bool:
    """Whether there is an NVIDIA driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _cuda_devices() -> tuple[list[str], str]:
    """Names of the CUDA devices that torch and Warp can use; why there is none, if there is none."""
    import torch

    if torch.version.cuda is None:
        return [], f"this torch ({torch.__version__}) is built without CUDA; install one that is built with it"
    if importlib.util.find_spec("mujoco_warp") is None:
        return [], "mujoco-warp is not installed. Run: pip install mujoco-warp"
    with warnings.catch_warnings(record=True) as said:  # of a driver that is too old
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        return [torch.cuda.get_device_name(i) for i in range(count)], ""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    limit = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is '{visible}')"
    return [], f"torch finds no CUDA device{limit}{''.join(f'; {one_line(str(each.message))}' for each in said[:1])}"
