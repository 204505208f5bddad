"""The plugins of one run, and the only place that calls their hooks."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from mjsdk.errors import (
    BrokenPlugin,
    HookError,
    MissingRole,
    MjsdkError,
    PluginError,
    a_kind,
    frames,
    listing,
    shortened,
)
from mjsdk.plugins.index import PluginRef, find_plugin, installed
from mjsdk.plugins.load import Plugin, belongs, describe, load_plugin, read_source
from mjsdk.plugins.misfits import misfits
from mjsdk.plugins.outdated import outdated

if TYPE_CHECKING:
    import mujoco

    from mjsdk.config import Config
    from mjsdk.robot import Robot
    from mjsdk.task import TaskConfig
    from mjsdk.terms import TermRegistry

T = TypeVar("T")

CoreTerms = Callable[[str], Mapping[str, Any]]
"""The core's own terms of a kind, by name: `mjsdk.mdp.core_terms`."""

_MOST_NAMES = 1000
"""Terms or exporters that a plugin may offer by one hook: a mapping that never ends is no plugin's intention."""


def open_session(
    robot: str,
    task: str | None = None,
    extras: Sequence[str] = (),
    *,
    core: CoreTerms = lambda kind: {},
    allow: Callable[[Mapping[str, bytes]], None] = lambda sources: None,
) -> Session:
    """Find, import and check the plugins of one run: `name`, `package:name` or `./file.py` each.

    Whoever asks the session for settings or worlds passes in the `core` terms; for robots and scenes they are not
    needed. Before any plugin is imported, `allow` is given the sources of those that are local files, by path, and may
    raise.
    """
    named = [("robot", robot), ("task", task), *(("extra", extra) for extra in extras)]
    refs = tuple(dict.fromkeys(find_plugin(kind, spec) for kind, spec in named if spec is not None))
    _check_names(refs)
    sources = {ref.target: read_source(ref) for ref in refs if ref.local}
    allow(sources)
    return Session([load_plugin(ref, sources.get(ref.target)) for ref in refs], core)


def _check_names(refs: Sequence[PluginRef]) -> None:
    """Two plugins of one kind and name could not be distinguished: terms are called `name:term`."""
    seen: dict[tuple[str, str], PluginRef] = {}
    for ref in refs:
        twin = seen.setdefault((ref.kind, ref.name), ref)
        if twin is not ref:
            what = "files" if twin.local and ref.local else f"{ref.kind}s"
            raise PluginError(f"two {what} named '{ref.name}': {twin.spec} and {ref.spec}; rename one, or use only one")


class Session:
    """A robot, perhaps a task, and extras, with the core's own terms."""

    def __init__(self, plugins: Sequence[Plugin], core: CoreTerms) -> None:
        self.plugins = tuple(plugins)
        self._core = core
        self._last_spec: Any = None
        self._check_modules()

    def __repr__(self) -> str:
        return f"Session({', '.join(ref.spec for ref in self.refs)})"

    # What is loaded

    @property
    def refs(self) -> tuple[PluginRef, ...]:
        """The loaded plugins: robot, task, extras."""
        return tuple(plugin.ref for plugin in self.plugins)

    @property
    def packages(self) -> tuple[str, ...]:
        """Modules of the plugins that are installed rather than local files."""
        return tuple(ref.target for ref in self.refs if not ref.local)

    @property
    def robot_ref(self) -> PluginRef:
        """The robot plugin."""
        return self._of_kind("robot").ref

    @property
    def task_ref(self) -> PluginRef:
        """The task plugin."""
        return self._of_kind("task").ref

    def names(self) -> dict[PluginRef, str]:
        """What settings call the plugins: by name alone where only one of that name is installed."""
        shared = Counter((ref.kind, ref.name) for ref in installed())
        return {ref: ref.name if shared[ref.kind, ref.name] == 1 and not ref.local else ref.spec for ref in self.refs}

    def provenance(self) -> list[dict[str, Any]]:
        """Which plugins these are, for the records of a run."""
        fields = ("kind", "name", "dist", "version", "target")
        return [{**{f: getattr(p.ref, f) for f in fields}, "api": p.api} for p in self.plugins]

    # Hooks, one typed wrapper each

    def robot(self) -> Robot:
        """The facts of the robot."""
        return self._robot

    @cached_property
    def _robot(self) -> Robot:
        from mjsdk.robot import Robot

        return self._owned("robot", "mjsdk_robot", Robot)

    def load_spec(self) -> mujoco.MjSpec:
        """A fresh model of the robot as its package describes it."""
        import mujoco

        spec = self._owned("robot", "mjsdk_load_spec", mujoco.MjSpec, robot=self.robot())
        if spec is self._last_spec:
            raise HookError(
                f"{self.robot_ref.label}: mjsdk_load_spec returned the same MjSpec twice; it must make a fresh one"
            )
        self._last_spec = spec
        return spec

    def setup_actuators(self, spec: mujoco.MjSpec) -> None:
        """Let plugins edit the actuators of a robot's model, after the core has applied `robot.actuators`."""
        self._edit("mjsdk_setup_actuators", robot=self.robot(), spec=spec)

    def setup_collisions(self, spec: mujoco.MjSpec, preset: str) -> None:
        """Let plugins edit the collisions of a robot's model, after the core has applied `robot.collisions[preset]`."""
        self._edit("mjsdk_setup_collisions", robot=self.robot(), spec=spec, preset=preset)

    def task(self) -> TaskConfig:
        """A fresh copy of the task for this robot, whose parts are checked."""
        from mjsdk.task import TaskConfig, check_requirements

        task = self._owned("task", "mjsdk_task", TaskConfig, robot=self.robot())
        ref = self.robot_ref
        check_requirements(task.requires, self.robot(), self.task_ref.name, ref.name, ref.package)
        return task

    def adapt(self, config: Config, after: Callable[[PluginRef], None] = lambda ref: None) -> None:
        """Let task, robot and extras, in that order, edit a composed configuration in place.

        `after` each of them is called with the plugin.
        """
        self._edit("mjsdk_adapt", after, robot=self.robot(), task_name=self.task_ref.name, config=config)

    def terms(self) -> TermRegistry:
        """All terms that the core and the plugins offer."""
        return self._terms

    @cached_property
    def _terms(self) -> TermRegistry:
        from mjsdk.terms import KINDS, TermRegistry

        registry, owners = TermRegistry(), dict[str, Plugin]()
        for kind in KINDS:
            registry.add(kind, self._core(kind))
        for plugin in self.plugins:
            offered = {kind: self._mapping(plugin, f"mjsdk_{kind}_terms") for kind in KINDS}
            with self._blaming(plugin, "the signature of a term"):
                if old := outdated(offered):
                    raise HookError(f"{plugin.ref.label} {old}")
            for kind, terms in offered.items():
                self._claim(owners, plugin, (f"{kind} term '{plugin.ref.name}:{name}'" for name in terms))
                registry.add(kind, terms, plugin.ref.name, plugin.ref.package)
        return registry

    def exporters(self) -> dict[str, Any]:
        """Ways out of a run, by name."""
        owners: dict[str, Plugin] = {}
        exporters: dict[str, Any] = {}
        for plugin in self.plugins:
            offered = self._mapping(plugin, "mjsdk_exporters")
            self._claim(owners, plugin, (f"exporter '{name}'" for name in offered))
            exporters.update(offered)
        return exporters

    # Calling, and blaming

    def _check_modules(self) -> None:
        modules: dict[int, Plugin] = {}
        for plugin in reversed(self.plugins):
            twin = modules.setdefault(id(plugin.module), plugin)
            if twin is not plugin:
                raise BrokenPlugin(
                    f"{plugin.ref.label} and {twin.ref.label} are the same module; a module can be one plugin. "
                    "Split it in two."
                )

    def _of_kind(self, kind: str) -> Plugin:
        for plugin in self.plugins:
            if plugin.ref.kind == kind:
                return plugin
        raise PluginError(f"this session has no {kind}; it has {listing(ref.label for ref in self.refs)}")

    def _owned(self, kind: str, hook: str, kind_of_result: type[T], **arguments: Any) -> T:
        """Call a hook that one plugin must implement, and check what it returns."""
        plugin = self._of_kind(kind)
        with self._blaming(plugin, hook):
            result = plugin.call(hook, **arguments)
            if not isinstance(result, kind_of_result):
                must = f"{kind_of_result.__module__.split('.')[0]}.{kind_of_result.__name__}"
                raise HookError(f"{plugin.ref.label}: {hook} returned {a_kind(result)}; it must return a {must}")
            wrong = next(misfits(result, kind_of_result.__name__), None)
            if wrong:
                raise HookError(f"{plugin.ref.label}: {hook}: {wrong}")
            return result

    def _edit(self, hook: str, after: Callable[[PluginRef], None] = lambda ref: None, **arguments: Any) -> None:
        """Call a hook that edits its arguments in place, of the task, of the robot, then of the extras."""
        order = ("task", "robot", "extra")
        concerned = [plugin for plugin in self.plugins if hook in plugin.hooks]
        for plugin in sorted(concerned, key=lambda plugin: order.index(plugin.ref.kind)):
            with self._blaming(plugin, hook):
                results = plugin.call(hook, **arguments)
            if results:
                raise HookError(
                    f"{plugin.ref.label}: {hook} returned {a_kind(results[0])}; "
                    "it must edit its arguments in place and return nothing"
                )
            after(plugin.ref)

    def _mapping(self, plugin: Plugin, hook: str) -> Mapping[str, Any]:
        """What a plugin returns for a hook that gives names to functions or classes; nothing if it has no such hook."""
        if hook not in plugin.hooks:
            return {}
        with self._blaming(plugin, hook):
            results = plugin.call(hook)
            return _check_mapping(plugin, hook, results[0] if results else None)

    @contextmanager
    def _blaming(self, plugin: Plugin, hook: str) -> Iterator[None]:
        """Around code of a plugin: whatever it raises but Ctrl-C becomes one message that names it."""
        try:
            yield
        except MissingRole as error:
            raise MissingRole(self._missing_role(self._culprit(error, plugin).ref, error)) from error
        except (MjsdkError, KeyboardInterrupt):
            raise
        except BaseException as error:
            culprit = self._culprit(error, plugin)
            raise HookError(f"{culprit.ref.label}: {hook} raised {describe(error, culprit.module.__name__)}") from error

    def _culprit(self, error: BaseException, called: Plugin) -> Plugin:
        """The plugin that the first frame in plugin code belongs to, or the one that was called."""
        reached = (
            plugin for frame, _ in frames(error) for plugin in self.plugins if belongs(frame, plugin.module.__name__)
        )
        return next(reached, called)

    def _claim(self, owners: dict[str, Plugin], plugin: Plugin, names: Iterable[str]) -> None:
        """Refuse names that another plugin has."""
        for name in names:
            other = owners.setdefault(name, plugin)
            if other is not plugin:
                raise HookError(f"{name} is offered by {other.ref.label} and by {plugin.ref.label}; use one of them")

    def _missing_role(self, asker: PluginRef, error: MissingRole) -> str:
        return (
            f"{asker.kind} '{asker.name}' ({asker.package}) needs a part that robot '{self.robot_ref.name}' "
            f"({self.robot_ref.package}) lacks: {error}. Add the role in its mjsdk_robot(), or choose another robot."
        )


def _check_mapping(plugin: Plugin, hook: str, result: Any) -> Mapping[str, Any]:
    """What a hook offers by name, as a dict of our own: a plugin's mapping may say something else the next time."""
    where = f"{plugin.ref.label}: {hook}"
    if not isinstance(result, Mapping):
        raise HookError(f"{where} returned {a_kind(result)}; it must return a mapping of names")
    offered = dict(islice(result.items(), _MOST_NAMES + 1))
    if len(offered) > _MOST_NAMES:
        raise HookError(f"{where} returned more than {_MOST_NAMES} names")
    for name, value in offered.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise HookError(
                f"{where}: {shortened(repr(name))} cannot be a name; "
                "use letters, digits and _, without a plugin's prefix"
            )
        if not callable(value):
            raise HookError(f"{where}: '{name}' is {a_kind(value)}; it must be a function or a class")
        if hook.endswith("_terms"):
            _check_term(f"{where}: '{name}'", value, hook in _OF_CLASSES)
    return offered


_OF_CLASSES = ("mjsdk_command_terms", "mjsdk_action_terms")
"""Hooks whose terms are subclasses of `CommandTerm` and `ActionTerm`."""


def _check_term(what: str, term: Any, must_be_class: bool) -> None:
    if must_be_class and not inspect.isclass(term):
        raise HookError(f"{what} is {a_kind(term)}; it must be a class derived from CommandTerm or ActionTerm")
    try:
        inspect.signature(term)
    except (ValueError, TypeError) as error:
        raise HookError(f"{what} does not tell its parameters: wrap it in a function of your own") from error
