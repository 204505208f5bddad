"""`mjsdk show robot` and `mjsdk show task`: what one plugin says."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mjsdk.cli import _output
from mjsdk.cli._commands import AsJson, Commands
from mjsdk.errors import PluginError, closest, listing

KINDS = ("robot", "task")
"""What can be shown."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=_Show, help="Show the facts of one robot or task.", no_args_is_help=True)
    group.command("robot")(show_robot)
    group.command("task")(show_task)
    app.add_typer(group, name="show", rich_help_panel="Look")


class _Show(Commands):
    """Tells who leaves out `robot` or `task` what to write."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names."""
        from mjsdk.plugins.index import installed

        word = args[0]
        if word in self.commands or word.startswith("-"):
            return super().resolve_command(ctx, args)
        named = [ref for ref in installed() if word in (ref.name, ref.spec) and ref.kind in KINDS]
        meant = dict.fromkeys(f"`mjsdk show {ref.kind} {word}`" for ref in named)
        hint = f", did you mean {' or '.join(meant)}?" if meant else closest(word, KINDS) or "."
        raise PluginError(f"no kind of plugin '{word}'{hint} Legal: {listing(f'{kind} NAME' for kind in KINDS)}")


def show_robot(
    name: Annotated[str, typer.Argument(help="The robot: name, package:name or ./file.py.")], as_json: AsJson = False
) -> None:
    """Joints, actuators, roles, poses and collision presets of a robot."""
    from mjsdk.cli._facts import robot_facts
    from mjsdk.plugins import open_session

    facts = robot_facts(open_session(name))
    if as_json:
        _output.print_json(facts)
    else:
        _print_robot(facts)


def show_task(
    name: Annotated[str, typer.Argument(help="The task: name, package:name or ./file.py.")],
    robot: Annotated[
        str | None, typer.Option(help="The robot to show it for.", show_default="one with every part")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Requirements, observations, actions, rewards and the other terms of a task."""
    from mjsdk.cli._facts import task_facts

    facts = task_facts(name, robot)
    if as_json:
        _output.print_json(facts)
    else:
        _print_task(facts)


def _print_robot(facts: dict[str, Any]) -> None:
    from rich.text import Text

    console = _output.console()
    _print_origin(facts)
    console.print(f"{facts['dof']} joint{'' if facts['dof'] == 1 else 's'}, {facts['mass']:.4g} kg")
    for fate in dict.fromkeys(found["fate"] for found in facts["model"]):
        things = [_found(found) for found in facts["model"] if found["fate"] == fate]
        console.print(Text(f"{fate} in its model: {', '.join(things)}"))
    console.print()
    roles = [
        (role if i == 0 else "", part, ", ".join(names))
        for role, parts in facts["roles"].items()
        for i, (part, names) in enumerate(parts.items())
    ]
    poses = [
        (name + (" (default)" if i == 0 else ""), _value(pose["pos"]), _map(pose["joint_pos"]) or "all 0")
        for i, (name, pose) in enumerate(facts["poses"].items())
    ]
    collisions = [
        (name + (" (default)" if i == 0 else "") if k == 0 else "", ", ".join(rule["geoms"]), _contacts(rule))
        for i, (name, rules) in enumerate(facts["collisions"].items())
        for k, rule in enumerate(rules)
    ]
    console.print(_joints(facts))
    console.print(_output.Table("roles", ("role", "part", "names"), roles))
    console.print(_output.Table("poses", ("pose", "base [m]", "joints [rad]"), poses))
    console.print(_output.Table("collision presets", ("preset", "geoms", "contacts"), collisions))


def _found(found: dict[str, Any]) -> str:
    names = found["names"]
    return f"{found['what']} ({', '.join(names) if len(names) <= _FEW and all(names) else len(names)})"


def _print_origin(facts: dict[str, Any]) -> None:
    from rich.text import Text

    console = _output.console()
    source = f"{facts['dist']} {facts['version']} ({facts['target']})" if facts["dist"] else facts["target"]
    console.print(Text.assemble((facts["name"], "bold cyan"), f"  {facts['summary']}"))
    console.print(Text(f"from {source}, hooks: {', '.join(facts['hooks'])}"))


def _joints(facts: dict[str, Any]) -> Any:
    columns = {
        "kp\n[N m\n/rad]": "kp",
        "kd\n[N m s\n/rad]": "kd",
        "effort\n[N m]": "effort_limit",
        "armature\n[kg m^2]": "armature",
        "action\nscale\n[rad]": "action_scale",
    }
    rows = []
    for joint in facts["joints"]:
        motor, limits = joint["actuator"] or {}, joint["range"]
        span = f"{limits[0]:.4g} .. {limits[1]:.4g}" if limits else "unlimited"
        numbers = (motor.get(key) for key in columns.values())
        rows.append([joint["name"], span, *("" if number is None else f"{number:.4g}" for number in numbers)])
    names = ("joint", "range\n[rad]", *columns)
    return _output.Table("joints and actuators", names, rows, right=names[1:], whole=names[:2])


def _contacts(rule: dict[str, Any]) -> str:
    whom = [whom for whom, key in (("world", "world"), ("robot", "self_collision")) if rule[key]]
    return f"{' and '.join(whom)}, condim {rule['condim']}, friction {_value(rule['friction'])}"


def _print_task(facts: dict[str, Any]) -> None:
    console = _output.console()
    _print_origin(facts)
    whom = f"robot {facts['robot']}" if facts["robot"] else "a robot with every part (--robot NAME: for that one)"
    console.print(
        f"for {whom}, control at {1 / facts['step_dt']:.4g} Hz, episodes of {facts['episode_length_s']:g} s\n"
    )
    needs = [(need["role"], f"{need['at_least']}+ {need['part']}", need["why"]) for need in facts["requires"]]
    console.print(_output.Table("needs", ("role", "parts", "for"), needs))
    for group, settings in facts["observations"].items():
        console.print(_terms(f"observations: {group}", settings["terms"], _observation))
    for section in ("actions", "commands", "rewards", "terminations", "events", "curriculum", "metrics"):
        if facts[section]:
            console.print(_terms(section, facts[section], _DETAILS.get(section, _settings)))
    if facts["evaluation"]:
        terms = facts["evaluation"]["terminations"]
        console.print(_terms("terminations in evaluations, however it was trained", terms, _DETAILS["terminations"]))


def _terms(title: str, terms: dict[str, Any], details: Any) -> Any:
    rows = []
    for name, term in terms.items():
        settings = [text for text in (details(term), _map(term.get("params") or {})) if text]
        rows.append((name, term["func"], ", ".join(settings)))
    return _output.Table(title, ("name", "func", "settings"), rows, whole=("func",))


def _observation(term: dict[str, Any]) -> str:
    parts = [f"{term['noise']['type']} noise {term['noise']['scale']:g}"] if term["noise"] else []
    parts += [f"scale {term['scale']}"] if term["scale"] != 1.0 else []
    parts += [f"delay {term['delay_min_lag']}..{term['delay_max_lag']}"] if term["delay_max_lag"] else []
    parts += [f"history {term['history_length']}"] if term["history_length"] > 1 else []
    return ", ".join(parts)


def _settings(term: dict[str, Any]) -> str:
    return _map({key: value for key, value in term.items() if key not in ("func", "params")})


_DETAILS = {
    "rewards": lambda term: f"weight {term['weight']:g}",
    "terminations": lambda term: "time limit" if term["time_out"] else "failure",
    "events": lambda term: (
        term["mode"] + (f" every {_value(term['interval_range_s'])} s" if term["interval_range_s"] else "")
    ),
}


_FEW = 3
"""Entries of a map that are shown within a line; `mjsdk explain` shows all of them."""


def _map(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + _map(value) + "}" if len(value) <= _FEW else f"{len(value)} entries"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
