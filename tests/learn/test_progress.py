import io
import math

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mjsdk.learn.progress import Left, LiveView, PlainView, duration, line, number, sparkline
from mjsdk.learn.report import Report

VALUES = {
    "train/mean_reward": 12.5,
    "train/mean_episode_length_s": 3.25,
    "metrics/lin_vel_error": 0.5,
    "reward/upright": 0.75,
    "termination/fell": 0.25,
    "policy/mean_std": 0.5,
    "loss/value": 0.01,
}
TIMES = {
    "total_s": 60.0,
    "iteration_s": 2.0,
    "physics_s": 1.0,
    "environment_s": 0.4,
    "learning_s": 0.6,
    "steps_per_s": 6144.0,
}


def report(iteration=10, values=VALUES):
    return Report(iteration=iteration, last_iteration=20, timesteps=1000, values=values, times=TIMES)


def test_a_line_has_what_people_watch():
    assert line(report(), Left(20.0, False, 0.5)) == (
        "iteration 10/20  eta 0:00:20  6,144 steps/s (physics 50%, environment 20%, learning 30%)  reward 12.500  "
        "episode 3.250 s  lin_vel_error 0.500  falls -"
    )


def test_what_is_not_known_yet_is_left_out():
    assert "reward" not in line(report(values={}), Left(0.0, False, 0.5))


def test_the_remaining_time_is_the_shorter_of_iterations_and_deadline():
    lines = []
    PlainView(lines.append).iteration(report())
    PlainView(lines.append, deadline=0.0).iteration(report())
    assert "iteration 10/20  eta 0:00:20" in lines[0]
    assert "iteration 10  left 0:00:00" in lines[1]


def test_falls_say_of_how_many_episodes_and_nothing_where_none_ended():
    left = Left(0.0, False, 0.5)
    ended = {"metrics/fall_rate": 0.25, "train/episodes": 8.0}
    assert line(report(values=ended), left).endswith("falls 25% of 8 ended episodes")
    screen = io.StringIO()
    view = LiveView(Console(file=screen, force_terminal=True, width=160, height=50), "run")
    view.iteration(report(9, ended))
    view.iteration(report(10, {}))
    view.close()
    (last,) = [row for row in screen.getvalue().splitlines() if "falls, share of ended episodes" in row][-1:]
    assert "-" in last.replace("\u2500", "")
    assert "0.250" not in last


def test_the_live_view_is_never_taller_than_the_terminal():
    values = {f"reward/term_{i}": 1.0 for i in range(30)}
    for height in (8, 10, 15, 40):
        console = Console(file=io.StringIO(), force_terminal=True, width=80, height=height)
        view = LiveView(console, "run")
        view.iteration(report(10, values))
        assert len(console.render_lines(view._live.get_renderable())) < height
        view.close()


def test_the_live_view_shows_every_value_and_notes():
    screen = io.StringIO()
    view = LiveView(Console(file=screen, force_terminal=True, width=160), "logs/some/run")
    view.iteration(report(9))
    view.iteration(report(10))
    view.note("SIGINT: finishing")
    view.close()
    shown = screen.getvalue()
    for text in ("logs/some/run", "lin_vel_error", "upright", "fell", "mean_std", "physics", "6,144 steps/s", "SIGINT"):
        assert text in shown


@given(st.floats(0, 1e7))
def test_durations_are_hours_minutes_seconds(seconds):
    hours, minutes, rest = map(int, duration(seconds).split(":"))
    assert abs(hours * 3600 + minutes * 60 + rest - seconds) <= 0.5
    assert minutes < 60
    assert rest < 60


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_shown(value):
    assert number(value)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_trend_has_one_sign_per_value(values):
    assert len(sparkline(values)) == len(values)


def test_a_trend_survives_numbers_that_are_not_finite():
    assert len(sparkline([1.0, math.nan, 2.0, math.inf])) == 4
