"""The plugin contract: every hook is documented, called by sessions, and tested."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from mjsdk import hookspecs
from mjsdk.plugins import session
from mjsdk.plugins.load import hook_names
from mjsdk.terms import KINDS

TERM_HOOKS = {f"mjsdk_{kind}_terms" for kind in KINDS}


def test_the_contract_has_hooks():
    assert len(hook_names()) == 15
    assert set(hook_names()) >= TERM_HOOKS


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_is_documented_with_typed_arguments(name):
    hook = getattr(hookspecs, name)
    signature = inspect.signature(hook)
    assert len(inspect.getdoc(hook) or "") > 20
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not parameter.empty for parameter in signature.parameters.values())


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_is_called_by_sessions(name):
    source = inspect.getsource(session)
    assert f'"{name}"' in source or (name in TERM_HOOKS and 'f"mjsdk_{kind}_terms"' in source)


@pytest.mark.parametrize("name", sorted({*hook_names()} - TERM_HOOKS))
def test_every_hook_appears_in_the_tests_of_sessions(name):
    folder = Path(__file__).parent
    tests = "".join((folder / file).read_text(encoding="utf-8") for file in ("conftest.py", "test_plugins_session.py"))
    assert f"def {name}(" in tests


def test_the_contract_fits_on_a_page():
    assert len(inspect.getsource(hookspecs).splitlines()) < 140
