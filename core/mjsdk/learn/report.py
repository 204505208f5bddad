"""What one iteration tells, and who listens."""

from __future__ import annotations

import logging
from typing import Any, Protocol

import attrs

from mjsdk.errors import said

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Report:
    """One iteration."""

    iteration: int
    """Iterations done, this one included."""
    last_iteration: int
    """Where the training will end."""
    timesteps: int
    """Transitions since the training began, in all worlds."""
    values: dict[str, float]
    """Losses, rewards, metrics by name: the same whenever the same training is run on the same machine."""
    times: dict[str, float]
    """Wall times [s] and rates by name, without the `time/` that files put before them."""

    def row(self) -> dict[str, Any]:
        """Everything on one line; what depends on the clock is below `time/`."""
        times = {f"time/{name}": value for name, value in self.times.items()}
        return {"iteration": self.iteration, "timesteps": self.timesteps, **self.values, **times}


class Watcher(Protocol):
    """Is called with every iteration, before its checkpoint is written. As a base class it does nothing."""

    def iteration(self, report: Report) -> None:
        """Take in an iteration."""

    def close(self) -> None:
        """The training has ended, well or not."""
        return


class Dispensable:
    """A watcher that a training can do without: once it fails, it is left out with a warning."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._failed = False

    def iteration(self, report: Report) -> None:
        """Take in an iteration."""
        self._do("iteration", report)

    def note(self, text: str) -> None:
        """Say something between the iterations."""
        self._do("note", text)

    def close(self) -> None:
        """The training has ended, well or not."""
        self._do("close")

    def _do(self, what: str, *given: Any) -> None:
        if self._failed and what != "close":
            return
        try:
            getattr(self._watcher, what)(*given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: nothing that only looks on may end a training
            if not self._failed:
                name = type(self._watcher).__name__
                _log.warning("the training continues without %s, which failed: %s", name, said(error))
            self._failed = True
