"""Checkpoints: written in full or not at all, read without running code, checked bit by bit.

A checkpoint is a dict of tensors and plain data:

* `actor_state_dict`, `critic_state_dict`, `optimizer_state_dict`, `iter`: as in rsl_rl's own checkpoints
* `average_state_dict`: the actor that leaves the training, see `learn.average`
* `infos`: `format`, `policy` (see `learn.policy`), `totals`, `rng`, `hidden`, `env`, `plugins`
"""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mjsdk.errors import BrokenRun, listing
from mjsdk.learn.finite import all_finite
from mjsdk.runs import Run, write_atomically

FORMAT = 1
"""Grows when older versions of mjsdk could not read what is written."""

_INFOS = ("policy", "totals", "rng", "hidden", "env", "num_envs")
_POLICY = ("actor", "critic", "clip_actions", "num_actions", "observations", "joints")
"""What readers of a checkpoint look for."""
_PARTS = ("actor_state_dict", "critic_state_dict", "optimizer_state_dict", "iter", "infos")


def write_checkpoint(path: Path, data: Mapping[str, Any]) -> None:
    """Write a checkpoint. Raises `StorageError`; what was there before is then untouched."""
    buffer = io.BytesIO()
    torch.save(dict(data), buffer)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(run: Run, path: Path, device: str = "cpu") -> dict[str, Any]:
    """Read a checkpoint of `run`. Raises `BrokenRun` that names the damaged file and the newest that is whole."""
    try:
        return _read(path, device)
    except BrokenRun as error:
        raise BrokenRun(f"{error} {_way_out(run, path)}") from error


def _read(path: Path, device: str) -> dict[str, Any]:
    try:
        _check_bits(path)
        data = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:  # torch's own words advise to load it all the same
        raise BrokenRun(f"{path} cannot be read: it holds code, or is not a checkpoint that mjsdk wrote.") from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BrokenRun(f"{path} cannot be read, it is damaged or no checkpoint ({_first_line(error)}).") from error
    if _format(data) > FORMAT:
        raise BrokenRun(f"{path} was written by a newer mjsdk (format {_format(data)}, this one reads {FORMAT}).")
    if wrong := _wrong(data):
        raise BrokenRun(f"{path} is not a checkpoint that mjsdk wrote: {wrong}.")
    actor = data["actor_state_dict"]
    average = data.setdefault("average_state_dict", actor)
    if not _alike(average, actor):
        raise BrokenRun(f"{path} is not a checkpoint that mjsdk wrote: average_state_dict is not that of its actor.")
    weights = [*actor.values(), *data["critic_state_dict"].values(), *average.values()]
    if not all_finite(weights):
        raise BrokenRun(f"{path} cannot be used: some of its weights are NaN or infinite.")
    return data


def _wrong(data: Any) -> str:
    """What shows that another program wrote a file; nothing if mjsdk did."""
    missing = [part for part in _PARTS if part not in data] if isinstance(data, dict) else list(_PARTS)
    if missing:
        return f"it lacks {', '.join(missing)}"
    for name in ("actor_state_dict", "critic_state_dict"):
        state = data[name]
        if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
            return f"{name} is not that of a network"
    if not _counts(data["iter"]):
        return f"iter is {data['iter']!r}, and must be a whole number from 0"
    if not _format(data):
        return "it lacks infos.format, which says who wrote it"
    infos, policy = data["infos"], data["infos"].get("policy")
    missing = [f"infos.{name}" for name in _INFOS if name not in infos]
    missing += [f"infos.policy.{name}" for name in _POLICY if not isinstance(policy, dict) or name not in policy]
    return f"it lacks {', '.join(missing)}" if missing else ""


def _format(data: Any) -> int:
    """The format that a file says it has; 0 if it says none."""
    infos = data.get("infos") if isinstance(data, dict) else None
    found = infos.get("format") if isinstance(infos, dict) else None
    return int(found) if isinstance(found, int) and _counts(found) else 0


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _alike(state: Any, other: Mapping[str, torch.Tensor]) -> bool:
    """Whether two states of networks have the same names and shapes."""
    if not isinstance(state, dict) or set(state) != set(other):
        return False
    return all(isinstance(value, torch.Tensor) and value.shape == other[name].shape for name, value in state.items())


def _check_bits(path: Path) -> None:
    """Compare all checksums: torch does not, and would load flipped bits as weights."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise BrokenRun(f"{path} is damaged: the checksum of {damaged} is wrong.")


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no details'}"


def _way_out(run: Run, damaged: Path) -> str:
    if damaged not in run.checkpoints():  # whatever it is, it is not for us to say that it is in the way
        return f"Name a checkpoint of the run: {listing(path.name for path in run.checkpoints())}."
    whole = next((path for path in reversed(run.checkpoints()) if path != damaged and _is_whole(path)), None)
    if whole is None:
        return "No other checkpoint of this run is whole: choose another run, or train again."
    return f"The newest whole one is {whole.name}: delete or move {damaged.name} to use that instead."


def _is_whole(path: Path) -> bool:
    try:
        _read(path, "cpu")
    except BrokenRun:
        return False
    return True


def progress_of(data: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """How far a training was, see `Env.progress`; earlier versions kept that with the worlds alone."""
    worlds = {name.removeprefix("buffer/"): value for name, value in data["infos"]["env"].items()}
    progress: dict[str, torch.Tensor] = data["infos"]["totals"].get("progress", worlds)
    return progress


# Random number generators


def random_state() -> dict[str, Any]:
    """States of the process's random number generators, as tensors and plain data."""
    version, keys, gauss = random.getstate()
    name, array, position, has_gauss, cached = np.random.get_state(legacy=True)
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": [version, torch.tensor(keys, dtype=torch.int64), gauss],
        "numpy": [
            str(name),
            torch.from_numpy(np.asarray(array, dtype=np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ],
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: Mapping[str, Any]) -> None:
    """Go on with random numbers where `random_state` was taken."""
    torch.set_rng_state(state["torch"].cpu())
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys.tolist()), gauss))
    name, array, *rest = state["numpy"]
    np.random.set_state((name, array.cpu().numpy().astype(np.uint32), *rest))
    if "cuda" in state and torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([each.cpu() for each in state["cuda"]])


def seed_everything(seed: int) -> None:
    """Seed the process's random number generators."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
