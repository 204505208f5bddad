"""Whether what a checkpoint holds fits the networks, the optimizer and the worlds that are to take it.

torch copies numbers of other kinds and shapes where it can, and its fused Adam reads beyond arrays that are too short.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mjsdk.config.checks import check
from mjsdk.config.convert import from_plain
from mjsdk.errors import BrokenRun, ConfigError, refuse, shortened
from mjsdk.learn.adapter import GROUPS, build_network
from mjsdk.learn.finite import all_finite
from mjsdk.learn.rsl import PPO
from mjsdk.runs import Run
from mjsdk.terms import TermRegistry

if TYPE_CHECKING:
    from mjsdk.config.agent import AgentConfig
    from mjsdk.env import Env

_LARGEST = 1e10
"""Largest number of a world; MuJoCo takes what is beyond for unstable."""
_BOUND = "physics/bound/"
_OTHER = "Choose another checkpoint, or train again."
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam remembers of a parameter."""


def described(policy: Mapping[str, Any]) -> AgentConfig:
    """The networks that a checkpoint describes, as settings. Raises `ConfigError` if these are not legal."""
    config = from_plain({"agent": {kind: policy[kind] for kind in GROUPS}})
    refuse([mistake for mistake in check(config, TermRegistry()).mistakes if mistake.path.startswith("agent.")])
    return config.agent


def network_sizes(policy: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Numbers of inputs and outputs of the networks that a checkpoint describes."""
    widths = {kind: max((stop for _, stop in policy["observations"][kind].values()), default=0) for kind in GROUPS}
    return {"actor": (widths["actor"], policy["num_actions"]), "critic": (widths["critic"], 1)}


def misfit_of_learner(data: Mapping[str, Any]) -> str:
    """What of a checkpoint is not that of the networks that it describes, or nothing.

    These are built without memory: whoever wrote the description may lie about their size.
    """
    try:
        agent = described(data["infos"]["policy"])
    except ConfigError as error:
        return f"infos.policy has {error}"
    sizes, states = network_sizes(data["infos"]["policy"]), {kind: data[f"{kind}_state_dict"] for kind in GROUPS}
    if any(not min(sizes[kind]) or len(getattr(agent, kind).hidden_dims) > len(states[kind]) for kind in GROUPS):
        return "infos.policy has a network without inputs or outputs, or with more layers than weights"
    with torch.device("meta"):
        networks = {kind: build_network(kind, getattr(agent, kind), *sizes[kind]) for kind in GROUPS}
    misfits = {f"{kind}_state_dict": _misfit_of_network(states[kind], networks[kind]) for kind in GROUPS}
    misfits["average_state_dict"] = _misfit_of_network(data["average_state_dict"], networks["actor"])
    parameters = [parameter for network in networks.values() for parameter in network.parameters()]
    misfits["optimizer_state_dict"] = _misfit_of_optimizer(
        data["optimizer_state_dict"], torch.optim.Adam(parameters), data["iter"] > 0
    )
    found = next((f"{name}: {misfit}" for name, misfit in misfits.items() if misfit), "")
    return found and f"its weights are not those of the network that infos.policy describes: {found}"


def loadable(state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """A checkpoint for rsl_rl to load: which of Adam's implementations is used is the affair of this torch."""
    saved, fresh = state["optimizer_state_dict"], optimizer.state_dict()["param_groups"]
    groups = [{**new, "lr": old["lr"]} for new, old in zip(fresh, saved["param_groups"], strict=True)]
    moments = {i: {name: entry[name] for name in MOMENTS} for i, entry in saved["state"].items()}
    return {**state, "optimizer_state_dict": {"state": moments, "param_groups": groups}}


def check_worlds(infos: Mapping[str, Any], env: Env, algorithm: PPO, run: Run) -> None:
    """Raise `BrokenRun` unless worlds and memory of a checkpoint fit `env`, which takes a step to see it."""
    for field in [name.removeprefix(_BOUND) for name in infos["env"] if name.startswith(_BOUND)]:
        env.physics.bind(field)
    misfits = {"infos.env": _misfit_of_worlds(infos["env"], env.state_dict())}
    for kind, network in (("actor", algorithm.actor), ("critic", algorithm.critic)):
        misfits[f"infos.hidden.{kind}"] = _misfit_of_memory(infos["hidden"][kind], network, env.num_envs)
    _refuse(run, misfits)
    try:
        env.load_state_dict(infos["env"])
        obs = env.step(torch.zeros(env.num_envs, env.num_actions, device=env.device))[0]
    except (RuntimeError, ValueError, IndexError) as error:
        raise BrokenRun(f"the worlds of run {run.name} cannot be resumed: {shortened(str(error))}. {_OTHER}") from error
    _refuse(run, {"infos.env": "" if all_finite(obs.values()) else "its worlds give NaN or infinite numbers"})


def _refuse(run: Run, misfits: Mapping[str, str]) -> None:
    for part, misfit in misfits.items():
        if misfit:
            raise BrokenRun(f"a checkpoint of run {run.name} does not fit: {part}: {shortened(misfit)}. {_OTHER}")


def _misfit_of_network(state: Mapping[str, Tensor], network: nn.Module) -> str:
    """What of a state is not that of a network, or nothing."""
    wanted = network.state_dict()
    if set(state) != set(wanted):
        lacking, foreign = (
            ", ".join(sorted(map(str, names))[:3]) or "nothing"
            for names in (set(wanted) - set(state), set(state) - set(wanted))
        )
        return f"it lacks {lacking} and has {foreign} instead"
    return next(filter(None, (_unlike(name, state[name], value) for name, value in wanted.items())), "")


def _misfit_of_optimizer(saved: Mapping[str, Any], optimizer: torch.optim.Optimizer, begun: bool) -> str:
    """What of a state is not that of Adam on these parameters, or nothing; `begun` if it has taken steps."""
    groups = optimizer.state_dict()["param_groups"]
    if [_fixed(group) for group in saved["param_groups"]] != [_fixed(group) for group in groups]:
        return "param_groups are not those of this training"
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if set(saved["state"]) != (set(range(len(parameters))) if begun else set()):
        return f"state has {len(saved['state'])} entries for {len(parameters)} parameters"
    for i, moments in saved["state"].items():
        unlike = (_unlike(f"state.{i}.{name}", moments[name], parameters[i]) for name in ("exp_avg", "exp_avg_sq"))
        if wrong := next(filter(None, unlike), ""):
            return wrong
        if bool((moments["exp_avg_sq"] < 0).any()):
            return f"state.{i}.exp_avg_sq has numbers below 0"
    return ""


def _fixed(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a group of parameters has whatever torch and device."""
    names = ("params", "eps", "weight_decay", "amsgrad", "maximize")
    return {"betas": list(group["betas"]), **{name: group[name] for name in names}}


def _misfit_of_worlds(saved: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> str:
    """What of the state of worlds cannot be that of worlds like `fresh`, or nothing."""
    for name, value in saved.items():
        if wrong := _unlike(name, value, fresh.get(name)):
            return wrong
        if bool(_wild(value).any()) and not bool(_wild(fresh[name]).any()):
            return f"{name} has numbers that are NaN, infinite or beyond {_LARGEST:g}"
    return ""


def _misfit_of_memory(hidden: Any, network: nn.Module, worlds: int) -> str:
    """What of a recurrent state is not that of a network for so many worlds, or nothing."""
    if hidden is None:
        return ""
    parts = hidden if isinstance(hidden, tuple | list) else [hidden]
    rnn = getattr(getattr(network, "rnn", None), "rnn", None)
    shape = None if rnn is None else (rnn.num_layers, worlds, rnn.hidden_size)
    count = 2 if isinstance(rnn, nn.LSTM) else 1
    right = len(parts) == count and all(part.shape == shape and part.is_floating_point() for part in parts)
    return "" if right and all_finite(parts) else "it is not that of the network"


def _unlike(name: str, value: Tensor, wanted: Tensor | None) -> str:
    """What a tensor is and must be, or nothing if it can stand for the wanted one."""
    if wanted is not None and value.shape == wanted.shape:
        kinds = {value.dtype, wanted.dtype}
        if len(kinds) == 1 or all(kind.is_floating_point for kind in kinds):
            return ""
    return f"{name} is {_kind(value)} and must be {'nothing' if wanted is None else _kind(wanted)}"


def _wild(value: Tensor) -> Tensor:
    return ~(value.abs() <= _LARGEST) if value.is_floating_point() else torch.zeros((), dtype=torch.bool)


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
