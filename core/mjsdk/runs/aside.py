"""What a training leaves behind that goes back to an older checkpoint: moved aside, so that newest is last trained."""

from __future__ import annotations

import itertools
import logging
import re
import time
from contextlib import suppress

from mjsdk.errors import listing
from mjsdk.files import storing, write_atomically
from mjsdk.runs.files import MOST_LINES, open_regular, parse_row
from mjsdk.runs.run import METRICS, Run, iteration_of, new_folder

ABANDONED = "abandoned"
"""Folder in a run that holds a folder for each time that the training went back."""

_VIDEO = re.compile(r"iteration_(\d+)\..*")
_log = logging.getLogger(__name__)


def leave_behind(run: Run, after: int) -> None:
    """Move checkpoints, videos and lines of metrics beyond an iteration to a folder of their own, and name them.

    The checkpoints move from the lowest to the highest: until the last has moved, the newest is still what was trained
    last, and from then on it is the one that the training goes back to. Whenever a process is killed, that holds.
    """
    gone = [path for path in run.checkpoints() if iteration_of(path) > after]
    videos = [
        path for path in run.path.glob("videos/*") if (found := _VIDEO.fullmatch(path.name)) and int(found[1]) > after
    ]
    kept, beyond = _lines(run, after)
    if not (gone or videos or beyond):
        return
    with storing(str(run.path / ABANDONED)):
        folder = new_folder(run.path / ABANDONED / time.strftime("%Y-%m-%d_%H-%M-%S"))
        for path in [*gone, *videos]:
            path.rename(folder / path.name)
    if beyond:
        write_atomically(folder / METRICS, b"".join(beyond))
        write_atomically(run.path / METRICS, b"".join(kept))
    if gone:
        _log.warning(
            "the training goes back to iteration %d; what was trained beyond it is moved to %s: %s",
            after,
            folder,
            listing(path.name for path in gone),
        )


def _lines(run: Run, after: int) -> tuple[list[bytes], list[bytes]]:
    """Lines of the metrics up to an iteration, and those beyond it; one that is damaged is not known to be beyond."""
    lines: list[bytes] = []
    with suppress(FileNotFoundError), open_regular(run.path / METRICS, MOST_LINES) as file:
        lines = file.readlines()
    beyond = [(row := parse_row(line)) is not None and row.get("iteration", 0) > after for line in lines]
    kept = [line for line, gone in zip(lines, beyond, strict=True) if not gone]
    return kept, list(itertools.compress(lines, beyond))
