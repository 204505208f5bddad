"""The values of terms that give one number per world."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from torch import Tensor

from mjsdk.env.terms import BoundTerm

if TYPE_CHECKING:
    from mjsdk.env.env import Env
    from mjsdk.kernels import Call


class Rows:
    """A row of values for each of some terms, shape (terms, E), filled anew in every step.

    Terms that can be prepared write their row themselves; the others return a tensor, which is copied.
    """

    def __init__(self, env: Env, terms: Iterable[BoundTerm], values: Tensor) -> None:
        self._env, self._terms, self._values = env, list(terms), values
        self._forgetful = [term for term in self._terms if term.remembers]
        self.prepare()

    def prepare(self) -> None:
        """Prepare the terms, again after their parameters have changed."""
        self._calls: list[tuple[Call, BoundTerm]] = []
        self._others: list[tuple[Tensor, BoundTerm]] = []
        for row, term in zip(self._values.unbind(0), self._terms, strict=False):
            call = term.prepare(row)
            if call is None:
                self._others.append((row, term))
            else:
                self._calls.append((call, term))

    def compute(self) -> Tensor:
        """Fill the rows and give them."""
        self._env.robot.refresh()
        run(self._calls)
        for row, term in self._others:
            row.copy_(term.value(row))
        return self._values

    def rehearse(self) -> None:
        """Let the terms that are not prepared, and so have not been called yet, give a value, and forget it."""
        self._env.robot.refresh()
        for row, term in self._others:
            term.value(row)
            term.reset(self._env.all_ids)

    def reset(self, ids: Tensor) -> None:
        """Let terms forget the worlds `ids`."""
        for term in self._forgetful:
            term.reset(ids)


def run(calls: Iterable[tuple[Call, BoundTerm]]) -> None:
    """Make prepared calls. Raises `HookError` that names the term of one that raises."""
    for call, term in calls:
        try:
            call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise term.blame_kernel(error) from error
