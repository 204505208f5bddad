"""What follows from the state, computed when someone asks."""

from __future__ import annotations

from mjsdk.kernels import Call


class Derived:
    """Something that is computed anew when it is asked for after the state has changed."""

    def __init__(self, compute: Call, from_commands: bool = False) -> None:
        self._compute = compute
        self.stale = True
        """Whether what it follows from has changed since it was computed."""
        self.from_commands = from_commands
        """Whether it follows from the commands too."""

    def update(self) -> None:
        """Compute it, unless it is up to date."""
        if self.stale:
            self.stale = False
            self._compute()
