"""What one iteration tells, and who listens."""

from __future__ import annotations

from typing import Any, Protocol

import attrs


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
    """Is told of every iteration, before its checkpoint is written."""

    def iteration(self, report: Report) -> None:
        """Take in an iteration."""

    def close(self) -> None:
        """The training has ended, well or not."""
