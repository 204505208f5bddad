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
        self._prepared: dict[Hashable, Callable[[], Any]] = {}

    def get(self, key: Hashable, compute: Callable[[], T], *, of_commands: bool = False) -> T:
        """What `compute` gave since the state, or the commands if it depends on these too, changed last."""
        known = self._of_commands if of_commands else self._of_state
        if key not in known:
            known[key] = compute()
        value: T = known[key]
        return value

    def prepared(self, key: Hashable, prepare: Callable[[], Callable[[], T]], *, of_commands: bool = False) -> T:
        """Likewise with what `prepare` gives, once for all: it may look tensors up whose memory stays."""
        if key not in self._prepared:
            self._prepared[key] = prepare()
        return self.get(key, self._prepared[key], of_commands=of_commands)

    def state_changed(self) -> None:
        """Forget everything, after the state has changed in any world."""
        self._of_state.clear()
        self._of_commands.clear()

    def commands_changed(self) -> None:
        """Forget what depends on the commands."""
        self._of_commands.clear()
