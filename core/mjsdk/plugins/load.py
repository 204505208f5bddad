"""Importing one plugin and checking its hooks, before any of them is called."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import attrs
import pluggy

from mjsdk import hookspecs
from mjsdk.errors import BrokenPlugin, IncompatiblePlugin, closest, frames, listing, said
from mjsdk.files import open_regular
from mjsdk.plugins.index import PluginRef, fault, installed, unmet
from mjsdk.plugins.outdated import new_name

SUPPORTED = (hookspecs.API,)
"""Values of a plugin's `MJSDK_API` that this mjsdk understands."""

OWNERS = {"mjsdk_robot": "robot", "mjsdk_load_spec": "robot", "mjsdk_task": "task"}
"""Hooks that one kind of plugin must implement, and no other kind may."""

_MARK = "mjsdk_impl"
_MOST_SOURCE = 16 * 2**20
"""Bytes of a local plugin that are read."""


@attrs.frozen
class Plugin:
    """A plugin whose module is imported and checked."""

    ref: PluginRef
    module: ModuleType
    api: int
    _manager: pluggy.PluginManager = attrs.field(init=False, eq=False, repr=False)

    @_manager.default
    def _registered(self) -> pluggy.PluginManager:
        """A plugin manager that knows the hooks and holds this plugin. Raises `PluginValidationError`."""
        manager = pluggy.PluginManager("mjsdk")
        manager.add_hookspecs(hookspecs)
        manager.register(self.module, name=self.ref.name)
        manager.check_pending()
        return manager

    @property
    def hooks(self) -> tuple[str, ...]:
        """Names of the hooks that it implements."""
        return tuple(sorted(name for name, _ in _marked(self.module)))

    def call(self, hook: str, **arguments: Any) -> Any:
        """What its implementation of a hook returns: for hooks of one result that, for others a list without None."""
        return getattr(self._manager.hook, hook)(**arguments)


def read_source(ref: PluginRef) -> bytes:
    """The source of a plugin that is a local file, without running it."""
    try:
        with open_regular(Path(ref.target), _MOST_SOURCE) as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise BrokenPlugin(f"{ref.label} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def load_plugin(ref: PluginRef, source: bytes | None = None) -> Plugin:
    """Import a plugin and check what it declares. Calls none of its hooks.

    Of a local file, `source` is what is run, if that was read before.
    """
    problem = fault(ref, installed())
    if problem:
        raise (IncompatiblePlugin if problem == unmet(ref) else BrokenPlugin)(f"{ref.label}: {problem}")
    module = _import(ref, source)
    api = _check_api(ref, module)
    return _checked(ref, module, api)


def hook_names() -> tuple[str, ...]:
    """All hooks of the contract."""
    return tuple(name for name in vars(hookspecs) if name.startswith("mjsdk_"))


def _import(ref: PluginRef, source: bytes | None) -> ModuleType:
    if ref.local and source is None:
        source = read_source(ref)
    try:
        return importlib.import_module(ref.target) if source is None else _run_file(Path(ref.target), source)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever its code raises, sys.exit and the outcomes of test runners among it
        raise BrokenPlugin(f"{ref.label} failed to import: {describe(error, ref.target)}") from error


def _run_file(path: Path, source: bytes) -> ModuleType:
    """Import a file under a private name, so that it shadows no installed module and no file of the same stem.

    What runs is its source: compiled code that lies beside it may be that of another one.
    """
    name = f"_mjsdk_local_{hashlib.sha1(os.fsencode(path)).hexdigest()[:8]}_{path.stem.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ImportError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, _as_text(path), "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _as_text(path: Path) -> str:
    """A path for people and `compile`, which takes no name that has bytes that are no text."""
    return str(path).encode(errors="backslashreplace").decode()


def describe(error: BaseException, module: str = "") -> str:
    """Kind, text and place of an error, on one line; the place is the last line of `module` that was reached."""
    text, steps = said(error), list(frames(error))
    if issubclass(type(error), (ImportError, AttributeError)):
        text += new_name(text)
    if issubclass(type(error), SyntaxError) or not steps:  # the former says its place itself
        return text
    own = [step for step in steps if belongs(step[0], module)]
    frame, line = (own or steps)[-1]
    return f"{text} ({frame.f_code.co_filename}:{line})"


def belongs(frame: FrameType, module: str) -> bool:
    """Whether a frame runs code of a module or of its submodules."""
    return f"{frame.f_globals.get('__name__', '')}.".startswith(f"{module}.")


def _check_api(ref: PluginRef, module: ModuleType) -> int:
    legal = f"Write `MJSDK_API = {hookspecs.API}` into the plugin, as a literal number."
    api = vars(module).get("MJSDK_API")
    if api is None:
        raise IncompatiblePlugin(f"{ref.label} does not say which contract it was written for. {legal}")
    if type(api) is not int or not _is_literal(module):
        raise IncompatiblePlugin(f"{ref.label}: MJSDK_API must be a number written in that module. {legal}")
    if api not in SUPPORTED:
        raise IncompatiblePlugin(
            f"{ref.label} was written for version {api} of the plugin contract; this mjsdk understands "
            f"{listing(map(str, SUPPORTED))}. "
            f"Install a version of {'the file' if ref.local else ref.dist} that fits, or another mjsdk."
        )
    return api


def _is_literal(module: ModuleType) -> bool:
    """Whether the number stands in the source: one that is taken from mjsdk always matches, and so says nothing."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):  # only compiled code is installed
        return True
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    literal = [node for node in assigned if isinstance(node.value, ast.Constant)]
    targets = [node.targets if isinstance(node, ast.Assign) else [node.target] for node in literal]
    return "MJSDK_API" in map(ast.unparse, chain(*targets))


def _checked(ref: PluginRef, module: ModuleType, api: int) -> Plugin:
    for name, function in _routines(module):
        if name.startswith("mjsdk_") and not hasattr(function, _MARK):
            raise BrokenPlugin(_unmarked(ref, name))
    try:
        plugin = Plugin(ref, module, api)
    except pluggy.PluginValidationError as error:
        raise BrokenPlugin(_pending(ref, module, error)) from error
    for name, function in _marked(module):
        _check_arguments(ref, name, function)
    _check_owners(ref, set(plugin.hooks))
    return plugin


def _routines(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    return [(name, value) for name, value in vars(module).items() if inspect.isroutine(value)]


def _marked(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    """Implementations by the hook that they are meant for."""
    functions = [(name, value) for name, value in _routines(module) if hasattr(value, _MARK)]
    return [(getattr(value, _MARK).get("specname") or name, value) for name, value in functions]


def _unmarked(ref: PluginRef, name: str) -> str:
    if name in hook_names():
        return f"{ref.label}: {name} lacks @hookimpl, so it would never be called. Add `@mjsdk.hookimpl` above it."
    return f"{ref.label}: {_no_hook(name)} The prefix mjsdk_ is for hooks only."


def _no_hook(name: str) -> str:
    return f"unknown hook '{name}'{closest(name, hook_names()) or '.'} Hooks: {listing(hook_names())}."


def _pending(ref: PluginRef, module: ModuleType, error: Exception) -> str:
    unknown = [name for name, _ in _marked(module) if name not in hook_names()]
    if unknown:
        return f"{ref.label}: {_no_hook(unknown[0])}"
    wrong = [_wrong_argument(name, function) for name, function in _marked(module)]
    return f"{ref.label}: {next(filter(None, wrong), error)}"


def _wrong_argument(hook: str, function: Callable[..., Any]) -> str:
    legal = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    for name in inspect.signature(function).parameters:
        if name not in legal:
            return f"{hook} has no argument '{name}'{closest(name, legal) or '.'} It may take: {listing(legal)}."
    return ""


def _check_arguments(ref: PluginRef, hook: str, function: Callable[..., Any]) -> None:
    """Refuse default values: what pluggy passes then depends on its version."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not parameter.empty:
            raise BrokenPlugin(
                f"{ref.label}: argument '{parameter.name}' of {hook} has the default value {parameter.default!r}. "
                "Hooks take their arguments without default values."
            )


def _check_owners(ref: PluginRef, implemented: set[str]) -> None:
    for hook, kind in OWNERS.items():
        if kind == ref.kind and hook not in implemented:
            raise BrokenPlugin(
                f"{ref.label} does not implement {hook}, which every {kind} plugin must. "
                f"It has: {listing(sorted(implemented))}."
            )
        if kind != ref.kind and hook in implemented:
            raise BrokenPlugin(
                f"{ref.label} implements {hook}, which only {kind} plugins may. Move it to a module of its own."
            )
