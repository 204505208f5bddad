"""The parts of rsl_rl that mjsdk uses, imported so that nothing else comes along.

rsl_rl imports GitPython, which fails without a `git` binary by default, and every optional logger that is
installed. Import its classes from here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OPTIONAL = ("wandb", "neptune")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Make modules that were not imported yet look as if they were not installed."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
with _hidden(_OPTIONAL):
    from rsl_rl.algorithms import PPO
    from rsl_rl.models import MLPModel, RNNModel
    from rsl_rl.storage import RolloutStorage

__all__ = ["PPO", "MLPModel", "RNNModel", "RolloutStorage"]
