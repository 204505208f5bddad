from __future__ import annotations

import pytest
import torch

from mjsdk.env.mirror import AXIAL, POLAR, Reflection, partner
from mjsdk.errors import ConfigError
from mjsdk.mdp.clock import GaitClockConfig
from mjsdk.testing.worlds import small_env


def mirrored(config):
    config.env.commands["gait"] = GaitClockConfig(func="gait_clock", frequency=1.0)
    config.env.mirror_clock = "gait"


def images(env, reflection, values):
    return values[:, list(reflection.sources)] * torch.tensor(reflection.signs)


def test_joined_reflections_keep_to_their_own_numbers():
    joined = Reflection.joined([POLAR, Reflection((1, 0), (1.0, -1.0)), AXIAL])
    assert joined.sources == (0, 1, 2, 4, 3, 5, 6, 7)
    assert joined.signs == (1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0)


@pytest.mark.parametrize(("name", "other"), [("left_hip", "right_hip"), ("right_hip", "left_hip"), ("waist", "waist")])
def test_partners_follow_from_the_robots_pairs(name, other):
    assert partner(name, {"left": "right"}, ["left_hip", "right_hip", "waist"]) == other


def test_the_networks_see_the_mirrored_world_in_the_second_half_of_the_cycle():
    env = small_env(64, edit=mirrored)
    env.commands.terms["gait"].phase.copy_(torch.linspace(0.0, 0.99, 64))
    env.observations.compute()
    obs = env.observations.snapshot()["actor"]
    gravity, y = env.robot.projected_gravity_b, env.observation_slices["actor"]["projected_gravity"]
    flipped = env.commands.terms["gait"].phase >= 0.5
    assert torch.equal(obs[~flipped, y], gravity[~flipped])
    assert torch.equal(obs[flipped, y], gravity[flipped] * torch.tensor([1.0, -1.0, 1.0]))


def test_what_the_policy_says_about_a_mirrored_world_is_mirrored_back():
    env = small_env(64, edit=mirrored)
    env.commands.terms["gait"].phase.copy_(torch.linspace(0.0, 0.99, 64))
    env.observations.compute()
    flipped = env.mirror.active.squeeze(1).clone()
    env.step(torch.tensor([1.0, 2.0]).expand(64, 2))
    assert (env.actions.action[~flipped] == torch.tensor([1.0, 2.0])).all()
    assert (env.actions.action[flipped] == torch.tensor([2.0, 1.0])).all()


def test_mirroring_twice_gives_the_world_itself():
    env = small_env(edit=mirrored)
    reflection = env.actions.reflection(env.mirror)
    values = torch.randn(4, env.num_actions)
    assert torch.equal(images(env, reflection, images(env, reflection, values)), values)


def test_a_term_that_does_not_say_how_it_looks_in_the_mirror_is_an_error():
    from mjsdk.mdp import observations

    def unknown(env):
        return env.robot.joint_pos

    def edit(config):
        mirrored(config)
        config.env.observations["actor"].terms["joint_vel"].func = "unknown"

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ConfigError, match=r"mjsdk.env.reflects"):
        patch.setitem(observations.TERMS, "unknown", unknown)
        small_env(edit=edit)


def test_a_mirror_needs_a_clock():
    with pytest.raises(ConfigError, match="'gait' is no command with a phase"):
        small_env(edit=lambda c: setattr(c.env, "mirror_clock", "gait"))
