"""The plugins of one run, and the only place that calls their hooks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TypeVar

from mjsdk._index import PluginRef, find
from mjsdk._load import Plugin, belongs, describe, load, new_manager, read_source
from mjsdk.errors import BrokenPlugin, HookError, MissingRole, MjsdkError, PluginError, SelectionError, closest, listing

if TYPE_CHECKING:
    import mujoco

    from mjsdk.config import Config
    from mjsdk.robot import Robot
    from mjsdk.task import TaskConfig
    from mjsdk.terms import TermRegistry

T = TypeVar("T")


def open_session(
    robot: str,
    task: str | None = None,
    extras: Sequence[str] = (),
    allow: Callable[[Mapping[str, bytes]], None] | None = None,
) -> Session:
    """Find, import and check the plugins of one run: `name`, `package:name` or `./file.py` each.

    Before any of them is imported, `allow` is given the sources of those that are local files, by path, and may raise.
    """
    wanted = [("robot", robot), *([("task", task)] if task else []), *(("extra", extra) for extra in extras)]
    refs = tuple(dict.fromkeys(find(kind, spec) for kind, spec in wanted))
    _check_names(refs)
    sources = {ref.target: read_source(ref) for ref in refs if ref.local}
    if allow is not None:
        allow(sources)
    return Session([load(ref, sources.get(ref.target) if ref.local else None) for ref in refs])


def _check_names(refs: Sequence[PluginRef]) -> None:
    """Two plugins of one kind and name could not be told apart: terms are called `name:term`."""
    seen: dict[tuple[str, str], PluginRef] = {}
    for ref in refs:
        twin = seen.setdefault((ref.kind, ref.name), ref)
        if twin is not ref:
            what = "files" if twin.local and ref.local else f"{ref.kind}s"
            raise PluginError(f"two {what} named '{ref.name}': {twin.spec} and {ref.spec}; rename one, or use only one")


class Session:
    """A robot, perhaps a task, and extras, with a plugin manager of their own."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins = tuple(plugins)
        self._core = _core_plugin()
        self._last_spec: Any = None
        self._manager = new_manager()
        self._register()

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
        """A fresh model of the robot as its package describes it, without actuators."""
        import mujoco

        spec = self._owned("robot", "mjsdk_load_spec", mujoco.MjSpec, robot=self.robot())
        if spec is self._last_spec:
            raise HookError(
                f"{self.robot_ref.label}: mjsdk_load_spec returned the same MjSpec twice; it must make a fresh one"
            )
        self._last_spec = spec
        return spec

    def setup(self, spec: mujoco.MjSpec, collisions: str = "") -> None:
        """Give a robot's model its actuators and the collisions of a preset, the robot's default if none is named."""
        preset = self._collision_preset(collisions)
        self._edit("mjsdk_setup_actuators", robot=self.robot(), spec=spec)
        self._edit("mjsdk_setup_collisions", robot=self.robot(), spec=spec, preset=preset)

    def task(self) -> TaskConfig:
        """A fresh copy of the task for this robot, whose parts are checked."""
        from mjsdk.task import TaskConfig, check_requirements

        task = self._owned("task", "mjsdk_task", TaskConfig, robot=self.robot())
        ref = self.robot_ref
        check_requirements(task.requires, self.robot(), self.task_ref.name, ref.name, ref.package)
        return task

    def adapt(self, config: Config) -> None:
        """Let task, robot and extras, in that order, edit a composed configuration in place."""
        self._edit("mjsdk_adapt", robot=self.robot(), task_name=self.task_ref.name, config=config)

    def terms(self) -> TermRegistry:
        """All terms that the core and the plugins offer."""
        return self._terms

    @cached_property
    def _terms(self) -> TermRegistry:
        from mjsdk.terms import KINDS, TermRegistry

        registry = TermRegistry()
        for kind in KINDS:
            owners: dict[str, Plugin] = {}
            for plugin, terms in self._mappings(f"mjsdk_{kind}_terms"):
                prefix = "" if plugin is self._core else plugin.ref.name
                self._claim(owners, plugin, [f"{prefix}:{name}" for name in terms], f"{kind} term")
                registry.add(kind, terms, prefix)
        return registry

    def exporters(self) -> dict[str, Any]:
        """Ways out of a run, by name."""
        owners: dict[str, Plugin] = {}
        exporters: dict[str, Any] = {}
        for plugin, offered in self._mappings("mjsdk_exporters"):
            self._claim(owners, plugin, offered, "exporter")
            exporters.update(offered)
        return exporters

    # Calling, and blaming

    def _register(self) -> None:
        """Register in reverse of the order of calls (task, robot, extras): pluggy calls what came last first."""
        order = sorted(self.plugins, key=lambda plugin: ("task", "robot", "extra").index(plugin.ref.kind))
        modules: dict[int, Plugin] = {}
        for plugin in (*reversed(order), self._core):
            twin = modules.setdefault(id(plugin.module), plugin)
            if twin is not plugin:
                raise BrokenPlugin(
                    f"{plugin.ref.label} and {twin.ref.label} are the same module; a module can be one plugin. "
                    "Split it in two."
                )
            self._manager.register(plugin.module, name=plugin.id)
        self._manager.check_pending()

    def _of_kind(self, kind: str) -> Plugin:
        for plugin in self.plugins:
            if plugin.ref.kind == kind:
                return plugin
        raise PluginError(f"this session has no {kind}; it has {listing(ref.label for ref in self.refs)}")

    def _owned(self, kind: str, hook: str, kind_of_result: type[T], **arguments: Any) -> T:
        """Call a hook that one plugin must implement, and check what it returns."""
        plugin = self._of_kind(kind)
        result = self._blaming(hook, plugin, lambda: self._only(plugin, hook)(**arguments))
        if not isinstance(result, kind_of_result):
            raise HookError(
                f"{plugin.ref.label}: {hook} returned {_a(result)}; it must return a "
                f"{kind_of_result.__module__.split('.')[0]}.{kind_of_result.__name__}"
            )
        return result

    def _edit(self, hook: str, **arguments: Any) -> None:
        """Call a hook of all plugins, which edits its arguments in place."""
        caller = getattr(self._manager.hook, hook)
        results = self._blaming(hook, None, lambda: caller(**arguments))
        if results:
            names = listing(impl.plugin_name for impl in caller.get_hookimpls() if impl.plugin_name != self._core.id)
            raise HookError(
                f"{hook} returned {_a(results[0])}; it must edit its arguments in place and return nothing. "
                f"Implemented by: {names}"
            )

    def _mappings(self, hook: str) -> Iterator[tuple[Plugin, Mapping[str, Any]]]:
        """What each plugin returns for a hook that gives names to functions or classes."""
        for plugin in (self._core, *self.plugins):
            if hook not in plugin.hooks:
                continue
            results = self._blaming(hook, plugin, self._only(plugin, hook))
            yield plugin, _check_mapping(plugin, hook, results[0] if results else None)

    def _only(self, plugin: Plugin, hook: str) -> Callable[..., Any]:
        others = [module for module in self._manager.get_plugins() if module is not plugin.module]
        return self._manager.subset_hook_caller(hook, others)

    def _blaming(self, hook: str, plugin: Plugin | None, call: Callable[[], T]) -> T:
        try:
            return call()
        except MissingRole as error:
            raise MissingRole(self._missing_role(self._culprit(error) or plugin, error)) from error
        except MjsdkError:
            raise
        except (Exception, SystemExit) as error:
            culprit = self._culprit(error) or plugin or self._core
            raise HookError(f"{culprit.ref.label}: {hook} raised {describe(error, culprit.module.__name__)}") from error

    def _culprit(self, error: BaseException) -> Plugin | None:
        """The plugin that the first frame in plugin code belongs to."""
        for frame, _ in walk_tb(error.__traceback__):
            for plugin in (*self.plugins, self._core):
                if belongs(frame, plugin.module.__name__):
                    return plugin
        return None

    def _claim(
        self, owners: dict[str, Plugin], plugin: Plugin, names: Sequence[str] | Mapping[str, Any], what: str
    ) -> None:
        for name in names:
            other = owners.setdefault(name, plugin)
            if other is not plugin:
                raise HookError(
                    f"{what} '{name}' is offered by {other.ref.label} and by {plugin.ref.label}; use one of them"
                )

    def _collision_preset(self, name: str) -> str:
        presets = self.robot().collisions
        name = name or self.robot().default_collisions
        if presets and name not in presets:
            raise SelectionError(
                f"robot '{self.robot_ref.name}' has no collision preset '{name}'{closest(name, presets) or '.'} "
                f"Legal: {listing(presets)}"
            )
        return name

    def _missing_role(self, culprit: Plugin | None, error: MissingRole) -> str:
        asker = (culprit or self._core).ref
        return (
            f"{asker.kind} '{asker.name}' ({asker.package}) needs a part that robot '{self.robot_ref.name}' "
            f"({self.robot_ref.package}) lacks: {error}. Add the role in its mjsdk_robot(), or choose another robot."
        )


def _core_plugin() -> Plugin:
    """The core's own implementations of the hooks."""
    from mjsdk import __version__

    module = importlib.import_module("mjsdk.builtin")
    return Plugin(PluginRef("core", "mjsdk", "mjsdk", __version__, module.__name__), module, module.MJSDK_API)


def _check_mapping(plugin: Plugin, hook: str, result: Any) -> Mapping[str, Any]:
    where = f"{plugin.ref.label}: {hook}"
    if not isinstance(result, Mapping):
        raise HookError(f"{where} returned {_a(result)}; it must return a mapping of names")
    for name, value in result.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise HookError(f"{where}: {name!r} cannot be a name; use letters, digits and _, without a plugin's prefix")
        if not callable(value):
            raise HookError(f"{where}: '{name}' is {_a(value)}; it must be a function or a class")
    return result


def _a(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
