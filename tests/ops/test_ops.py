"""Tensor operations and compiled loops give the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mjsdk.env.worlds import Worlds
from mjsdk.ops.compiled import LoopOps
from mjsdk.ops.tensors import TensorOps

BOTH = (TensorOps(), LoopOps())
each = pytest.mark.parametrize("ops", BOTH, ids=["tensors", "loops"])
counts, seeds = st.integers(1, 9), st.integers(0, 10**6)


def random(seed):
    return torch.Generator().manual_seed(seed)


def normal(seed, *shape, size=1.0):
    return torch.randn(*shape, generator=random(seed)) * size


def switches(seed, *shape, share=0.5):
    return torch.rand(*shape, generator=random(seed)) < share


def agree(run):
    """What both implementations give by `run`, which must be the same; that of the loops."""
    tensors, loops = (run(ops) for ops in BOTH)
    torch.testing.assert_close(loops, tensors, atol=1e-5, rtol=1e-4)
    return loops


def numbers(found):
    """Numbers of worlds that an operation found, in either form."""
    mask, ids = found
    return mask.nonzero().squeeze(1) if ids is None else ids


@given(seeds, counts, st.booleans())
def test_base_motion(seed, worlds, prepared):
    quat = torch.nn.functional.normalize(normal(seed, worlds, 4), dim=1)
    pose, velocity = torch.cat((normal(seed + 1, worlds, 3), quat), 1), normal(seed + 2, worlds, 6, size=3.0)
    gravity = torch.nn.functional.normalize(normal(seed + 3, 3), dim=0)

    def run(ops):
        out = torch.full((worlds, 12), math.nan)
        if prepared:
            ops.prepared(ops.base_motion, pose, velocity, gravity, out)()
        else:
            ops.base_motion(pose, velocity, gravity, out)
        return out

    gravity_b, down, linear, horizontal, _ = agree(run).split((3, 3, 3, 2, 1), 1)
    for size, of in ((1.0, gravity_b), (1.0, down), (velocity[:, :3].norm(dim=1), linear)):
        torch.testing.assert_close(of.norm(dim=1), torch.as_tensor(size).expand(worlds), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(horizontal.norm(dim=1), velocity[:, :2].norm(dim=1), atol=1e-4, rtol=1e-4)


def test_a_base_that_turned_left_feels_the_world_turn_right():
    half = math.sqrt(0.5)
    pose = torch.tensor([[0.0, 0.0, 0.0, half, 0.0, 0.0, half]])
    velocity = torch.tensor([[1.0, 0.0, 2.0, 0.0, 0.0, 3.0]])
    gravity = torch.tensor([1.0, 0.0, 0.0])

    def run(ops):
        out = torch.empty(1, 12)
        ops.base_motion(pose, velocity, gravity, out)
        return out

    wanted = [0.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0, -1.0, 2.0, 0.0, -1.0, 3.0]
    assert agree(run)[0].tolist() == pytest.approx(wanted, abs=1e-6)


@given(seeds, counts, st.integers(1, 4))
def test_contact_loads(seed, worlds, parts):
    force = normal(seed, worlds, 2 * parts, 3)[:, ::2]

    def run(ops):
        load, touching = torch.empty(worlds, parts), torch.empty(worlds, parts, dtype=torch.bool)
        ops.contact_loads(force, 1.5, load, touching)
        return load, touching

    load, touching = agree(run)
    torch.testing.assert_close(load, force.norm(dim=-1))
    assert torch.equal(touching, load > 1.5)


@given(st.lists(st.floats(-1.0, 1.0, width=32), min_size=1, max_size=9), st.sampled_from([0.02, 0.5]))
def test_countdown(times, dt):
    def run(ops):
        left = torch.tensor(times)
        return left, numbers(ops.countdown(left, dt))

    left, expired = agree(run)
    torch.testing.assert_close(left, torch.tensor(times) - dt)
    assert expired.tolist() == (left <= 0.0).nonzero().squeeze(1).tolist()


@each
def test_a_countdown_that_is_prepared_leaves_alone_what_it_found_before(ops):
    left = torch.tensor([0.5, 2.0, 1.0])
    count = ops.prepared(ops.countdown, left)
    first, second, third = (count(dt) for dt in (0.5, 0.25, 0.75))
    assert [numbers(found).tolist() for found in (first, second, third)] == [[0], [0], [0, 2]]


@given(seeds, counts, st.integers(0, 3), st.integers(0, 3))
def test_end_episodes(seed, worlds, failures, time_outs):
    """One line per reason: failures, time-outs, and physics that blew up."""
    reasons = switches(seed, failures + time_outs + 1, worlds, share=0.3)

    def run(ops):
        terminated, truncated = torch.empty(2, worlds, dtype=torch.bool).unbind(0)
        return numbers(ops.end_episodes(reasons, failures, terminated, truncated)), terminated, truncated

    ended, terminated, truncated = agree(run)
    failed = reasons[:failures].any(0) | reasons[-1]
    assert torch.equal(terminated, failed)
    assert torch.equal(truncated, reasons.any(0) & ~failed)
    assert ended.tolist() == reasons.any(0).nonzero().squeeze(1).tolist()


@pytest.mark.parametrize("form", ["mask", "ids"])
@given(seed=seeds, count=counts)
def test_log_ends(form, seed, count):
    ended, failed, reasons = switches(seed, count), switches(seed + 1, count), switches(seed + 2, 3, count)
    now = normal(seed + 3, 4, count)
    now[0] = 1.0
    before = now.clone()
    chosen = {"mask": ended} if form == "mask" else {"ids": ended.nonzero().squeeze(1)}
    worlds = Worlds(count, random(0), **chosen)

    def run(ops):
        sums = now.clone(), torch.ones(3), torch.ones(4)
        ops.log_ends(worlds, failed, reasons, *sums)
        return sums[0][:, ended], sums[0][2:, ~ended], *sums[1:]

    begun, others, why, sums = agree(run)
    assert torch.equal(begun, torch.tensor([1.0, 0.0, 0.0, 0.0]).unsqueeze(1).expand_as(begun))
    assert torch.equal(others, before[2:, ~ended])
    assert why.tolist() == (1 + reasons[:, ended].sum(1)).tolist()
    wanted = [1.0 + ended.sum(), 1.0 + (failed & ended).sum(), *(1.0 + before[2:, ended].sum(1))]
    torch.testing.assert_close(sums, torch.tensor(wanted), atol=1e-5, rtol=1e-4)


def weighted(ops, values, weights, dt, unstable):
    """Total, count of values that are not finite, and whether one was found."""
    total, non_finite = torch.full((values.shape[1],), math.nan), torch.zeros(len(values), dtype=torch.long)
    found = ops.weighted_sum(values.clone(), weights, dt, unstable, total, non_finite)
    return total, non_finite, found


ODD = st.sampled_from([math.nan, math.inf, -math.inf])
A_NUMBER = st.floats(-1e3, 1e3, width=32)


@given(seeds, st.integers(0, 4), counts, st.sampled_from([0.02, 1.0]))
def test_a_weighted_sum_of_finite_numbers(seed, rows, worlds, dt):
    values, weights, unstable = normal(seed, rows, worlds), normal(seed + 1, rows), switches(seed + 2, worlds)
    total, non_finite = agree(lambda ops: weighted(ops, values, weights, dt, unstable)[:2])
    torch.testing.assert_close(total, (weights @ values * dt).masked_fill(unstable, 0.0), atol=1e-4, rtol=1e-4)
    assert not non_finite.any()


@given(st.lists(st.tuples(ODD | A_NUMBER, ODD | A_NUMBER, st.booleans()), min_size=1, max_size=6))
def test_a_weighted_sum_with_numbers_that_are_not_finite(columns):
    """They count as 0, and are counted where the world is stable; where it is not the sum is 0."""
    values = torch.tensor([column[:2] for column in columns], dtype=torch.float32).T.contiguous()
    weights, unstable = torch.tensor([2.0, -1.0]), torch.tensor([column[2] for column in columns])
    total, non_finite = agree(lambda ops: weighted(ops, values, weights, 0.5, unstable)[:2])
    finite = values.nan_to_num(0.0, 0.0, 0.0)
    torch.testing.assert_close(total, (finite[0] - 0.5 * finite[1]).masked_fill(unstable, 0.0))
    assert torch.equal(non_finite, (~values.isfinite() & ~unstable).sum(1))
    assert weighted(LoopOps(), values, weights, 0.5, unstable)[2] == bool(non_finite.any())


def test_tensor_operations_do_not_ask_the_device_whether_a_sum_is_finite():
    values, stable = torch.full((1, 2), math.nan), torch.zeros(2, dtype=torch.bool)
    assert weighted(TensorOps(), values, torch.ones(1), 1.0, stable)[2] is False


@given(seeds, counts, st.integers(1, 6), st.booleans())
def test_reflect(seed, worlds, width, prepared):
    sources = torch.randperm(width, generator=random(seed))
    signs, active = switches(seed, width).float() * 2.0 - 1.0, switches(seed + 1, worlds, 1)
    before = normal(seed, worlds, width)

    def run(ops):
        values = before.clone()
        if prepared:
            ops.prepared(ops.reflect, values, active, sources, signs)()
        else:
            ops.reflect(values, active, sources, signs)
        return values

    assert torch.equal(agree(run), torch.where(active, before[:, sources] * signs, before))


@given(seeds, counts)
def test_numbers_of_a_mask_where_they_cost_nothing(seed, worlds):
    mask = switches(seed, worlds)
    assert TensorOps().numbers(mask) is None
    assert torch.equal(LoopOps().numbers(mask), mask.nonzero().squeeze(1))


def noise(ops, seed=1, worlds=2000, scale=(0.0, 0.1, 2.0), state=None):
    values, generator = torch.zeros(worlds, len(scale)), random(seed)
    state = torch.tensor([seed]) if state is None else state
    ops.add_noise(values, torch.tensor(scale), state, generator)
    return values.numpy(), state


@each
def test_noise_is_uniform_and_each_column_has_its_own(ops):
    values, _ = noise(ops)
    assert not values[:, 0].any()
    for column, scale in ((1, 0.1), (2, 2.0)):
        unit = values[:, column] / scale
        assert (unit.min(), unit.max()) == pytest.approx((-1.0, 1.0), abs=0.01)
        assert unit.mean() == pytest.approx(0.0, abs=0.05)
        assert unit.var() == pytest.approx(1.0 / 3.0, abs=0.02)
        assert abs(np.corrcoef(unit[1:], unit[:-1])[0, 1]) < 0.07
    assert abs(np.corrcoef(values[:, 1], values[:, 2])[0, 1]) < 0.07


@each
def test_noise_repeats_with_its_seed(ops):
    assert np.array_equal(noise(ops, 7)[0], noise(ops, 7)[0])
    assert not np.array_equal(noise(ops, 7)[0], noise(ops, 8)[0])


def test_noise_of_a_loop_goes_on_from_its_seed():
    first, state = noise(LoopOps(), 7)
    second, _ = noise(LoopOps(), 7, state=state)
    assert not np.array_equal(first, second)


@each
def test_noise_is_added_in_place_to_some_columns_of_a_tensor(ops):
    values = torch.ones(50, 4)
    ops.add_noise(values[:, 1:3], torch.tensor([0.5, 0.1]), torch.tensor([3]), random(3))
    assert (values[:, [0, 3]] == 1.0).all()
    assert (values[:, 1:3] != 1.0).any(0).all()
    assert ((values[:, 1:3] - 1.0).abs() <= torch.tensor([0.5, 0.1]) + 1e-6).all()


def test_only_terms_with_a_version_get_one():
    from mjsdk.mdp import rewards

    assert callable(LoopOps().version_of(rewards.joint_pos_limits))
    assert LoopOps().version_of(rewards.upright) is None
    assert LoopOps().version_of(lambda env: None) is None
    assert TensorOps().version_of(rewards.joint_pos_limits) is None
