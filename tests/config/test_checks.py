from __future__ import annotations

import math

import pytest

from mjsdk.config.checks import check
from mjsdk.config.overrides import parse_flags
from mjsdk.config.settings import compose
from mjsdk.config.termchecks import resolve_parameters
from mjsdk.errors import ConfigError
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session
from mjsdk.robot.selection import Joints, ModelNames, PerJoint


def mistakes(session, *args):
    with pytest.raises(ConfigError) as caught:
        compose(session, overrides=parse_flags(args))
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def warnings(session, *args):
    return compose(session, overrides=parse_flags(args)).warnings


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--env.scene.num-envs", "0", "must be at least 1, not 0"),
        ("--agent.algorithm.gamma", "1.5", "must be at most 1, not 1.5"),
        ("--env.sim.timestep", "0", "must be greater than 0, not 0"),
        ("--env.sim.timestep", ".nan", "is not a number (nan)"),
        ("--agent.actor.hidden-dims", "64,0", "must be greater than 0, not 0"),
        ("--agent.actor.hidden-dims", "[]", "needs at least one layer"),
        ("--agent.actor.class-name", "lstn", "no choice 'lstn', did you mean 'lstm'?"),
        ("--env.commands.go.ranges.speed", "1,-1", "the smallest value comes first"),
        ("--env.commands.go.resampling-time-range", "1,2,3", "takes the smallest and the largest value"),
        ("--env.commands.go.resampling-time-range", "0,1", "must be greater than 0, not 0"),
        ("--agent.actor.noise-std-range", "1,0.1", "the smallest value comes first"),
        ("--agent.load-run", "(", "'(' is not a regular expression"),
        ("--train.device", "gpu", "no device 'gpu'. Legal: auto, cpu, cuda"),
        ("--train.physics", "wrap", "no choice 'wrap', did you mean 'warp'? Legal: auto, cpu, warp"),
        ("--agent.algorithm.num-mini-batches", "9000", "need at least as many samples"),
        ("--env.observations.actor.terms.gyro.delay-min-lag", "2", "is more than delay_max_lag (0)"),
        ("--env.events.push.interval-range-s", "null", "must be given for mode=interval"),
        ("--env.scene.pose", "bnt", "robot 'stick' has no 'bnt', did you mean 'bent'?"),
        ("--env.scene.collisions", "ful", "did you mean 'full'?"),
    ],
)
def test_what_cannot_work_is_a_mistake(session, flag, value, message):
    found = mistakes(session, flag, value)
    assert message in found[flag.removeprefix("--").replace("-", "_")]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("env.rewards.upright.func", "stand:uprigt", "no reward term 'stand:uprigt', did you mean 'stand:upright'?"),
        ("env.rewards.upright.params.stdd", "0.1", "takes no parameter 'stdd', did you mean 'std'?"),
        ("env.rewards.upright.params.std", "wide", "takes a number, not 'wide'"),
        ("env.rewards.upright.params.gentle", "1", "takes true or false, not 1"),
        ("env.rewards.upright.params.joints", "none.*", "'none.*' matches no joints"),
        ("env.rewards.upright.params.joints", "3", "takes text or a list of texts, not 3"),
        ("env.rewards.upright.params.tolerance", "{knee: 1.0}", "'knee' matches no joints"),
        ("env.events.push.params.bodies", "@bass", "no role 'bass', did you mean 'base'?"),
        ("env.events.push.params.bodies", "@imu", "role 'imu' has no bodies"),
        ("env.events.push.params.bodies", "(", "is not a regular expression"),
        ("env.events.push.params.speed", "[a, b]", "takes a number, not 'a'"),
        ("env.observations.actor.terms.gyro.params.sensor", "imi", "there is no sensor 'imi', did you mean 'imu'?"),
        ("env.scene.sensors.imu.on", "@feet", "role 'feet' has no sites"),
        ("env.actions.joint_pos.scale", "{none_such: 1}", "'none_such' matches no joints"),
    ],
)
def test_what_a_term_cannot_take_is_a_mistake(session, path, value, message):
    found = mistakes(session, f"--{path}", value)
    assert message in next(text for place, text in found.items() if place.startswith(path))


def test_a_parameter_that_must_be_given_is_missed(session):
    found = mistakes(session, "--env.events.shove.func", "stand:shove")
    assert found["env.events.shove.params.speed"] == "must be given: 'stand:shove' needs it"
    assert "env.events.shove.params.bodies" in found


def test_mini_batches_divide_the_worlds_of_a_recurrent_network(session):
    found = mistakes(session, "--agent.actor.class-name", "lstm", "--agent.algorithm.num-mini-batches", "7")
    message = found["agent.algorithm.num_mini_batches"]
    assert "must divide env.scene.num_envs (512)" in message
    assert "Legal: 1, 2, 4, 8" in message


def test_mini_batches_of_a_plain_network_need_not_divide(session):
    assert warnings(session, "--agent.algorithm.num-mini-batches", "7") == []


def test_a_value_outside_its_recommended_range_warns_with_advice(session):
    (warning,) = warnings(session, "--agent.algorithm.learning-rate", "0.5")
    assert warning.startswith("agent.algorithm.learning_rate: 0.5 is outside of the recommended range 1e-05 to 0.005.")
    assert "Halve it" in warning


def test_parameters_of_terms_warn_by_their_docstrings(session):
    (warning,) = warnings(session, "--env.rewards.upright.params.std", "0.9")
    assert warning == (
        "env.rewards.upright.params.std: 0.9 is outside of the recommended range 0.1 to 0.5 rad. Narrower is stricter."
    )


def test_settings_of_commands_warn_too(session):
    (warning,) = warnings(session, "--env.commands.go.ranges.speed", "0,9")
    assert "env.commands.go.ranges.speed: [0.0, 9.0]" in warning
    assert "-3 to 3 m/s. Widen it late." in warning


def test_values_of_maps_are_held_against_the_range(session):
    (warning,) = warnings(session, "--env.actions.joint_pos.scale", '{".*": 9}')
    assert "outside of the recommended range 0.05 to 1 rad" in warning


def test_a_reference_to_a_command_that_is_not_there_is_a_mistake(session):
    found = mistakes(
        session, "--env.rewards.track.func", "track_linear_velocity", "--env.rewards.track.params.command", "goo"
    )
    assert found["env.rewards.track.params.command"] == "there is no command 'goo', did you mean 'go'? Legal: go"


def test_the_annotation_says_what_is_a_reference_and_not_the_name(session):
    near = ("--env.rewards.near.func", "stand:near")
    assert warnings(session, *near) == warnings(session, *near, "--env.rewards.near.params.command", "goo") == []
    found = mistakes(session, *near, "--env.rewards.near.params.goal", "goo", "--env.commands.go.after", "goo")
    assert found["env.rewards.near.params.goal"] == "there is no command 'goo', did you mean 'go'? Legal: go"
    assert found["env.commands.go.after"] == "there is no command 'goo', did you mean 'go'? Legal: go"


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--agent.actor.hidden-dims", "[99999999]", "must be at most 65536"),
        ("--env.sim.timestep", "0.2", "must be at most 0.1"),
        ("--env.sim.tolerance", "1e400", "must be finite, not inf"),
        ("--env.viewer.distance", ".inf", "must be finite, not inf"),
        ("--env.rewards.upright.params.std", ".inf", "must be finite, not inf"),
        ("--env.episode-length-s", "0.001", "must be at least one control step"),
        ("--train.log-root", "", "must name a folder"),
        ("--env.scene.num-envs", "[" * 5000, "takes a whole number"),
    ],
)
def test_absurd_values_are_mistakes(session, flag, value, message):
    assert message in mistakes(session, flag, value)[flag.removeprefix("--").replace("-", "_")]


def test_a_bound_that_is_infinite_is_none(session):
    assert warnings(session, "--env.observations.actor.terms.gyro.clip", "[-.inf, 1]") == []


def test_a_flag_whose_value_is_missing_says_so(session):
    found = mistakes(session, "--env.scene.num-envs", "--env.episode-length-s")
    assert "takes a whole number; its value is missing" in found["env.scene.num_envs"]
    assert "takes a number; its value is missing" in found["env.episode_length_s"]
    assert "from" not in found["env.scene.num_envs"]


def test_a_flag_given_twice_warns_which_value_counts(session):
    found = warnings(session, "--env.scene.num-envs", "128", "--env.scene.num-envs", "256")
    assert found == ["env.scene.num_envs is given more than once: 256 counts, not 128"]
    assert warnings(session, "--env.scene.num-envs", "128", "--env.scene.num-envs", "128") == []


def test_an_empty_name_among_presets_is_a_mistake(session):
    with pytest.raises(ConfigError, match="an empty name in 'cpu,,gpu'"):
        compose(session, preset="cpu,,gpu")


def test_recurrent_networks_with_a_mirror_clock_warn(session, terms):
    config = compose(session, overrides=parse_flags(["--agent.actor.class-name", "gru"])).config
    assert not any("mirror_clock" in text for text in check(config, terms).warnings)
    config.env.mirror_clock = "go"
    assert any("the hidden state of a recurrent network (gru)" in text for text in check(config, terms).warnings)


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--env.sim.gravity", "[0, -9.81]", "takes 3 values, not 2"),
        ("--env.sim.gravity", "[0, 0, 0, -9.81]", "takes 3 values, not 4"),
        ("--env.episode-length-s", "1e308", "must be at most 1e+06"),
        ("--env.sim.timestep", "1e-300", "must be at least 1e-05"),
        ("--env.decimation", "1000000000000", "must be at most 10000"),
        ("--agent.actor.hidden-dims", "65536,65536", "makes 4,294,967,296 weights, more than 100,000,000"),
        ("--env.rewards.upright.weight", "1e300", "must be at most 1e+12"),
        ("--env.rewards.upright.params.joints", "[]", "an empty list names no joints"),
        ("--env.rewards.upright.params.joints", "(k+)+$", "repeats a repetition, which may take forever"),
        ("--env.rewards.upright.params.joints", "(" * 2000 + ")" * 2000, "is not a regular expression"),
        ("--agent.load-run", "a{99999999999}", "is not a regular expression"),
        ("--agent.run-name", "a\x1b[1mb", "takes text that can be printed"),
    ],
)
def test_what_would_crash_or_hang_later_is_a_mistake_now(session, flag, value, message):
    assert message in mistakes(session, flag, value)[flag.removeprefix("--").replace("-", "_")]


@pytest.mark.parametrize("name", ["", "a b\n", "x" * 101])
def test_names_of_entries_can_be_printed(session, name):
    config = compose(session).config
    config.env.rewards[name] = config.env.rewards["upright"]
    found = check(config, session.terms(), robot=session.robot()).mistakes
    assert [mistake.path for mistake in found] == [f"env.rewards.{name}"]


def test_a_bound_that_is_none_may_be_infinite(session):
    config = compose(session, overrides=[("env.observations.actor.terms.gyro.clip", [-math.inf, 5.0])]).config
    assert config.env.observations["actor"].terms["gyro"].clip == [-math.inf, 5.0]


@pytest.mark.parametrize("setting", ["commands.go.after", "commands.go.func", "rewards.upright.func"])
def test_what_is_read_once_cannot_be_changed_by_a_curriculum(session, setting):
    params = f"{{setting: {setting}, start: 0.0, first_step: 0, last_step: 1}}"
    found = mistakes(session, "--env.curriculum.later.func", "ramp", "--env.curriculum.later.params", params)
    assert found["env.curriculum.later.params.setting"].startswith(f"there is no setting '{setting}'")
    assert found["env.curriculum.later.params.setting"].endswith("It is a path below env.")


def test_a_term_is_called_with_the_parts_that_its_parameters_name(session, terms):
    names = ModelNames(joints=("hip", "knee"), bodies=(), sites=(), geoms=())
    given = {"std": 0.2, "joints": "k.*", "tolerance": {"hip": 1.0, ".*": 0.5}}
    upright = terms.get("reward", "stand:upright")
    values, wrong = resolve_parameters("env.rewards.u", "upright", upright, given, names, session.robot().roles)
    assert (values["joints"], values["tolerance"]) == (Joints(("knee",), (1,)), PerJoint((1.0, 0.5)))
    assert (values["std"], values["gentle"], wrong) == (0.2, False, [])
    _, wrong = resolve_parameters("env.rewards.u", "upright", upright, {"stdd": 1.0}, names, session.robot().roles)
    assert [mistake.path.removeprefix("env.rewards.u.params.") for mistake in wrong] == ["stdd", "std", "joints"]


def test_a_docstring_with_the_earlier_words_is_one_warning_that_names_the_term(tmp_path, parts):
    extra = tmp_path / "old.py"
    extra.write_text((parts / "my_extra.py").read_text().replace("Recommended:", "Sane:"))
    old = open_session(str(parts / "stick.py"), str(parts / "stand.py"), [str(extra)], core=core_terms)
    (warning,) = warnings(old, "--env.rewards.jump.func", "old:jump", "--env.rewards.jump.params.height", "50")
    assert warning == "the docstring of term old:jump is not understood: write 'Recommended:' for 'Sane:'"
