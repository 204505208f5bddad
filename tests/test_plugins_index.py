"""The index: installed plugins from their metadata alone, and names that mean exactly one of them."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mjsdk import __version__
from mjsdk.errors import AmbiguousPlugin, PluginError
from mjsdk.plugins import DISABLE, PluginRef, find_plugin, index, installed, status_of

RAISES = "raise SystemExit('bye')"


def statuses() -> dict[str, str]:
    refs = installed()
    return {ref.name: status_of(ref, refs) for ref in refs}


def message(kind: str, spec: str) -> str:
    with pytest.raises(PluginError) as caught:
        find_plugin(kind, spec)
    return str(caught.value)


def test_the_index_describes_plugins_without_importing_them(site):
    site.robot(RAISES, requires=["mjsdk>=0.1", "numpy"], summary="An arm", version="2.1")
    assert installed() == (PluginRef("robot", "myarm", "my-robot", "2.1", "my_robot_myarm"),)
    assert (installed()[0].requires, installed()[0].summary) == (">=0.1", "An arm")
    assert "my_robot_myarm" not in sys.modules


def test_the_index_is_sorted_whatever_the_order_of_folders(site):
    for dist in ("c-dist", "a-dist", "b-dist"):
        site.add(dist, robots={f"of-{dist}": f"m_{dist[0]}"}, tasks={"reach": f"t_{dist[0]}"})
    assert [(ref.kind, ref.name, ref.dist) for ref in installed()] == sorted(
        (r.kind, r.name, r.dist) for r in installed()
    )


def test_a_plugin_can_be_switched_off_by_package_or_by_name(site, monkeypatch):
    for letter in "abc":
        site.robot(RAISES, name=letter, dist=f"dist-{letter}")
    monkeypatch.setenv(DISABLE, "Dist_A, dist-b:b")
    names = {ref.name for ref in installed()}
    assert "c" in names
    assert not names & {"a", "b"}
    assert "MJSDK_DISABLE_PLUGINS=Dist_A, dist-b:b switches it off" in message("robot", "a")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mjsdk>=9", f"needs mjsdk>=9, found {__version__}"),
        ("MjSDK[video] >=0.1,<9", "ok"),
        ("mjsdk>=9; extra == 'new'", "ok"),
        ("mjsdk>=9; python_version < '3'", "ok"),
        ("mjsdk-robot-other>=9", "ok"),
    ],
)
def test_what_a_package_asks_of_mjsdk_shows_in_its_status(site, line, expected):
    site.robot(RAISES, requires=[line])
    assert statuses() == {"myarm": expected}


def test_two_providers_of_a_name_are_ambiguous(site):
    site.robot(RAISES, dist="acme-arm")
    site.robot(RAISES, dist="my-arm")
    assert statuses() == {"myarm": "ambiguous"}


@pytest.mark.parametrize("name", ["My_Arm", "my--arm", "1arm", "arm.v2", "a b"])
def test_an_illegal_name_shows_in_the_status(site, name):
    site.add("my-arm", robots={name: "m"})
    assert statuses() == {name: "illegal name: use lower-case letters, digits and single hyphens"}


def test_a_target_that_is_no_module_shows_in_the_status(site):
    site.add("my-arm", robots={"arm": "module:thing"})
    assert statuses() == {"arm": "illegal target 'module:thing': must be one module"}


def test_one_module_as_two_plugins_of_a_package_shows_in_the_status(site):
    site.add("my-arm", robots={"arm": "m", "arm-short": "m"})
    assert statuses()["arm"] == "same module as robot 'arm-short': give each its own"


def test_a_package_without_metadata_is_shown_as_damaged(site):
    info = site.robot(RAISES)
    (info / "METADATA").unlink()
    assert statuses()["myarm"].startswith("damaged metadata")


def test_a_requirement_that_cannot_be_read_is_shown_as_damage(site):
    site.robot(RAISES, requires=["mjsdk >> 9"])
    assert statuses()["myarm"].startswith("damaged metadata")
    assert installed()[0].dist == "my-robot"


def test_a_damaged_package_does_not_hide_the_others(site, caplog):
    site.robot(RAISES, name="good", dist="good-dist")
    info = site.robot(RAISES, name="bad", dist="bad-dist")
    (info / "entry_points.txt").write_text("[mjsdk.robots]\nno equals sign\n")
    assert statuses() == {"good": "ok"}
    assert "bad_dist-1.0.dist-info" in caplog.text


def test_a_plugin_is_found_by_name_or_by_package_and_name(site):
    site.robot(RAISES, dist="My.Robot")
    assert (
        find_plugin("robot", "myarm")
        == find_plugin("robot", "my-robot:myarm")
        == find_plugin("robot", "My_Robot:myarm")
    )
    assert find_plugin("robot", find_plugin("robot", "myarm").spec) == find_plugin("robot", "myarm")


def test_an_unknown_name_lists_the_installed_ones(site):
    site.robot(RAISES, name="myarm", dist="a")
    site.robot(RAISES, name="other", dist="b")
    lines = message("robot", "myram").splitlines()
    assert lines == [
        "no robot 'myram', did you mean 'myarm'?",
        "  installed: myarm, other",
        f"  searched: {sys.executable} (a plugin installed into another Python is not seen)",
    ]


def test_the_name_of_another_kind_says_which_flag_to_use(site):
    site.task(RAISES)
    assert "'reach' is a task: --task reach" in message("robot", "reach")
    assert "installed: (none)" in message("robot", "reach")


def test_an_unknown_package_suggests_the_full_name(site):
    site.robot(RAISES)
    assert "did you mean 'my-robot:myarm'?" in message("robot", "my-robto:myarm")


def test_an_ambiguous_name_prints_the_flags_to_type(site):
    site.robot(RAISES, dist="acme-arm", version="1.5")
    site.robot(RAISES, dist="my-arm", version="0.2")
    with pytest.raises(AmbiguousPlugin) as caught:
        find_plugin("robot", "myarm")
    assert str(caught.value).splitlines() == [
        "robot 'myarm' is provided by 2 packages; choose one:",
        "  --robot acme-arm:myarm   (1.5, acme_arm_myarm)",
        "  --robot my-arm:myarm   (0.2, my_arm_myarm)",
    ]
    assert find_plugin("robot", "acme-arm:myarm").version == "1.5"


def test_the_flag_of_an_ambiguous_extra_is_with(site):
    site.extra(RAISES, dist="a")
    site.extra(RAISES, dist="b")
    assert "--with a:hop" in message("extra", "hop")


def test_a_name_that_one_package_declares_twice_blames_the_package(site):
    info = site.robot(RAISES)
    (info / "entry_points.txt").write_text("[mjsdk.robots]\narm = one\narm = two\n")
    assert message("robot", "arm") == "robot 'arm' is declared 2 times by my-robot 1.0 (one, two). Tell its authors."


def test_a_file_is_a_plugin_named_by_its_stem(site, monkeypatch):
    path = site.file("my_arm.py", "")
    monkeypatch.chdir(path.parent)
    ref = find_plugin("robot", "./my_arm.py")
    assert ref == find_plugin("robot", "my_arm.py") == find_plugin("robot", str(path))
    assert (ref.name, ref.local, ref.spec) == ("my_arm", True, str(path.resolve()))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("./my_ram.py", "robot './my_ram.py': no such file, did you mean 'my_arm.py'? Looked in {here}."),
        ("./my_arm", "robot './my_arm': no such file, did you mean 'my_arm.py'? Looked in {here}."),
        ("./notes.txt", "robot './notes.txt' is no Python file. A plugin is one .py file."),
        ("./site", "robot './site' is a folder. A plugin is one .py file; packages are given by their plugin's name."),
        ("no/such/arm.py", "robot 'no/such/arm.py': no such file. Looked in {here}/no/such."),
    ],
)
def test_a_path_that_is_no_plugin_says_why(site, monkeypatch, spec, expected):
    path = site.file("my_arm.py", "")
    site.file("notes.txt", "")
    monkeypatch.chdir(path.parent)
    assert message("robot", spec) == expected.format(here=Path.cwd())


def test_a_file_whose_stem_cannot_be_a_name_is_refused(site):
    path = site.file("2 arms.py", "")
    assert "'2 arms' cannot be the name of a plugin. Rename the file" in message("robot", str(path))


def test_an_unknown_kind_lists_the_kinds():
    assert message("robots", "x") == "no kind of plugin 'robots', did you mean 'robot'? Legal: robot, task, extra"


names = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
separators = st.sampled_from(["-", "_", ".", "--"])


@given(name=names, dist=names, separator=separators, upper=st.booleans())
def test_any_spelling_of_a_package_finds_its_plugin(name, dist, separator, upper):
    ref = PluginRef("robot", name, dist, "1.0", "module")
    spelt = dist.replace("-", separator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "_installed", lambda: [ref, PluginRef("task", name, dist, "1.0", "other")])
        assert find_plugin("robot", f"{spelt.upper() if upper else spelt}:{name}") is ref
        assert find_plugin("robot", name) is ref


@given(st.text(max_size=300))
def test_no_text_makes_find_crash(spec):
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(PluginError):
        patch.setattr(index, "_installed", lambda: [PluginRef("robot", "arm", "my-dist", "1.0", "module")])
        find_plugin("robot", spec)


DAMAGES = {
    "bytes": b"\x9c\xff\x00",
    "UTF-16": "[a]\nb = c\n".encode("utf-16"),
    "a name without a value": b"[a]\nname with no value\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_library_that_stumbles_over_a_damaged_neighbour_is_reported_which_it_is(site, damage):
    from importlib.metadata import entry_points

    site.add("good-neighbour")
    folder = site.add("bad-neighbour")
    (folder / "entry_points.txt").write_bytes(DAMAGES[damage])
    try:
        entry_points(group="torch.backends")
    except Exception as error:
        wrapped = PluginError("a plugin failed to import")
        wrapped.__cause__ = error
        for each in (error, wrapped):
            told = index.damage_behind(each)
            assert told.startswith("damaged packages are installed; install them again, or delete these folders:\n")
            assert told.count("\n") == 1
            assert f"  {folder}: entry_points.txt cannot be read (" in told
    else:
        pytest.fail("this Python reads what is damaged")


def test_an_error_that_has_nothing_to_do_with_neighbours_is_left_alone(site):
    (site.add("bad-neighbour") / "entry_points.txt").write_bytes(b"\xff")
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert index.damage_behind(caught.value) == ""
