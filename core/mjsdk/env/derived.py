"""What follows from the state, computed when someone asks, once until the state changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Derived:
    """Quantities that several terms read, by a key of their own. There are no other caches in an environment."""

    def __init__(self) -> None:
        self._of_state: dict[Hashable, Any] = {}
        self._of_commands: dict[Hashable, Any] = {}

    def get(self, key: Hashable, compute: Callable[[], T], *, of_commands: bool = False) -> T:
        """What `compute` gave since the state, or the commands if it depends on these too, changed last."""
        known = self._of_commands if of_commands else self._of_state
        if key not in known:
            known[key] = compute()
        value: T = known[key]
        return value

    def state_changed(self) -> None:
        """Forget everything, after the state has changed in any world."""
        self._of_state.clear()
        self._of_commands.clear()

    def commands_changed(self) -> None:
        """Forget what depends on the commands."""
        self._of_commands.clear()
