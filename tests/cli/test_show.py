"""`mjsdk show robot` and `mjsdk show task`."""

from __future__ import annotations

import json

import pytest

from mjsdk.cli import main
from mjsdk.testing.worlds import TESTBOT

PLAIN = "MJSDK_API = 1\n"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(args)
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def test_a_robot_is_shown_with_its_joints_motors_roles_and_collisions(site, capsys):
    site.robot()
    code, out, err = run(capsys, "show", "robot", "myarm")
    assert (code, err) == (0, "")
    for text in ("an arm [of one joint]", "from my-robot 1.0 (my_robot_myarm)", "1 joint,", "tip (default)", "[rad]"):
        assert text in out
    (row,) = [line.split() for line in out.splitlines() if "bend" in line]
    assert row == ["bend", "-1", "..", "1", "10", "1", "4", "0.01", "0.1"]


def test_the_json_of_a_robot_is_complete(site, capsys):
    site.robot()
    facts = json.loads(run(capsys, "show", "robot", "my-robot:myarm", "--json")[1])
    assert facts["dof"] == 1
    assert facts["joints"] == [
        {
            "name": "bend",
            "range": [-1.0, 1.0],
            "actuator": {
                "kp": 10.0,
                "kd": 1.0,
                "effort_limit": 4.0,
                "armature": 0.01,
                "velocity_limit": None,
                "frictionloss": 0.0,
                "action_scale": 0.1,
            },
        }
    ]
    assert facts["roles"] == {"base": {"bodies": ["base"]}, "tip": {"bodies": ["tip"]}}
    assert list(facts["collisions"]) == ["tip", "all"]
    assert facts["hooks"] == ["mjsdk_load_spec", "mjsdk_robot"]
    assert {key: facts[key] for key in ("kind", "name", "dist", "version", "api")} == {
        "kind": "robot",
        "name": "myarm",
        "dist": "my-robot",
        "version": "1.0",
        "api": 1,
    }


OVERFULL = """
@mjsdk.hookimpl(specname="mjsdk_load_spec", tryfirst=True)
def load(robot):
    bend = '<joint name="bend" range="-1 1" frictionloss=".2"/><joint axis="1 0 0"/>'
    motors = '<actuator><motor joint="bend"/><motor name="m" joint="bend"/></actuator>'
    text = XML.replace('<joint name="bend" range="-1 1"/>', bend).replace("</mujoco>", motors + "</mujoco>")
    floor = '<geom name="floor" type="plane" size="1 1 1"/>'
    return mujoco.MjSpec.from_string(text.replace("<worldbody>", "<worldbody>" + floor))
"""


def test_what_a_robots_model_lost_is_shown_with_what_is_left(site, capsys):
    site.robot(more=OVERFULL)
    code, out, err = run(capsys, "show", "robot", "myarm")
    assert code == 0
    assert "removed in its model: actuators (2), planes and height fields (floor)" in out
    assert "named in its model: hinges, slides and balls without a name (tip_joint1)" in out
    assert "warning: robot 'myarm'" in err
    facts = json.loads(run(capsys, "show", "robot", "myarm", "--json")[1])
    assert facts["model"][0] == {"what": "actuators", "fate": "removed", "names": ["", "m"]}
    assert facts["joints"][0]["actuator"]["frictionloss"] == 0.2


def test_a_local_file_is_shown_like_a_package(site, capsys, monkeypatch):
    site.robot()
    path = site.file("my_robot.py", (site.path / "my_robot_myarm.py").read_text())
    monkeypatch.chdir(path.parent)
    code, out, _ = run(capsys, "show", "robot", "./my_robot.py")
    assert code == 0
    assert f"from {path.resolve()}" in out.replace("\n", "")


def test_a_task_is_shown_without_importing_any_robot(site, capsys):
    site.robot("import os; os._exit(7)", name="a-rude-one", dist="rude")
    site.task()
    code, out, err = run(capsys, "show", "task", "reach")
    assert (code, err) == (0, "")
    assert "for a robot with every part (--robot NAME: for that one)" in out
    for text in ("touch things", "to touch with", "reach:near", "weight 2", "std=0.5", "50 Hz"):
        assert text in out
    assert json.loads(run(capsys, "show", "task", "reach", "--json")[1])["robot"] is None


def test_a_task_can_be_shown_for_a_chosen_robot(site, capsys):
    site.robot()
    site.task()
    facts = json.loads(run(capsys, "show", "task", "reach", "--robot", "myarm", "--json")[1])
    assert facts["robot"] == "myarm"
    assert facts["requires"] == [{"role": "tip", "part": "bodies", "at_least": 1, "why": "to touch with"}]
    assert facts["rewards"]["near"] == {"func": "reach:near", "params": {"std": 0.5}, "weight": 2.0}
    assert facts["observations"] == {}


JUDGED = """
import mjsdk
from mjsdk.config import EnvConfig, TerminationTermConfig
from mjsdk.task import EvaluationConfig, TaskConfig
MJSDK_API = 1

@mjsdk.hookimpl
def mjsdk_task(robot):
    fell = TerminationTermConfig(func="bad_orientation", params={"limit_angle": 0.5})
    return TaskConfig(name="stand", env=EnvConfig(), evaluation=EvaluationConfig(terminations={"tilted": fell}))
"""


def test_a_task_shows_what_its_evaluations_count_as_failing(site, capsys):
    site.robot()
    site.task()
    site.task(JUDGED, name="stand", dist="judged")
    assert json.loads(run(capsys, "show", "task", "reach", "--json")[1])["evaluation"] is None
    _, out, _ = run(capsys, "show", "task", "stand")
    (row,) = [line.split() for line in out.splitlines() if "tilted" in line]
    assert row == ["tilted", "bad_orientation", "failure,", "limit_angle=0.5"]


PICKY = """
import mjsdk
MJSDK_API = 1
@mjsdk.hookimpl
def mjsdk_task(robot): return robot.tolerances["walking"]
"""


def test_a_task_that_needs_numbers_of_a_robot_says_which_ones_could_be_named(site, capsys):
    site.robot(PLAIN)
    site.task(PICKY)
    code, _, err = run(capsys, "show", "task", "reach")
    assert code == 2
    assert "mjsdk_task raised KeyError: 'walking'" in err
    assert "This was without a robot: name one by --robot, such as my-robot:myarm" in err


BROKEN = """
import mjsdk
MJSDK_API = 1
@mjsdk.hookimpl
def mjsdk_adapt(config): config.env.rewards["near"] = None
"""


def test_a_task_with_settings_that_are_none_is_blamed(site, capsys):
    site.robot()
    site.task(more=BROKEN)
    code, _, err = run(capsys, "show", "task", "reach", "--robot", "myarm")
    assert code == 2
    assert "env.rewards.near: takes a section with func, params, weight, not null" in err
    assert "This comes from the hook mjsdk_adapt of task reach" in err


def test_a_broken_task_is_blamed_itself(site, capsys):
    site.robot()
    site.task("1 / 0")
    code, _, err = run(capsys, "show", "task", "reach")
    assert code == 2
    assert err.startswith("error: task 'reach' (my-task 1.0, module my_task_reach) failed to import: ZeroDivisionError")


def test_an_unknown_robot_is_one_message_without_a_traceback(site, capsys):
    site.robot()
    code, out, err = run(capsys, "show", "robot", "myram")
    assert (code, out) == (2, "")
    assert err.startswith("error: no robot 'myram', did you mean 'myarm'?\n")
    assert "Traceback" not in err


def test_the_name_alone_says_what_to_write(site, capsys):
    site.robot()
    code, _, err = run(capsys, "show", "myarm")
    assert code == 2
    assert "did you mean `mjsdk show robot myarm`? Legal: robot NAME, task NAME" in err


def test_piped_tables_honour_columns_and_end_without_spaces(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    _, out, _ = run(capsys, "show", "robot", TESTBOT)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 70
    assert lines == [line.rstrip() for line in lines]
