"""Whether what a checkpoint holds fits the networks, the optimizer and the worlds that shall take it.

torch copies numbers of other kinds and shapes where it can, and its fused Adam reads beyond arrays that are too short.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mjsdk.errors import BrokenRun, shortened
from mjsdk.learn.checkpoints import MOMENTS
from mjsdk.learn.finite import all_finite
from mjsdk.learn.rsl import PPO
from mjsdk.runs import Run

if TYPE_CHECKING:
    from mjsdk.env import Env

_LARGEST = 1e10
"""Largest number of a world; MuJoCo takes what is beyond for unstable."""
_BOUND = "physics/bound/"


def fitting_learner(state: Mapping[str, Any], algorithm: PPO, run: Run) -> dict[str, Any]:
    """What `algorithm` loads of a checkpoint. Raises `BrokenRun` if it is not that of such networks."""
    saved = state["optimizer_state_dict"]
    networks = {"actor": algorithm.actor, "critic": algorithm.critic, "average": algorithm.actor}
    parts = {f"{name}_state_dict": network for name, network in networks.items()}
    misfits = {name: misfit_of_network(state[name], network) for name, network in parts.items()}
    misfits["optimizer_state_dict"] = _misfit_of_optimizer(saved, algorithm.optimizer, state["iter"] > 0)
    _refuse(run, misfits, "Settings of agent.actor and agent.critic cannot change when a training is resumed.")
    # Which of Adam's implementations is used is the affair of this torch and device.
    fresh = algorithm.optimizer.state_dict()["param_groups"]
    groups = [{**new, "lr": old["lr"]} for new, old in zip(fresh, saved["param_groups"], strict=True)]
    moments = {i: {name: entry[name] for name in MOMENTS} for i, entry in saved["state"].items()}
    return {**state, "optimizer_state_dict": {"state": moments, "param_groups": groups}}


def check_worlds(infos: Mapping[str, Any], env: Env, algorithm: PPO, run: Run) -> None:
    """Raise `BrokenRun` unless worlds and memory of a checkpoint can go on in `env`, which takes a step to see it."""
    for field in [name.removeprefix(_BOUND) for name in infos["env"] if name.startswith(_BOUND)]:
        env.physics.bind(field)
    misfits = {"infos.env": _misfit_of_worlds(infos["env"], env.state_dict())}
    for kind, network in (("actor", algorithm.actor), ("critic", algorithm.critic)):
        misfits[f"infos.hidden.{kind}"] = _misfit_of_memory(infos["hidden"][kind], network, env.num_envs)
    _refuse(run, misfits, _OTHER)
    try:
        env.load_state_dict(infos["env"])
        obs = env.step(torch.zeros(env.num_envs, env.num_actions, device=env.device))[0]
    except (RuntimeError, ValueError, IndexError) as error:
        raise BrokenRun(f"the worlds of run {run.name} cannot go on: {shortened(str(error))}. {_OTHER}") from error
    _refuse(run, {"infos.env": "" if all_finite(obs.values()) else "its worlds give NaN or infinite numbers"}, _OTHER)


_OTHER = "Choose another checkpoint, or train again."


def _refuse(run: Run, misfits: Mapping[str, str], advice: str) -> None:
    for part, misfit in misfits.items():
        if misfit:
            raise BrokenRun(f"a checkpoint of run {run.name} does not fit: {part}: {shortened(misfit)}. {advice}")


def misfit_of_network(state: Mapping[str, Tensor], network: nn.Module) -> str:
    """What of a state is not that of a network, or nothing. The network may be on torch's device `meta`."""
    wanted = network.state_dict()
    if set(state) != set(wanted):
        return f"it lacks {_some(set(wanted) - set(state))} and has {_some(set(state) - set(wanted))} instead"
    wrong = [name for name, value in wanted.items() if not _alike(state[name], value)]
    return f"{_told(wrong[0], state[wrong[0]])} and must be {_kind(wanted[wrong[0]])}" if wrong else ""


def _misfit_of_optimizer(saved: Mapping[str, Any], optimizer: torch.optim.Optimizer, begun: bool) -> str:
    """What of a state is not that of Adam on these parameters, or nothing; `begun` if it has taken steps."""
    groups = optimizer.state_dict()["param_groups"]
    if [_fixed(group) for group in saved["param_groups"]] != [_fixed(group) for group in groups]:
        return "param_groups are not those of this training"
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if set(saved["state"]) != (set(range(len(parameters))) if begun else set()):
        return f"state has {len(saved['state'])} entries for {len(parameters)} parameters"
    return next(filter(None, (_misfit_of_moments(i, saved["state"][i], parameters[i]) for i in saved["state"])), "")


def _misfit_of_moments(i: int, moments: Mapping[str, Any], parameter: Tensor) -> str:
    for name in ("exp_avg", "exp_avg_sq"):
        if not _alike(moments[name], parameter):
            return f"{_told(f'state.{i}.{name}', moments[name])} and must be {_kind(parameter)}"
    return f"state.{i}.exp_avg_sq has numbers below 0" if bool((moments["exp_avg_sq"] < 0).any()) else ""


def _fixed(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a group of parameters has whatever torch and device."""
    return {name: _listed(group[name]) for name in ("params", "betas", "eps", "weight_decay", "amsgrad", "maximize")}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _misfit_of_worlds(saved: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> str:
    """What of the state of worlds cannot be that of worlds like `fresh`, or nothing."""
    for name, value in saved.items():
        other = fresh.get(name)
        if other is None or not _alike(value, other):
            return f"{_told(name, value)} and must be {'nothing' if other is None else _kind(other)}"
        if bool(_wild(value).any()) and not bool(_wild(other).any()):
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


def _alike(value: Tensor, other: Tensor) -> bool:
    same = value.dtype == other.dtype or (value.is_floating_point() and other.is_floating_point())
    return same and value.shape == other.shape


def _wild(value: Tensor) -> Tensor:
    return ~(value.abs() <= _LARGEST) if value.is_floating_point() else torch.zeros((), dtype=torch.bool)


def _told(name: str, value: Tensor) -> str:
    return f"{name} is {_kind(value)}"


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"


def _some(names: set[str]) -> str:
    return ", ".join(sorted(map(str, names))[:3]) or "nothing"
