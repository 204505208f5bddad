from __future__ import annotations

import attrs
import pytest
import torch

from mjsdk.config import EventTermConfig
from mjsdk.errors import ConfigError
from mjsdk.robot import CollisionRule
from mjsdk.scene import robot_alone
from mjsdk.testing.worlds import small_env


def adding(name, **settings):
    return lambda config: config.env.events.update({name: EventTermConfig(**settings)})


def zeros(env):
    return torch.zeros(env.num_envs, env.num_actions)


def test_intervals_fall_between_their_bounds():
    env = small_env(
        64, edit=adding("push", func="push_in_random_direction", mode="interval", interval_range_s=[0.1, 0.2])
    )
    times = []
    for i in range(1, 12):
        before = env.robot.root_lin_vel_w.clone()
        env.events.interval(0.02)
        times += [i * 0.02] * int(((env.robot.root_lin_vel_w - before).norm(dim=1) > 0.1).sum())
    assert len(times) >= 64
    assert min(times) >= 0.1 - 1e-6


def test_an_interval_without_its_range_is_an_error():
    with pytest.raises(ConfigError, match="env.events.push.interval_range_s"):
        small_env(edit=adding("push", func="push_in_random_direction", mode="interval"))


def test_friction_is_drawn_once_per_world_and_shared_by_its_feet():
    env = small_env(
        32,
        edit=adding(
            "friction",
            func="randomize_friction",
            mode="startup",
            params={"geoms": "@feet", "friction_range": [0.2, 0.9]},
        ),
    )
    friction = env.physics.expand("geom_friction")
    feet = [env.model.geom(name).id for name in env.roles["feet"].geoms]
    drawn = friction[:, feet, 0]
    assert torch.equal(drawn[:, 0], drawn[:, 1])
    assert 0.2 <= float(drawn.min()) < 0.35
    assert 0.75 < float(drawn.max()) <= 0.9
    assert torch.equal(friction[:, env.model.geom("floor").id, 0], torch.ones(32))


def test_added_mass_is_simulated_and_does_not_accumulate():
    env = small_env(8, edit=adding("mass", func="randomize_mass", params={"bodies": "trunk", "mass_range": [1.0, 1.0]}))
    env.reset()
    env.reset()
    trunk = env.model.body("trunk").id
    assert torch.allclose(env.physics.expand("body_mass")[:, trunk], torch.full((8,), 3.0))


def test_an_encoder_bias_shows_in_readings_and_is_undone_by_targets():
    def edit(config):
        adding("bias", func="randomize_encoder_bias", mode="startup", params={"bias_range": [0.05, 0.05]})(config)
        config.env.observations["actor"].terms["joint_pos_rel"].params["biased"] = True

    env = small_env(edit=edit)
    where = env.observation_slices["actor"]["joint_pos_rel"]
    relative = env.robot.joint_pos - env.robot.default_joint_pos
    assert torch.allclose(env.get_observations()["actor"][:, where], relative + 0.05, atol=1e-6)
    env.step(zeros(env))
    assert torch.allclose(env.actions.controls, env.robot.default_joint_pos - 0.05)


def test_joints_begin_inside_their_soft_limits():
    env = small_env(64, edit=lambda c: c.env.events["reset_joints"].params.update(position_range=[-5.0, 5.0]))
    limits = env.robot.soft_joint_pos_limits
    assert (env.robot.joint_pos >= limits[:, 0] - 1e-5).all()
    assert (env.robot.joint_pos <= limits[:, 1] + 1e-5).all()


@pytest.mark.parametrize("mode", ["startup", "reset", "interval"])
def test_a_range_that_leaves_no_mass_is_an_error_before_anything_moves(mode):
    params = {"bodies": ["trunk", ".*_leg"], "mass_range": [-1.0, 0.0]}
    edit = adding("load", func="randomize_mass", mode=mode, interval_range_s=[1.0, 1.0], params=params)
    with pytest.raises(ConfigError, match=r"mass_range: body 'left_leg' weighs 0.5 kg; -1 kg more leave nothing"):
        small_env(edit=edit)


@pytest.mark.parametrize(
    ("func", "params", "wrong"),
    [
        (
            "randomize_friction",
            {"geoms": "@feet", "friction_range": [-0.1, 1.0]},
            "friction_range: .*from 0 on",
        ),
        ("randomize_friction", {"geoms": "@feet", "friction_range": [1.0, 0.5]}, "friction_range"),
        ("randomize_mass", {"bodies": "trunk", "mass_range": [0.0, float("nan")]}, "mass_range"),
        ("randomize_com", {"bodies": "trunk", "x": [0.1, -0.1], "y": [0, 0], "z": [0, 0]}, "randomize_com: x"),
        ("randomize_encoder_bias", {"bias_range": [0.0]}, "bias_range"),
        (
            "reset_root_state_uniform",
            {"pose_range": {"jaw": [0, 1]}, "velocity_range": {}},
            "no axis jaw. Legal: x, y",
        ),
    ],
)
def test_ranges_that_cannot_be_are_errors_that_name_them(func, params, wrong):
    with pytest.raises(ConfigError, match=wrong):
        small_env(edit=adding("odd", func=func, params=params))


def warnings_of_friction(caplog, least=0.4):
    def edit(config):
        adding("odd", func="randomize_friction", params={"geoms": "@feet", "friction_range": [least, 1.2]})(config)

    small_env(edit=edit)
    return [record.message for record in caplog.records]


def test_friction_that_the_geoms_rule_decides_does_not_warn(caplog):
    assert warnings_of_friction(caplog) == []


def test_friction_that_the_ground_overrules_warns_once(caplog, monkeypatch):
    ground = CollisionRule(geoms=".*_foot_geom", priority=0)
    monkeypatch.setattr("mjsdk.scene.build.robot_alone", with_rule(ground))
    (warning,) = warnings_of_friction(caplog)
    assert "less than the ground's friction of 1 has no effect on 2 geoms, such as 'left_foot_geom'" in warning
    caplog.clear()
    assert warnings_of_friction(caplog, least=1.0) == []


def test_friction_of_what_does_not_collide_warns(crowd, caplog):
    params = {"geoms": "crate", "friction_range": [0.4, 1.2]}
    small_env(robot=crowd, edit=adding("odd", func="randomize_friction", params=params))
    assert [record.message for record in caplog.records] == ["randomize_friction has no effect: none of crate collides"]


def with_rule(rule):
    """A way to the robot's spec that has another rule for its preset."""

    def build(session, collisions):
        session.__dict__["_robot"] = attrs.evolve(session.robot(), collisions={"feet": (rule,)})
        return robot_alone(session, collisions)

    return build
