"""Eight ways in which plugin systems are known to fail, one test each."""

from __future__ import annotations

import importlib_metadata
import pytest

from mjsdk import hookspecs
from mjsdk.errors import AmbiguousPlugin, BrokenPlugin, IncompatiblePlugin
from mjsdk.plugins import find_plugin, installed, load_plugin, open_session, status_of
from mjsdk.testing import fake_dist

HEAD = "import mjsdk\nMJSDK_API = 1\n"


def test_one_bad_plugin_breaks_only_the_run_that_names_it(site):
    site.robot()
    for name, source in (("bad", "1 / 0"), ("rude", "raise SystemExit")):
        site.robot(source, name=name, dist=name)
    assert {ref.name for ref in installed()} == {"myarm", "bad", "rude"}
    assert open_session("myarm").robot().name == "myarm"
    for name in ("bad", "rude"):
        with pytest.raises(BrokenPlugin):
            open_session(name)


def test_the_order_of_folders_never_decides_between_two_packages(tmp_path, site, monkeypatch):
    for order in (("one", "two"), ("two", "one")):
        for dist in order:
            folder = tmp_path / "-".join(order) / dist
            fake_dist(folder, f"dist-{dist}", robots={"arm": "m"})
            monkeypatch.syspath_prepend(folder)
        with pytest.raises(AmbiguousPlugin, match=r"(?s)--robot dist-one:arm .*--robot dist-two:arm "):
            find_plugin("robot", "arm")


def test_an_older_shadowed_copy_of_a_package_does_not_count(tmp_path, site, monkeypatch):
    monkeypatch.setattr("sys.path", [str(tmp_path / "old"), *__import__("sys").path])
    fake_dist(tmp_path / "old", "my-arm", "0.1.0", robots={"arm-old": "m_old", "arm": "m"})
    monkeypatch.syspath_prepend(tmp_path / "new")
    fake_dist(tmp_path / "new", "my-arm", "0.3.0", robots={"arm": "m"})
    assert len([d for d in importlib_metadata.distributions() if d.name == "my-arm"]) == 2
    assert [(ref.name, ref.version, status_of(ref, installed())) for ref in installed()] == [("arm", "0.3.0", "ok")]


def test_one_module_cannot_be_two_plugins(site):
    site.robot()
    site.extra(HEAD)
    site.add("twin", extras={"twin": "my_extra_hop"})
    with pytest.raises(BrokenPlugin, match="are the same module"):
        open_session("myarm", extras=["hop", "twin"])


def test_an_api_number_taken_from_mjsdk_itself_proves_nothing(site):
    site.extra("from mjsdk.hookspecs import API\nMJSDK_API = API")
    with pytest.raises(IncompatiblePlugin, match="must be a number written in that module"):
        load_plugin(find_plugin("extra", "hop"))


@pytest.mark.parametrize("source", ["def mjsdk_adapt(): ...", "@mjsdk.hookimpl\ndef mjsdk_adpat(): ..."])
def test_a_hook_that_would_never_be_called_is_an_error(site, source):
    site.extra(HEAD + source)
    with pytest.raises(BrokenPlugin, match=r"lacks @hookimpl|did you mean 'mjsdk_adapt'"):
        load_plugin(find_plugin("extra", "hop"))


def test_default_values_in_hooks_are_refused_as_pluggy_versions_disagree_on_them(site):
    site.extra(HEAD + "@mjsdk.hookimpl\ndef mjsdk_adapt(config=7): ...")
    with pytest.raises(BrokenPlugin, match="has the default value 7"):
        load_plugin(find_plugin("extra", "hop"))


def test_conflicts_are_found_in_any_order_of_entry_points(site):
    site.add("a-dist", robots={"arm": "m1"})
    site.add("b-dist", robots={"hand": "m2"})
    site.add("c-dist", robots={"arm": "m3"})
    assert {ref.spec: status_of(ref, installed()) for ref in installed()} == {
        "a-dist:arm": "ambiguous",
        "b-dist:hand": "ok",
        "c-dist:arm": "ambiguous",
    }


def test_a_manager_that_failed_is_never_used_again(site):
    site.robot()
    site.extra(HEAD + "@mjsdk.hookimpl\ndef mjsdk_adpat(): ...")
    with pytest.raises(BrokenPlugin):
        open_session("myarm", extras=["hop"])
    assert len(open_session("myarm").refs) == 1
    assert hookspecs.API == 1
