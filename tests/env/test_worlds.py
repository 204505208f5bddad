"""Some of the worlds, by numbers and by a mask: both do the same to the same worlds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk import ops
from mjsdk.env import Worlds
from mjsdk.testing.worlds import small_env

masks = st.lists(st.booleans(), min_size=1, max_size=8).map(torch.tensor)
seeds = st.integers(0, 10**6)


def forms(mask, seed=0):
    """The worlds of a mask by numbers, and by the mask alone."""
    given_as = {"ids": mask.nonzero().squeeze(1)}, {"mask": mask.clone()}
    return [Worlds(len(mask), torch.Generator().manual_seed(seed), **form) for form in given_as]


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@given(masks)
def test_either_form_knows_the_other(mask):
    for worlds in forms(mask):
        assert torch.equal(worlds.mask, mask)
        assert torch.equal(worlds.ids, mask.nonzero().squeeze(1))


@given(masks)
def test_there_is_a_row_per_world_that_is_known_or_one_for_each(mask):
    by_ids, by_mask = forms(mask)
    assert (by_ids.rows, by_mask.rows) == (int(mask.sum()), len(mask))
    assert (by_ids.known_empty, by_mask.known_empty) == (not mask.any(), False)


@given(masks, seeds, st.sampled_from([(), (3,), (2, 3)]), st.sampled_from([torch.float32, torch.long, torch.float64]))
def test_rows_are_written_to_the_chosen_worlds_and_no_others(mask, seed, shape, dtype):
    target, rows = (100.0 * normal(seed + i, len(mask), *shape) for i in range(2))
    wanted = target.to(dtype)
    wanted[mask] = rows[mask].to(dtype)
    for worlds in forms(mask):
        given_to = target.to(dtype)
        worlds.write(given_to, worlds.take(rows))
        assert torch.equal(given_to, wanted)


@given(masks, seeds)
def test_one_row_is_for_all_of_them(mask, seed):
    target, row = normal(seed, len(mask), 3), normal(seed + 1, 3)
    wanted = torch.where(mask.unsqueeze(1), row, target)
    for worlds in forms(mask):
        changed = target.clone()
        worlds.write(changed, row)
        assert torch.equal(changed, wanted)


@given(masks, seeds, st.permutations(range(5)), st.integers(1, 5), st.booleans())
def test_only_the_given_columns_are_written(mask, seed, order, count, deep):
    tail, columns = ((2,) if deep else ()), torch.tensor(order[:count])
    target, rows = normal(seed, len(mask), 5, *tail), normal(seed + 1, len(mask), count, *tail)
    wanted = target.clone()
    wanted[:, columns] = torch.where(mask.view(-1, *[1] * (1 + deep)), rows, wanted[:, columns])
    for worlds in forms(mask):
        changed = target.clone()
        worlds.write(changed, worlds.take(rows), columns)
        assert torch.equal(changed, wanted)


@given(masks, seeds)
def test_a_view_of_columns_can_be_written(mask, seed):
    target, rows = normal(seed, len(mask), 5), normal(seed + 1, len(mask), 2)
    wanted = target.clone()
    wanted[mask, 1:3] = rows[mask]
    for worlds in forms(mask):
        changed = target.clone()
        worlds.write(changed[:, 1:3], worlds.take(rows))
        assert torch.equal(changed, wanted)


@given(masks, seeds, st.sampled_from([torch.float32, torch.bool, torch.long]))
def test_a_number_fills_the_rows_of_the_chosen_worlds(mask, seed, dtype):
    target = normal(seed, len(mask), 2).to(dtype)
    wanted = target.clone()
    wanted[mask] = 1
    for worlds in forms(mask):
        changed = target.clone()
        worlds.fill(changed, 1.0)
        assert torch.equal(changed, wanted)


@given(masks, seeds)
def test_those_that_are_not_among_others(mask, seed):
    others = normal(seed, len(mask)) > 0.0
    some = [worlds.without(others) for worlds in forms(mask)]
    assert [each.rows for each in some] == [int((mask & ~others).sum()), len(mask)]
    for each in some:
        assert torch.equal(each.mask, mask & ~others)
        assert torch.equal(each.ids, (mask & ~others).nonzero().squeeze(1))


@given(masks, seeds)
def test_random_numbers_are_between_their_bounds_one_row_for_each(mask, seed):
    low, high = torch.tensor([-1.0, 2.0]), torch.tensor([-0.5, 7.0])
    for worlds in forms(mask, seed):
        assert worlds.uniform(3.0, 4.0).shape == (worlds.rows,)
        drawn, whole = worlds.uniform(low, high, 2), worlds.integers(-1, 1, 2)
        assert drawn.shape == whole.shape == (worlds.rows, 2)
        assert ((drawn >= low) & (drawn <= high)).all()
        assert set(whole.flatten().tolist()) <= {-1, 0, 1}


@given(seeds)
def test_for_all_worlds_both_forms_draw_the_same(seed):
    by_ids, by_mask = forms(torch.ones(5, dtype=torch.bool), seed)
    for name, bounds in (("uniform", (0.0, 2.0)), ("integers", (0, 9))):
        assert torch.equal(getattr(by_ids, name)(*bounds, 3), getattr(by_mask, name)(*bounds, 3))


def test_draws_reach_both_ends_and_go_on():
    (worlds, _) = forms(torch.ones(2000, dtype=torch.bool))
    assert set(worlds.integers(1, 3).tolist()) == {1, 2, 3}
    first, second = worlds.uniform(-1.0, 1.0), worlds.uniform(-1.0, 1.0)
    assert (float(first.min()), float(first.max())) == pytest.approx((-1.0, 1.0), abs=0.01)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("loops", "rows"), [(True, 2), (False, 4)])
def test_an_environment_draws_for_them_from_its_own_generator(loops, rows, monkeypatch):
    monkeypatch.setattr(ops, "LOOPS", loops)
    env = small_env(4)
    before = env.generator.get_state()
    first = env.worlds(torch.tensor([True, False, True, False])).uniform(0.0, 1.0)
    env.generator.set_state(before)
    assert torch.equal(torch.rand(rows, generator=env.generator), first)
    assert env.worlds(None, torch.tensor([0, 2])).rows == 2
    assert env.all_worlds.ids.tolist() == [0, 1, 2, 3]


WRONG = {
    "take": lambda worlds, tensor: worlds.take(tensor),
    "write": lambda worlds, tensor: worlds.write(tensor, torch.zeros(2)),
    "fill": lambda worlds, tensor: worlds.fill(tensor, 1.0),
}


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("name", WRONG)
def test_a_tensor_of_other_worlds_is_refused_on_either_device(name, rows):
    for worlds in forms(torch.tensor([True, False, False])):
        tensor = torch.zeros(rows, 2)
        with pytest.raises(ValueError, match=rf"a row for each of 3 worlds, not float32 of shape \({rows}, 2\)"):
            WRONG[name](worlds, tensor)
        assert not tensor.any()


@pytest.mark.parametrize("others", [torch.tensor([0, 1]), torch.tensor([0, 1, 1]), torch.ones(3), torch.tensor([True])])
def test_without_takes_bools_of_all_worlds(others):
    for worlds in forms(torch.tensor([True, False, True])):
        with pytest.raises(ValueError, match="`without` takes a bool for each of 3 worlds, not "):
            worlds.without(others)
