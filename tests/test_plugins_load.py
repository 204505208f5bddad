"""Loading one plugin: what is refused before any hook is called, and with which words."""

from __future__ import annotations

import os
import sys

import pytest

from mjsdk.errors import BrokenPlugin, IncompatiblePlugin, PluginError
from mjsdk.plugins import find_plugin, load_plugin

HEAD = "import mjsdk\nMJSDK_API = 1\n"
EXTRA_LABEL = "extra 'hop' (my-extra 1.0, module my_extra_hop)"


def refusal(site, source: str, kind: type[PluginError] = BrokenPlugin) -> str:
    site.extra(source)
    with pytest.raises(kind) as caught:
        load_plugin(find_plugin("extra", "hop"))
    return str(caught.value)


def hook(body: str) -> str:
    return f"{HEAD}@mjsdk.hookimpl\n{body}\n"


def test_a_sound_plugin_loads_with_its_hooks(site):
    site.robot()
    plugin = load_plugin(find_plugin("robot", "myarm"))
    assert (plugin.api, plugin.hooks) == (1, ("mjsdk_load_spec", "mjsdk_robot"))


def test_loading_one_plugin_imports_no_other(site):
    site.robot()
    site.robot("raise RuntimeError", name="broken", dist="broken-dist")
    load_plugin(find_plugin("robot", "myarm"))
    assert "broken_dist_broken" not in sys.modules


def test_a_plugin_that_fails_to_import_is_named_with_package_version_and_module(site):
    text = refusal(site, "import no_such_module")
    assert text.startswith(f"{EXTRA_LABEL} failed to import: ModuleNotFoundError: No module named 'no_such_module' (")
    assert text.endswith("my_extra_hop.py:1)")


def test_the_cause_of_a_failed_import_is_chained(site):
    site.extra("1 / 0")
    with pytest.raises(BrokenPlugin) as caught:
        load_plugin(find_plugin("extra", "hop"))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_plugin_that_exits_on_import_is_refused(site):
    text = refusal(site, "import sys; sys.exit('bye')")
    assert text.startswith(f"{EXTRA_LABEL} failed to import: SystemExit: bye (")


def test_a_plugin_that_is_not_python_is_refused(site):
    assert "failed to import: SyntaxError" in refusal(site, "def (")


def test_an_interrupted_import_is_not_swallowed(site):
    site.extra("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugin(find_plugin("extra", "hop"))


def test_a_package_for_another_mjsdk_is_refused_before_it_is_imported(site):
    site.extra("raise RuntimeError", requires=["mjsdk>=9"])
    with pytest.raises(IncompatiblePlugin, match="needs mjsdk>=9, found 0"):
        load_plugin(find_plugin("extra", "hop"))
    assert "my_extra_hop" not in sys.modules


def test_a_plugin_without_api_number_is_refused(site):
    text = refusal(site, "import mjsdk", IncompatiblePlugin)
    assert text == (
        f"{EXTRA_LABEL} does not say which contract it was written for. "
        "Write `MJSDK_API = 1` into the plugin, as a literal number."
    )


def test_a_plugin_for_another_contract_is_refused(site):
    text = refusal(site, "MJSDK_API = 99", IncompatiblePlugin)
    assert text == (
        f"{EXTRA_LABEL} was written for version 99 of the plugin contract; this mjsdk understands 1. "
        "Install a version of my-extra that fits, or another mjsdk."
    )


@pytest.mark.parametrize(
    "source",
    ["MJSDK_API = True", "MJSDK_API = '1'", "MJSDK_API = 1.0", "from mjsdk.hookspecs import API as MJSDK_API"],
)
def test_an_api_number_that_is_not_written_out_is_refused(site, source):
    assert "MJSDK_API must be a number written in that module" in refusal(site, source, IncompatiblePlugin)


def test_a_hook_without_its_mark_is_refused(site):
    text = refusal(site, HEAD + "def mjsdk_adapt(config): ...")
    assert text == (
        f"{EXTRA_LABEL}: mjsdk_adapt lacks @hookimpl, so it would never be called. Add `@mjsdk.hookimpl` above it."
    )


def test_a_misspelt_hook_without_its_mark_is_refused(site):
    text = refusal(site, HEAD + "def mjsdk_adapts(config): ...")
    assert "unknown hook 'mjsdk_adapts', did you mean 'mjsdk_adapt'? Hooks: mjsdk_robot, " in text


def test_a_misspelt_hook_gets_the_closest_name(site):
    text = refusal(site, hook("def mjsdk_reward_trems(): ..."))
    assert text.startswith(f"{EXTRA_LABEL}: unknown hook 'mjsdk_reward_trems', did you mean 'mjsdk_reward_terms'?")


def test_an_unknown_argument_gets_the_closest_name(site):
    text = refusal(site, hook("def mjsdk_adapt(confg): ..."))
    assert text == (
        f"{EXTRA_LABEL}: mjsdk_adapt has no argument 'confg', did you mean 'config'? "
        "It may take: robot, task_name, config."
    )


def test_a_default_value_in_a_hook_is_refused(site):
    text = refusal(site, hook("def mjsdk_adapt(config, robot=None): ..."))
    assert text == (
        f"{EXTRA_LABEL}: argument 'robot' of mjsdk_adapt has the default value None. "
        "Hooks take their arguments without default values."
    )


def test_a_robot_must_implement_its_hooks(site):
    site.robot(hook("def mjsdk_adapt(config): ..."))
    with pytest.raises(BrokenPlugin, match="does not implement mjsdk_robot, which every robot plugin must"):
        load_plugin(find_plugin("robot", "myarm"))


def test_only_tasks_may_implement_mjsdk_task(site):
    text = refusal(site, hook("def mjsdk_task(robot): ..."))
    assert text == (
        f"{EXTRA_LABEL} implements mjsdk_task, which only task plugins may. Move it to a module of its own."
    )


def test_one_module_as_two_plugins_is_refused(site):
    site.add("my-arm", robots={"arm": "m", "arm-short": "m"}, modules={"m": HEAD})
    with pytest.raises(BrokenPlugin, match="same module as robot 'arm': give each its own"):
        load_plugin(find_plugin("robot", "arm-short"))


def test_a_hook_may_be_implemented_under_another_name(site):
    site.extra(HEAD + "@mjsdk.hookimpl(specname='mjsdk_adapt')\ndef tune(config): ...")
    assert load_plugin(find_plugin("extra", "hop")).hooks == ("mjsdk_adapt",)


def test_a_local_file_is_loaded_beside_an_installed_module_of_that_name(site):
    path = site.file("json.py", HEAD)
    plugin = load_plugin(find_plugin("extra", str(path)))
    assert (plugin.ref.name, plugin.module.__file__) == ("json", str(path.resolve()))
    assert sys.modules["json"] is not plugin.module


def test_a_local_file_that_changed_is_read_again(site):
    path = site.file("hop.py", HEAD + "VALUE = 1")
    first = load_plugin(find_plugin("extra", str(path))).module
    site.file("hop.py", HEAD + "VALUE = 'changed'")
    assert (first.VALUE, load_plugin(find_plugin("extra", str(path))).module.VALUE) == (1, "changed")


def test_errors_of_a_local_file_name_the_file(site):
    path = site.file("hop.py", "import mjsdk")
    with pytest.raises(IncompatiblePlugin) as caught:
        load_plugin(find_plugin("extra", str(path)))
    assert str(caught.value).startswith(f"extra 'hop' ({path.resolve()}) does not say")


def test_a_local_file_that_fails_leaves_nothing_behind(site):
    before = set(sys.modules)
    path = site.file("hop.py", "1 / 0")
    with pytest.raises(BrokenPlugin, match="ZeroDivisionError"):
        load_plugin(find_plugin("extra", str(path)))
    assert set(sys.modules) == before


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text")
def test_a_file_in_a_folder_whose_name_is_no_text_loads(tmp_path):
    folder = tmp_path / os.fsdecode(b"l\xe4uf")
    folder.mkdir()
    (folder / "hop.py").write_text(hook("def mjsdk_reward_terms(): return {}"))
    plugin = load_plugin(find_plugin("extra", str(folder / "hop.py")))
    assert plugin.hooks == ("mjsdk_reward_terms",)
    (folder / "hop.py").write_text(hook("def mjsdk_reward_terms(): return {}") + "1 / 0\n")
    with pytest.raises(BrokenPlugin, match="ZeroDivisionError"):
        load_plugin(find_plugin("extra", str(folder / "hop.py")))
