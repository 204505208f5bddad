"""What makes many steps in a row run evenly."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mjsdk.threads import available_threads

_MOST_THREADS = 8
"""More threads than this do not speed up networks of the usual size."""


def network_threads(device: str) -> int:
    """Threads of torch for each of the two networks, which are trained at the same time."""
    return max(1, min(available_threads(), _MOST_THREADS) // 2) if device == "cpu" else 1


@contextmanager
def steady(device: str) -> Iterator[None]:
    """Run a training's loop: few threads of torch, and a garbage collector that leaves alone what is there already.

    The small operations of a step cost more on two threads than on one. The collector would look again and again at the
    hundred thousand objects that imports have made.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(network_threads(device))
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
