from __future__ import annotations

import itertools

import pytest
import torch

from mjsdk.env.derived import Derived
from mjsdk.testing.worlds import small_env


def test_it_is_computed_once_until_the_state_changes():
    derived, count = Derived(), itertools.count()
    assert [derived.get("a", lambda: next(count)) for _ in range(3)] == [0, 0, 0]
    assert derived.get("b", lambda: next(count)) == 1
    derived.state_changed()
    assert derived.get("a", lambda: next(count)) == 2


def test_what_follows_from_commands_is_forgotten_with_them_and_with_the_state():
    derived, count = Derived(), itertools.count()

    def both():
        return tuple(derived.get("key", lambda: next(count), of_commands=which) for which in (False, True))

    assert (both(), both()) == ((0, 1), (0, 1))
    derived.commands_changed()
    assert both() == (0, 2)
    derived.state_changed()
    assert both() == (3, 4)


def test_what_could_not_be_computed_is_tried_again():
    derived = Derived()
    with pytest.raises(ZeroDivisionError):
        derived.get("a", lambda: 1 / 0)
    assert derived.get("a", lambda: 2) == 2


def zeros(env):
    return torch.zeros(env.num_envs, env.num_actions)


CHANGES = {
    "a step": lambda env: env.step(zeros(env)),
    "a reset": lambda env: env.reset(),
    "a loaded state": lambda env: env.load_state_dict(env.state_dict()),
    "the base": lambda env: env.robot.write_root(
        env.all_worlds, torch.zeros(4, 3), torch.tensor([[1.0, 0.0, 0.0, 0.0]]).expand(4, -1), *torch.ones(2, 4, 3)
    ),
    "the joints": lambda env: env.robot.write_joints(env.all_worlds, *torch.zeros(2, 4, 2)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_state_is_seen(change):
    env = small_env()
    env.derived.get("mark", lambda: "before")
    CHANGES[change](env)
    assert env.derived.get("mark", lambda: "after") == "after"


def test_the_base_is_measured_once_for_all_who_ask(monkeypatch):
    env = small_env()
    env.derived.state_changed()
    calls = []
    monkeypatch.setattr(env.robot, "_measure", lambda: calls.append(1))
    _ = env.robot.projected_gravity_b, env.robot.yaw_rate, env.robot.down_b
    assert calls == [1]
