"""Terms that every task can use; each module lists its own as `TERMS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def core_terms(kind: str) -> Mapping[str, Any]:
    """The core's own terms of a kind, by name, as `open_session` takes them. Importing them takes torch."""
    from mjsdk.mdp import actions, clock, commands, curriculum, events, metrics, observations, rewards, terminations

    return {
        "observation": observations.TERMS,
        "reward": rewards.TERMS,
        "termination": terminations.TERMS,
        "event": events.TERMS,
        "command": {**commands.TERMS, **clock.TERMS},
        "action": actions.TERMS,
        "curriculum": curriculum.TERMS,
        "metric": metrics.TERMS,
    }[kind]
