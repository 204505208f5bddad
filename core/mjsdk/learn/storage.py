"""The rollout, with mini-batches that are gathered once per update instead of once per epoch."""

from __future__ import annotations

from collections.abc import Generator

from mjsdk.learn.rsl import RolloutStorage


class Rollout(RolloutStorage):
    """rsl_rl's storage of one rollout.

    rsl_rl draws one permutation for all epochs of an update, so that every epoch sees the same mini-batches: they are
    copied out of the rollout once and seen again. The numbers are those of rsl_rl, the time is not.
    """

    def mini_batch_generator(
        self, num_mini_batches: int, num_epochs: int = 8
    ) -> Generator[RolloutStorage.Batch, None, None]:
        """Mini-batches of shuffled transitions, `num_epochs` times the same ones in the same order."""
        batches = list(super().mini_batch_generator(num_mini_batches, 1))
        for _ in range(num_epochs):
            yield from map(_fresh, batches)


def _fresh(batch: RolloutStorage.Batch) -> RolloutStorage.Batch:
    """A shallow copy: the update replaces fields of a batch, such as advantages that it normalises once more."""
    copy = RolloutStorage.Batch()
    copy.__dict__.update(batch.__dict__)
    return copy
