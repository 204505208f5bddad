from __future__ import annotations

import pytest
import torch

from mjsdk.config import NoiseConfig, ObservationTermConfig
from mjsdk.errors import ConfigError
from mjsdk.testing.worlds import small_env


def with_term(**settings):
    """A configuration whose actor sees the joint velocities only, with the given settings."""

    def edit(config):
        group = config.env.observations["actor"]
        group.terms = {"joint_vel": ObservationTermConfig(func="joint_vel", **settings)}
        group.enable_corruption = True

    return edit


def step(env, size=0.5):
    return env.step(torch.randn(env.num_envs, env.num_actions, generator=torch.Generator().manual_seed(0)) * size)[0][
        "actor"
    ]


def test_slices_say_where_each_term_stands():
    env = small_env()
    slices = env.observation_slices["actor"]
    assert slices["projected_gravity"] == slice(0, 3)
    assert torch.equal(env.get_observations()["actor"][:, slices["projected_gravity"]], env.robot.projected_gravity_b)
    assert slices["last_action"].stop == env.observation_dims["actor"]


def test_noise_stays_inside_its_width_and_is_new_at_every_step():
    env = small_env(64, edit=with_term(noise=NoiseConfig(scale=0.3)))
    errors = [step(env) - env.robot.joint_vel for _ in range(5)]
    assert torch.stack(errors).abs().max() <= 0.3 + 1e-5
    assert torch.stack(errors).abs().max() > 0.25
    assert not torch.equal(errors[0], errors[1])


def test_gaussian_noise_has_its_standard_deviation():
    env = small_env(512, edit=with_term(noise=NoiseConfig(type="gaussian", scale=0.3)))
    assert float((step(env) - env.robot.joint_vel).std()) == pytest.approx(0.3, rel=0.1)


def test_without_corruption_there_is_no_noise():
    def edit(config):
        with_term(noise=NoiseConfig(scale=0.3), delay_max_lag=2)(config)
        config.env.observations["actor"].enable_corruption = False

    env = small_env(edit=edit)
    assert torch.equal(step(env), env.robot.joint_vel)


def test_clipping_comes_before_scaling():
    env = small_env(edit=with_term(clip=[-0.1, 0.1], scale=3.0))
    obs = step(env, 5.0)
    assert torch.allclose(obs, env.robot.joint_vel.clamp(-0.1, 0.1) * 3.0)


def test_history_is_oldest_first_and_begins_filled_with_the_first_frame():
    env = small_env(edit=with_term(history_length=3))
    first = env.get_observations()["actor"].unflatten(1, (3, 2))
    assert torch.equal(first[:, 0], first[:, 2])
    frames = [env.robot.joint_vel.clone()]
    for _ in range(4):
        obs = step(env)
        frames.append(env.robot.joint_vel.clone())
    assert torch.equal(obs.unflatten(1, (3, 2)), torch.stack(frames[-3:], 1))


def test_a_fixed_delay_shows_an_older_frame():
    env = small_env(edit=with_term(delay_min_lag=2, delay_max_lag=2))
    frames = [env.robot.joint_vel.clone()]
    for _ in range(5):
        obs = step(env)
        frames.append(env.robot.joint_vel.clone())
    assert torch.equal(obs, frames[-3])


def test_a_world_that_begins_anew_sees_nothing_of_its_past():
    env = small_env(edit=with_term(history_length=4))
    for _ in range(5):
        step(env)
    obs = env.reset()["actor"].unflatten(1, (4, 2))
    assert torch.equal(obs[:, 0], obs[:, 3])


def test_one_scale_per_element_must_fit_the_term():
    env = small_env(edit=with_term(scale=[1.0, 2.0]))
    assert torch.allclose(step(env), env.robot.joint_vel * torch.tensor([1.0, 2.0]))
    with pytest.raises(ConfigError, match="has 3 numbers for 2 elements"):
        small_env(edit=with_term(scale=[1.0, 2.0, 3.0]))
