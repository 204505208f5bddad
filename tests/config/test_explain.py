from __future__ import annotations

import json

import pytest

from mjsdk.config import Config, schema
from mjsdk.config.computed import COMPUTED
from mjsdk.config.explain import Entry, catalogue, find
from mjsdk.config.settings import compose
from mjsdk.errors import ConfigError


@pytest.fixture(scope="module")
def items():
    return catalogue()


@pytest.fixture(scope="module")
def composed_items(session):
    composed = compose(session)
    return catalogue(composed.config, composed.origins, session.terms())


def test_every_setting_has_a_meaning_and_a_sound_default(items):
    for item in items:
        if not isinstance(item, Entry):
            continue
        assert item.setting.meaning, item.path
        if item.setting.choices and item.default is not None:
            assert item.default in item.setting.choices, item.path
        if item.setting.recommended:
            assert item.setting.recommended[0] <= item.setting.recommended[1], item.path


def test_every_setting_is_in_the_catalogue(items):
    paths = {item.path for item in items}
    assert {leaf.path for leaf in schema.leaves(Config())} <= paths
    assert "env.rewards.<name>.weight" in paths
    assert "env.observations.<name>.terms.<name>.noise.scale" in paths


def test_a_full_path_is_one_setting(items):
    found = find(items, "env.scene.num_envs", composed=False)
    assert found.is_leaf
    assert found.entries[0].as_json() == {
        "path": "env.scene.num_envs",
        "value": 512,
        "default": 512,
        "unit": "",
        "meaning": "Parallel worlds.",
        "range": [64, 8192],
        "advice": found.entries[0].setting.advice,
        "origin": "default",
        "choices": None,
    }


@pytest.mark.parametrize("path", ["learning_rate", "algorithm.learning-rate", "agent.algorithm.learning_rate"])
def test_the_end_of_a_path_will_do(items, path):
    assert find(items, path, composed=False).path == "agent.algorithm.learning_rate"


def test_the_end_of_a_section_will_do(items):
    found = find(items, "algorithm", composed=False)
    assert found.path == "agent.algorithm"
    assert len(found.entries) == 13


def test_several_matches_are_all_shown(items):
    found = find(items, "hidden_dims", composed=False)
    assert [entry.path for entry in found.entries] == ["agent.actor.hidden_dims", "agent.critic.hidden_dims"]


def test_any_name_fits_an_entry_of_a_manager(items):
    found = find(items, "env.rewards.action_rate.weight", composed=False)
    assert found.is_leaf
    assert found.entries[0].path == "env.rewards.<name>.weight"


def test_an_unknown_path_tells_the_nearest(items):
    with pytest.raises(ConfigError, match=r"did you mean 'agent\.algorithm\.learning_rate'\?"):
        find(items, "lerning_rate", composed=False)


def test_composed_settings_tell_value_default_and_origin(composed_items):
    (entry,) = find(composed_items, "upright.params.std", composed=True).entries
    assert entry.as_json() == {
        "path": "env.rewards.upright.params.std",
        "value": 0.3,
        "default": None,
        "unit": "rad",
        "meaning": "Width of the kernel.",
        "range": [0.1, 0.5],
        "advice": "Narrower is stricter.",
        "origin": "robot stick",
        "choices": None,
    }


def test_parameters_that_nobody_gave_show_their_default(composed_items):
    (entry,) = find(composed_items, "upright.params.gentle", composed=True).entries
    assert (entry.value, entry.default, entry.origin) == (False, False, "default")


def test_computed_quantities_follow_the_settings(session):
    composed = compose(session, overrides=[("env.scene.num_envs", 100), ("agent.num_steps_per_env", 10)])
    items = catalogue(composed.config, composed.origins, session.terms())
    values = {entry.path: entry.value for entry in find(items, "computed", composed=True).entries}
    assert values["computed.transitions_per_iteration"] == 1000
    assert values["computed.mini_batch_size"] == 250
    assert values["computed.control_rate"] == 50.0
    assert values["computed.physics_steps_per_iteration"] == 2000
    assert values["computed.experience_per_iteration"] == 20.0


def test_computed_quantities_depend_on_settings_that_exist():
    paths = {leaf.path for leaf in schema.leaves(Config())}
    assert {given for quantity in COMPUTED for given in quantity.inputs} <= paths


def test_everything_is_valid_json(items, composed_items):
    for entry in [*find(items, "", composed=False).entries, *find(composed_items, "", composed=True).entries]:
        json.dumps(entry.as_json(), allow_nan=False)


NAMES = """
agent.actor agent.critic: hidden_dims activation obs_normalization class_name
agent.actor: init_noise_std noise_std_type
agent.algorithm: num_learning_epochs num_mini_batches learning_rate schedule gamma lam entropy_coef desired_kl
agent.algorithm: max_grad_norm value_loss_coef use_clipped_value_loss clip_param normalize_advantage_per_mini_batch
agent: seed num_steps_per_env max_iterations save_interval experiment_name run_name logger wandb_project resume
agent: load_run load_checkpoint clip_actions
env: scene.num_envs decimation episode_length_s sim.timestep sim.iterations sim.ls_iterations viewer.distance
train: device physics video video_length video_interval log_root
"""


def test_settings_have_the_names_that_people_search_for(items):
    paths = {item.path for item in items}
    for line in NAMES.strip().splitlines():
        sections, _, names = line.partition(": ")
        assert {f"{section}.{name}" for section in sections.split() for name in names.split()} <= paths
