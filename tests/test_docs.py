"""What the documents tell people to type exists and works."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
import typer

from mjsdk.cli.app import build
from mjsdk.config.overrides import parse_flags
from mjsdk.config.settings import compose
from mjsdk.env import Env, make_env
from mjsdk.mdp import core_terms
from mjsdk.plugins import open_session

REPO = Path(__file__).parents[1]
DOCS = [
    REPO / "README.md",
    REPO / "CONTRIBUTING.md",
    *sorted((REPO / "docs").glob("*.md")),
    *sorted(REPO.glob("plugins/*/README.md")),
]
SETTINGS = ("--env.", "--agent.", "--train.")


def name(path: Path) -> str:
    return str(path.relative_to(REPO))


each_document = pytest.mark.parametrize("document", DOCS, ids=name)


def blocks(document: Path, *languages: str) -> list[str]:
    """Contents of the fenced code blocks in one of `languages`."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def commands(document: Path, program: str) -> list[list[str]]:
    """Arguments of each call of a program in the document's shell blocks, without comments."""
    lines = "\n".join(blocks(document, "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line and line[0] == program]


def files(document: Path) -> dict[str, str]:
    """Python blocks that begin with the name of a file, `# my_extra.py`, by that name."""
    named = [(re.match(r"# (\w+\.py)\n", text), text) for text in blocks(document, "python")]
    return {match[1]: text for match, text in named if match}


@each_document
def test_every_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (REPO / "Makefile").read_text(), re.MULTILINE))
    assert {word for line in commands(document, "make") for word in line if word.isalpha()} <= targets


@each_document
def test_every_command_and_option_exists(document: Path) -> None:
    known = typer.main.get_command(build()).commands
    for command, *rest in commands(document, "mjsdk"):
        legal = {flag for parameter in known[command].params for flag in parameter.opts + parameter.secondary_opts}
        flags = {word.split("=")[0] for word in rest if word.startswith("--") and not word.startswith(SETTINGS)}
        assert flags <= legal, f"mjsdk {command}: {flags - legal}"


def flag(words: list[str], option: str) -> list[str]:
    """Values of an option in a command line."""
    return [value for word, value in itertools.pairwise(words) if word == option]


def settings(words: list[str]) -> list[str]:
    """The dotted settings of a command line, with their values."""
    keep: list[str] = []
    for word in words:
        if word.startswith(SETTINGS) or (keep and keep[-1].startswith("--") and not word.startswith("--")):
            keep.append(word)
    return keep


@each_document
def test_every_setting_exists(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file, text in files(document).items():
        (tmp_path / file).write_text(text)
    for words in commands(document, "mjsdk"):
        if settings(words) and "--task" in words:
            session = open_session(
                flag(words, "--robot")[0], flag(words, "--task")[0], flag(words, "--with"), core=core_terms
            )
            compose(session, overrides=parse_flags(settings(words)))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if not re.match(r"\w+:", link):
            path, _, fragment = link.partition("#")
            target = (document.parent / path) if path else document
            assert target.exists(), link
            assert not fragment or fragment in map(
                anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            ), link


def test_the_tools_commands_are_all_in_the_readme() -> None:
    known = typer.main.get_command(build()).commands
    readme = (REPO / "README.md").read_text()
    assert [command for command in known if f"mjsdk {command}" not in readme] == []


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the plugin guide and of the README."""
    folder = tmp_path_factory.mktemp("written")
    for document in (REPO / "README.md", REPO / "docs" / "writing_a_plugin.md"):
        for file, text in files(document).items():
            (folder / file).write_text(text)
    return folder


def stepped(robot: str, task: str, flags: str = "", extra: str = "", steps: int = 3) -> Env:
    """An environment of four worlds after some steps without action."""
    session = open_session(robot, task, [extra] if extra else [], core=core_terms)
    given = parse_flags([*shlex.split(flags), "--env.scene.num-envs", "4", "--train.device", "cpu"])
    env = make_env(compose(session, overrides=given).config, session)
    for _ in range(steps):
        _, reward, *_ = env.step(torch.zeros(4, env.num_actions))
        assert reward.isfinite().all()
    return env


def test_the_readme_shows_the_reward_of_the_guide() -> None:
    assert files(REPO / "README.md")["my_extra.py"] == files(REPO / "docs" / "writing_a_plugin.md")["my_extra.py"]


@pytest.mark.parametrize("extra", ["my_extra.py", "my_quiet.py", "my_patience.py"])
def test_the_guides_rewards_are_logged(extra: str, written: Path) -> None:
    lines = commands(REPO / "docs" / "writing_a_plugin.md", "mjsdk")
    words = next(words for words in lines if f"./{extra}" in words)
    env = stepped("g1", "velocity", shlex.join(settings(words)), str(written / extra))
    assert "reward/" + settings(words)[0].split(".")[2] in env.log_iteration()


def test_the_guides_robot_stands(written: Path) -> None:
    env = stepped(str(written / "stool.py"), str(written / "stand.py"), steps=80)
    assert (env.robot.root_pos_w[:, 2] > 0.35).all()
    assert (env.episode_length_buf == 80).all()


@pytest.mark.parametrize("robot", ["g1", "go1"])
def test_the_guides_task_is_for_every_robot(robot: str, written: Path) -> None:
    assert stepped(robot, str(written / "stand.py")).num_actions > 8


def test_the_guides_robot_can_be_given_the_walking_task(written: Path) -> None:
    assert stepped(str(written / "stool.py"), "velocity").num_actions == 8


def test_the_guides_robot_lifts_its_feet_straight_up(
    written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(written)
    exec(block_with("./stool.py"), {})
    lines = capsys.readouterr().out.splitlines()
    moved = [[float(word) for word in line.partition("[")[2].strip("]").split()] for line in lines]
    assert [len(numbers) for numbers in moved] == [3, 3, 3, 3]
    assert all(0.04 < up < 0.07 and abs(forward) < 0.01 for forward, _, up in moved)


DOG = """<mujoco><worldbody><body name="trunk"><freejoint/><geom size=".1"/>
<body name="backpack"><geom size=".1"/></body>{}</body></worldbody></mujoco>"""


def test_the_guides_way_to_load_a_file_names_adds_and_removes(tmp_path: Path) -> None:
    calves = '<body name="{}_calf"><joint/><geom size=".02" pos="0 0 -.1"/></body>'
    (tmp_path / "dog.xml").write_text(DOG.format("".join(calves.format(leg) for leg in ("FL", "FR", "RL", "RR"))))
    scope: dict[str, Any] = {"__file__": str(tmp_path / "dog.py")}
    exec(block_with("from_file"), scope)
    model = scope["mjsdk_load_spec"](None).compile()
    assert {model.site(i).name for i in range(model.nsite)} == {"imu", "FL_foot", "FR_foot", "RL_foot", "RR_foot"}
    assert model.geom("RL_foot").pos[2] == model.site("RL_foot").pos[2] == -0.1
    assert "backpack" not in {model.body(i).name for i in range(model.nbody)}


def block_with(words: str) -> str:
    """The guide's Python block without a file name that has these words."""
    document = REPO / "docs" / "writing_a_plugin.md"
    return next(text for text in blocks(document, "python") if words in text and text not in files(document).values())


def test_the_python_lines_of_the_readme_run() -> None:
    block = next(text for text in blocks(REPO / "README.md", "python") if text.startswith("import mjsdk"))
    scope: dict[str, Any] = {}
    before_the_training = block.partition("\n\npolicy")[0]
    exec(before_the_training, scope)
    assert scope["observations"]["actor"].shape[0] == scope["env"].num_envs == 64
