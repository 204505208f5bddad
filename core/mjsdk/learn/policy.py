"""A trained policy as a function, without its environment, and whether it fits another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from mjsdk.config.convert import to_plain
from mjsdk.errors import BrokenRun, MjsdkError
from mjsdk.learn.adapter import GROUPS, build_network
from mjsdk.learn.checkpoints import read_checkpoint
from mjsdk.learn.fitting import described, network_sizes
from mjsdk.learn.rsl import MLPModel
from mjsdk.mdp.clock import GaitClock
from mjsdk.runs import Run

if TYPE_CHECKING:
    from mjsdk.config.agent import AgentConfig
    from mjsdk.env import Env


def describe_policy(agent: AgentConfig, env: Env) -> dict[str, Any]:
    """What a checkpoint says of its policy: the network, what goes in, in which order, and what comes out."""
    networks = {name: attrs.asdict(getattr(agent, name)) for name in GROUPS}
    return {**networks, "clip_actions": agent.clip_actions, **describe_env(env)}


def describe_env(env: Env) -> dict[str, Any]:
    """The part of `describe_policy` that the environment decides."""
    slices = env.observation_slices
    return {
        "num_actions": env.num_actions,
        "observations": {group: {name: [at.start, at.stop] for name, at in slices[group].items()} for group in GROUPS},
        "joints": list(env.names.joints),
        "meaning": _meaning(env),
    }


def _meaning(env: Env) -> dict[str, Any]:
    """Settings that give the same numbers another meaning."""
    groups = {name: env.config.observations[name] for name in GROUPS}
    # What clocks and lifts take from the robot, which the settings do not tell.
    clocks = {name: term for name, term in env.commands.terms.items() if isinstance(term, GaitClock)}
    rhythm: dict[str, Any] = {f"commands.{name}.frequency": float(term.frequency) for name, term in clocks.items()}
    if env.gait is not None and clocks:
        rhythm["gait.offsets"], rhythm["gait.lift"] = list(env.gait.offsets), [dict(lift) for lift in env.gait.lift]
    return {
        "mirror_clock": env.config.mirror_clock,
        "default_joint_pos": [round(value, 6) for value in env.robot.default_joint_pos.tolist()],
        **rhythm,
        **{f"actions.{name}": to_plain(config) for name, config in env.config.actions.items()},
        **{
            f"observations.{group}.terms.{name}.scale": term.scale
            for group, config in groups.items()
            for name, term in config.terms.items()
        },
    }


def check_layout(
    trained: Mapping[str, Any], built: Mapping[str, Any], run: Run, groups: Sequence[str] = GROUPS
) -> None:
    """Raise `BrokenRun` that says what of observations, actions and joints is not as it was in training."""
    changes = []
    for group in groups:
        then, now = trained["observations"][group], built["observations"][group]
        if then != now:
            widths = ({name: stop - start for name, (start, stop) in terms.items()} for terms in (then, now))
            changes.append(f"{group} observations {_differences(*widths)}")
    if trained["num_actions"] != built["num_actions"]:
        changes.append(f"{trained['num_actions']} actions then, {built['num_actions']} now")
    if list(trained["joints"]) != list(built["joints"]):
        orders = ({name: i for i, name in enumerate(layout["joints"])} for layout in (trained, built))
        changes.append(f"joints {_differences(*orders)}")
    for name, value in trained.get("meaning", {}).items():
        of_other_group = name.startswith("observations.") and name.split(".")[1] not in groups
        if built["meaning"].get(name, value) != value and not of_other_group:
            changes.append(f"{name} was {value}, is {built['meaning'][name]}")
    if changes:
        raise BrokenRun(f"run {run.name} does not fit the installed plugins: {'; '.join(changes)}. {_way_out(run)}")


def _way_out(run: Run) -> str:
    trained = run.info.get("plugins", [])
    versions = ", ".join(f"{p['dist'] or p['target']} {p['version']}".strip() for p in trained) or "unknown versions"
    now: list[dict[str, Any]] = []
    with suppress(MjsdkError):
        now = run.session().provenance() if trained else now
    then, installed = ({(p["kind"], p["name"], p["version"]) for p in plugins} for plugins in (trained, now))
    if not trained or then != installed:
        return f"It was trained with {versions}: install those versions, or train again."
    return (
        f"It was trained with these versions ({versions}): the settings or a plugin's code have changed since, or the "
        "checkpoint is that of another training. Undo the change, choose another checkpoint, or train again."
    )


def _differences(then: dict[str, int], now: dict[str, int]) -> str:
    gone = [name for name in then if name not in now]
    new = [name for name in now if name not in then]
    moved = [f"{name} ({then[name]} then, {now[name]} now)" for name in then if name in now and then[name] != now[name]]
    parts = (("without", gone), ("with the new", new), ("with other sizes or places:", moved))
    lines = [f"{text} {', '.join(names[:5])}{'...' if len(names) > 5 else ''}" for text, names in parts if names]
    return ", ".join(lines) or "in another order"


@attrs.frozen(eq=False)
class Policy:
    """The deterministic policy of a checkpoint: the mean of the last part of its training (`agent.averaging`)."""

    _network: MLPModel
    description: Mapping[str, Any]
    """See `describe_policy`."""
    iteration: int
    """Iterations done when it was saved."""
    run: Run
    checkpoint: Path
    """File that it comes from."""
    progress: dict[str, Tensor]
    """How far the training was by then, see `Env.progress`."""

    @torch.no_grad()
    def __call__(self, obs: Mapping[str, Tensor] | Tensor) -> Tensor:
        """Actions, shape (E, A), for the observation group `actor`, shape (E, D), or a dict that has it."""
        actor = obs if isinstance(obs, Tensor) else obs["actor"]
        if actor.shape[-1] != (width := network_sizes(self.description)["actor"][0]):
            raise BrokenRun(
                f"the policy of run {self.run.name} takes {width} observations, not {actor.shape[-1]}: "
                "the robot or the task is not what it was trained with."
            )
        actions, limit = self._network({"actor": actor}), self.description["clip_actions"]
        return actions if limit is None else actions.clamp(-limit, limit)

    def reset(self, ids: Tensor | None = None) -> None:
        """Forget the past of the worlds `ids`, or of all; only recurrent policies have one."""
        state = self._network.get_hidden_state()
        if ids is None or state is None:
            self._network.reset()
            return
        for part in state if isinstance(state, tuple) else (state,):
            part[:, ids] = 0.0

    def check(self, env: Env) -> None:
        """Raise `BrokenRun` unless observations, actions and joints of `env` are those of the training."""
        check_layout(self.description, describe_env(env), self.run, groups=("actor",))


def load_policy(run: Run, checkpoint: str | Path | None = None, device: str = "cpu") -> Policy:
    """The policy of a run: of its newest checkpoint, or of the one named, such as `model_100.pt`."""
    path = run.newest_checkpoint() if checkpoint is None else run.find_checkpoint(checkpoint)
    data = read_checkpoint(run, path, device)
    description = data["infos"]["policy"]
    network = build_network("actor", described(description).actor, *network_sizes(description)["actor"])
    network.load_state_dict(data["average_state_dict"])
    progress = data["infos"]["totals"]["progress"]
    return Policy(network.to(device).eval(), description, data["iter"], run, path, progress)
