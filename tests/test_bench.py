from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mjsdk.bench import steps as bench
from mjsdk.env import make_env

PARTS = Path(__file__).parent / "evaluate" / "parts"


@pytest.fixture(scope="module")
def env():
    from mjsdk.config.settings import compose
    from mjsdk.mdp import core_terms
    from mjsdk.plugins import open_session

    session = open_session(str(PARTS / "glider.py"), str(PARTS / "glide.py"), core=core_terms)
    config = compose(session, overrides=[("env.scene.num_envs", 4), ("env.episode_length_s", 0.1)]).config
    return make_env(config, session, device="cpu")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_block_that_is_noted_is_the_block_that_was_timed(env):
    """Episodes of 0.1 s end within the block, so that resets are part of it."""
    actions = bench._actions(env, 12, torch.Generator().manual_seed(0))
    before = env.state_dict()
    bench._run(env, actions)
    after = env.state_dict()
    env.load_state_dict(before)
    with bench._Recording(env.physics):
        bench._run(env, actions)
    assert same(env.state_dict(), after)


def test_the_physics_alone_goes_the_same_way_as_in_the_environment(env):
    actions = bench._actions(env, 3, torch.Generator().manual_seed(0))
    env.reset()
    with bench._Recording(env.physics) as recording:
        bench._run(env, actions)
    qpos = env.physics.bind("qpos").clone()
    assert len(recording._calls) == 3
    assert recording.replay() > 0
    torch.testing.assert_close(env.physics.bind("qpos"), qpos, rtol=0, atol=0)


def test_after_noting_the_physics_is_as_it_was(env):
    with bench._Recording(env.physics):
        pass
    assert "step" not in vars(env.physics)
