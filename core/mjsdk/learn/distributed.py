"""The processes of one training, as torchrun starts them. Each has worlds of its own; rank 0 speaks and writes for all.

They stay together by exchanging things: gradients, statistics, what was logged, whether to go on. All of them have to
do so at the same places, in the same order, and from the thread that trains.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from mjsdk.errors import LostRank, Mistake, MjsdkError, listing, one_line, refuse, said
from mjsdk.runtime import Place, place, take_own_gpu

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

PATIENCE = timedelta(minutes=10)
"""How long a process waits for the others. One that dies is noticed at once; this is for one that hangs."""
_APART = 1_000_003
"""Difference between the seeds of neighbouring ranks: far more than between those that people choose."""
_SEEDS = 2**32
_SOURCE = re.compile(r"^\[[^]]*\]\s*")
"""What gloo begins its errors with: a line of its own code."""


class Ranks:
    """All processes of a training, seen from one of them. One that is alone exchanges nothing."""

    def __init__(self, here: Place = Place(0, 1, 0, 1)) -> None:  # noqa: B008 - it cannot be changed
        self.rank, self.size, self.local_size = here.rank, here.size, here.local_size

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which speaks and writes for all."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.size == 1

    def seed(self, seed: int) -> int:
        """The seed of this process: `(seed + 1000003 rank) mod 2^32`, which for rank 0 is that of the training."""
        return (seed + _APART * self.rank) % _SEEDS

    # Exchanging

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, plain data, in their order."""
        if self.alone:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        with self.exchanging():
            dist.all_gather_object(values, value)
        return values

    def gather_to_first(self, value: T) -> list[T]:
        """The values of all ranks for rank 0, nothing for the others."""
        if self.alone:
            return [value]
        import torch.distributed as dist

        values: list[Any] | None = [None] * self.size if self.leads else None
        with self.exchanging():
            dist.gather_object(value, values)
        return values or []

    def first(self, value: T) -> T:
        """What rank 0 has, plain data, for all."""
        if self.alone:
            return value
        import torch.distributed as dist

        values = [value]
        with self.exchanging():
            dist.broadcast_object_list(values)
        return values[0]

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Copy the tensors of rank 0 into those of all."""
        if self.alone:
            return
        import torch.distributed as dist

        with self.exchanging():
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over all ranks, in one exchange."""
        if self.alone:
            return
        import torch
        import torch.distributed as dist

        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self.exchanging():
            dist.all_reduce(flat)
        parts = flat.div_(self.size).split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        """Around what waits for the others. Raises `LostRank` once one of them does not answer any more."""
        try:
            yield
        except RuntimeError as error:
            if self.alone:
                raise
            why = one_line(_SOURCE.sub("", str(error)).partition(". ")[0])
            raise LostRank(
                f"another process of this training is lost, and all end with it: it has failed, was killed, or did not "
                f"answer for {PATIENCE.seconds // 60} minutes ({why}). What it said before tells more."
            ) from error

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """End all ranks if the block fails in one of them; exactly one says why. Nothing is exchanged in the block."""
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            if self.alone:
                raise
            failure = error
        if self.alone:
            return
        failures = self.gather(None if failure is None else _told(failure))
        if any(failures):
            self._end(failures, failure)

    def _end(self, failures: Sequence[str | None], failure: Exception | None) -> None:
        if failure is not None and (self.leads or not (isinstance(failure, MjsdkError) or failures[0])):
            raise failure
        if not self.leads:
            raise SystemExit(2)
        raise LostRank(next(f"rank {rank}: {told}" for rank, told in enumerate(failures) if told))

    def lead(self, action: Callable[[], T]) -> T:
        """Let rank 0 do something, for all of them: they get what it returns, plain data."""
        made: Any = None
        with self.agreed():
            if self.leads:
                made = action()
        return self.first(made)


ALONE = Ranks()
"""The one process of an ordinary training."""


def _told(error: Exception) -> str:
    if isinstance(error, MjsdkError):
        return str(error)
    return f"{said(error)}. This is a bug, or a plugin's; its lines are above"


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes of this training, if torchrun has started this one: `ALONE` else. Only rank 0 prints, and errors.

    Args:
        device: The device that was asked for. On GPUs each process sees only its own.
    """
    here = place()
    if here is None:
        yield ALONE
        return
    take_own_gpu(here, device)
    ranks = Ranks(here)
    with ExitStack() as undo:
        undo.enter_context(_outliving() if ranks.leads else _silent())
        try:
            _connect(ranks, device)
            yield ranks
        except MjsdkError as error:
            raise error if ranks.leads else MjsdkError(f"rank {ranks.rank}: {error}") from error
        import torch.distributed as dist

        dist.destroy_process_group()


def _connect(ranks: Ranks, device: str) -> None:
    import torch
    import torch.distributed as dist

    gpus = 0 if device == "cpu" else torch.cuda.device_count()
    try:
        # Tensors of the CPU, and all that is not a tensor, go by gloo.
        dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise LostRank(f"the processes of this training do not find each other: {one_line(str(error))}") from error
    counts = ranks.gather(gpus)
    with ranks.agreed():
        check_gpus(counts)


def check_gpus(counts: Sequence[int]) -> None:
    """Raise `ConfigError` if some ranks see a GPU and others none."""
    lacking = [str(rank) for rank, count in enumerate(counts) if not count]
    if lacking and any(counts):
        wrong = (
            f"there is no GPU for rank {listing(lacking)}: more processes were started on a machine than it has GPUs, "
            "and each needs its own. Start as many as there are, or give --device cpu"
        )
        refuse([Mistake("--device", wrong)])


@contextmanager
def _outliving() -> Iterator[None]:
    """Do not die of SIGTERM, which torchrun sends once another rank has ended, before having said and saved all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    yield
    signal.signal(signal.SIGTERM, before)  # after an error it is still to be said


@contextmanager
def _silent() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):  # noqa: PTH123
        yield
