"""Learning: rsl_rl's PPO on mjsdk's environments, and what a training leaves behind."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mjsdk.learn.policy import Policy, load_policy
    from mjsdk.learn.trainer import Trainer

__all__ = ["Policy", "Trainer", "load_policy"]

_WHERE = {"Policy": "policy", "Trainer": "trainer", "load_policy": "policy"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: rsl_rl takes seconds to import, and not all parts of this package need it."""
    if name not in _WHERE:
        raise AttributeError(f"module 'mjsdk.learn' has no attribute '{name}'")
    return getattr(importlib.import_module(f"mjsdk.learn.{_WHERE[name]}"), name)
