"""Some of the worlds, and numbers for them."""

from __future__ import annotations

import torch
from torch import Tensor


class Worlds:
    """Worlds that something happens to: those whose episodes begin, whose time for a push has come.

    A term draws or computes `rows`, one per world, and writes them; it need not know how many there are:

        rows = worlds.uniform(-1.0, 1.0, 3)
        worlds.write(target, rows)

    On a CPU there is a row for each of these worlds. On a GPU, where asking how many there are means waiting for it,
    there is one for every world, and those of other worlds are not written.
    """

    def __init__(
        self, count: int, generator: torch.Generator, *, mask: Tensor | None = None, ids: Tensor | None = None
    ) -> None:
        """By a mask, bool, shape (E,), or by numbers, shape (n,), where these are known; of `count` worlds in all."""
        self._count, self._generator = count, generator
        self._mask, self._ids = mask, ids
        self._by_ids = ids is not None
        self.rows = count if ids is None else ids.shape[0]
        """How many rows belong to these worlds: n or E."""

    @property
    def mask(self) -> Tensor:
        """Which worlds they are, bool, shape (E,)."""
        if self._mask is None:
            mask = torch.zeros(self._count, dtype=torch.bool, device=self.ids.device)
            self._mask = mask.index_fill_(0, self.ids, True)
        return self._mask

    @property
    def ids(self) -> Tensor:
        """Their numbers, shape (n,). On a GPU this waits for the device: use `mask`, `write` and `fill` in steps."""
        if self._ids is None:
            self._ids = self.mask.nonzero().squeeze(1)
        return self._ids

    @property
    def known_empty(self) -> bool:
        """Whether there is none of them; false where that is not known without asking the device."""
        return not self.rows

    def without(self, others: Tensor) -> Worlds:
        """Those of them that are not among others, bool, shape (E,)."""
        if others.dtype is not torch.bool or others.shape != (self._count,):
            raise ValueError(f"`without` takes a bool for each of {self._count} worlds, not {_kind(others)}")
        if self._by_ids:
            return Worlds(self._count, self._generator, ids=self.ids[others.index_select(0, self.ids).logical_not_()])
        return Worlds(self._count, self._generator, mask=self.mask & ~others)

    def rand(self, *shape: int) -> Tensor:
        """Random numbers from 0 to 1 from the environment's generator, shape (rows, *shape)."""
        return torch.rand(self.rows, *shape, generator=self._generator, device=self._generator.device)

    def uniform(self, low: float | Tensor, high: float | Tensor, *shape: int) -> Tensor:
        """Random numbers between `low` and `high`, both numbers or tensors of `shape`, shape (rows, *shape)."""
        if isinstance(low, Tensor) and isinstance(high, Tensor):
            return torch.lerp(low, high, self.rand(*shape))
        return self.rand(*shape).mul_(high - low).add_(low)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Random whole numbers from `low` to `high`, both included, shape (rows, *shape)."""
        device = self._generator.device
        return torch.randint(low, high + 1, (self.rows, *shape), generator=self._generator, device=device)

    def take(self, source: Tensor) -> Tensor:
        """Their rows of `source`, shape (E, ...): shape (rows, ...)."""
        self._check(source)
        return source.index_select(0, self.ids) if self._by_ids else source

    def write(self, target: Tensor, rows: Tensor, columns: Tensor | None = None) -> None:
        """Copy rows, shape (rows, ...) or one for all of them, to their places in `target`, shape (E, ...).

        With `columns`, shape (k,), the rows, shape (rows, k, ...), are copied to these columns only.
        """
        self._check(target)
        if columns is not None:
            part = target.index_select(1, columns)
            self.write(part, rows)
            target.index_copy_(1, columns, part)
        elif self._by_ids:
            if rows.dtype is not target.dtype or rows.shape != (self.rows, *target.shape[1:]):
                rows = rows.to(target.dtype).expand(self.rows, *target.shape[1:])
            target.index_copy_(0, self.ids, rows)
        else:
            torch.where(self._mask_of(target), rows.to(target.dtype), target, out=target)

    def fill(self, target: Tensor, value: float) -> None:
        """Set their rows of `target`, shape (E, ...), to a number."""
        self._check(target)
        if self._by_ids:
            target.index_fill_(0, self.ids, value)
        else:
            target.masked_fill_(self._mask_of(target), value)

    def _check(self, tensor: Tensor) -> None:
        """Refuse a tensor without a row for each world: by numbers, some would do, and be wrong."""
        if tensor.shape[0] != self._count:  # `len` takes ten times as long
            raise ValueError(f"it must be a tensor with a row for each of {self._count} worlds, not {_kind(tensor)}")

    def _mask_of(self, target: Tensor) -> Tensor:
        return self.mask.view(-1, *[1] * (target.ndim - 1))


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
