"""Checkpoints: written in full or not at all, read without running code, checked bit by bit.

A checkpoint is a dict of tensors and plain data, `SHAPE`:

* `actor_state_dict`, `critic_state_dict`, `optimizer_state_dict`, `iter`: as in rsl_rl's own checkpoints
* `average_state_dict`: the actor that leaves the training, see `learn.average`
* `infos`: `format`, `policy` (see `learn.policy`), `totals`, `rng`, `hidden`, `env` and the shapes of what is in it,
  `num_envs`, `plugins`; of a training on many processes `ranks`: the four that are its own of each rank but the first

Whether it fits the networks that it describes, and worlds, is checked by `learn.fitting`.
"""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from mjsdk.config.env import MAX_WORLDS
from mjsdk.errors import BrokenRun, listing, said, shortened
from mjsdk.files import write_atomically
from mjsdk.learn.finite import all_finite
from mjsdk.learn.fitting import MOMENTS, misfit_of_learner
from mjsdk.runs import Run
from mjsdk.runs.files import open_regular
from mjsdk.runs.schema import (
    AMOUNT,
    COUNT,
    NAME,
    NUMBER,
    PLAIN,
    PLUGIN,
    SWITCH,
    TEXT,
    Kind,
    Shape,
    check,
    counts,
    or_none,
)

FORMAT = 2
"""Grows when older versions could not read what is written, or new ones need more. 2: the mean and all shapes."""

_MOST_BYTES = 4 * 2**30
"""Bytes of a checkpoint that are read; a network of the largest legal size has fewer."""
_REAL = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def _is_dense(value: Any) -> bool:
    """Whether a value is a tensor of real numbers, integers or switches that has all its elements in memory."""
    plain = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized
    if not plain or value.is_meta or value.is_complex():
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _integers(size: int) -> Kind:
    return Kind(
        f"{size} whole numbers",
        lambda value: _is_dense(value) and value.dtype == torch.int64 and value.shape == (size,),
    )


def _is_generator_state(value: Any) -> bool:
    try:
        torch.Generator().set_state(value.cpu())
    except (AttributeError, RuntimeError, TypeError, ValueError, OverflowError):
        return False
    return True


def _is_small(value: Tensor) -> bool:
    return bool((value.to(torch.float64).abs() < 2**53).all())


_TENSOR = Kind("a dense tensor of real numbers", _is_dense)
_STEP = Kind(
    "a tensor of one number from 0",
    lambda value: _is_dense(value) and value.dtype in _REAL and value.ndim == 0 and 0 <= float(value) < 1e15,
)
_FLOATS = Kind("a dense tensor of floating point", lambda value: _is_dense(value) and value.dtype in _REAL)
_SMALL = Kind("a dense tensor of numbers below 2^53", lambda value: _is_dense(value) and _is_small(value))
_WHOLE = counts(10**9)
_HIDDEN = Kind(
    "nothing, a tensor or two tensors",
    lambda value: value is None or _is_dense(value) or (isinstance(value, tuple | list) and all(map(_is_dense, value))),
)
_SETTINGS: Mapping[str, Shape] = {
    "class_name": NAME,
    "hidden_dims": [_WHOLE],
    "activation": NAME,
    "obs_normalization": SWITCH,
    "rnn_hidden_dim": _WHOLE,
    "rnn_num_layers": _WHOLE,
}
_NOISE: Mapping[str, Shape] = {"init_noise_std": AMOUNT, "noise_std_type": NAME, "noise_std_range": [AMOUNT]}
_GROUP: Shape = {"*": (_WHOLE, _WHOLE)}
_OPTIONS: Mapping[str, Shape] = {
    **dict.fromkeys(("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay?"), SWITCH),
    **dict.fromkeys(("foreach", "fused"), or_none(SWITCH)),
    **dict.fromkeys(("eps", "weight_decay"), AMOUNT),
    "betas": (AMOUNT, AMOUNT),
}

_OWN: Mapping[str, Shape] = {
    "rng": {
        "torch": Kind("a state of torch's generator", _is_generator_state),
        "python": (COUNT, _integers(625), or_none(NUMBER)),
        "numpy": (NAME, _integers(624), counts(624), counts(1), NUMBER),
        "cuda?": [Kind("a tensor of bytes", lambda value: _is_dense(value) and value.dtype == torch.uint8)],
    },
    "hidden": {"actor": _HIDDEN, "critic": _HIDDEN},
    "env": {"*": _TENSOR},
    "shapes": {"*": [_WHOLE]},
}
"""What every process of a training has for itself."""
_NETWORKS = ("actor_state_dict", "critic_state_dict", "average_state_dict")

SHAPE: Mapping[str, Shape] = {
    **{name: {"*": _TENSOR} for name in _NETWORKS},
    "optimizer_state_dict": {
        "state": {"#": dict(zip(MOMENTS, (_STEP, _FLOATS, _FLOATS), strict=True))},
        "param_groups": [{"lr": AMOUNT, "params": [_WHOLE], **_OPTIONS}],
    },
    "iter": _WHOLE,
    "infos": {
        "format": counts(FORMAT),
        "policy": {
            "actor": {**_SETTINGS, **_NOISE, "*": PLAIN},
            "critic": {**_SETTINGS, "*": PLAIN},
            "clip_actions": or_none(AMOUNT),
            "num_actions": _WHOLE,
            "observations": {"actor": _GROUP, "critic": _GROUP},
            "joints": [TEXT],
            "meaning": {"*": PLAIN},
        },
        "totals": {"timesteps": COUNT, "seconds": AMOUNT, "progress": {"*": _SMALL}},
        **_OWN,
        "ranks?": [_OWN],
        "num_envs": counts(MAX_WORLDS),
        "plugins": [{**PLUGIN, "api": COUNT}],
    },
}
"""What a checkpoint must hold."""


def write_checkpoint(path: Path, data: Mapping[str, Any]) -> None:
    """Write a checkpoint. Raises `StorageError`; what was there before is then untouched."""
    buffer = io.BytesIO()
    torch.save(dict(data), buffer)
    write_atomically(path, buffer.getvalue())


def on_cpu(data: Any) -> Any:
    """Plain data with copies of its tensors on the CPU, for other processes."""
    if isinstance(data, Tensor):
        return data.detach().cpu()
    if isinstance(data, Mapping):
        return {name: on_cpu(value) for name, value in data.items()}
    return type(data)(map(on_cpu, data)) if isinstance(data, list | tuple) else data


def read_checkpoint(run: Run, path: Path, device: str = "cpu") -> dict[str, Any]:
    """Read a checkpoint of `run`. Raises `BrokenRun` that names the damaged file and the newest that is whole."""
    try:
        return _read(path, device)
    except BrokenRun as error:
        raise BrokenRun(f"{error} {_way_out(run, path)}") from error


def _read(path: Path, device: str) -> dict[str, Any]:
    try:
        with open_regular(path, _MOST_BYTES) as file:
            _check_bits(path, file)
            file.seek(0)
            data = torch.load(file, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:  # torch's own words advise to load it all the same
        raise BrokenRun(f"{path} cannot be read: it holds code, or is not a checkpoint that mjsdk wrote.") from error
    except BrokenRun:
        raise
    except Exception as error:  # whatever a stranger's bytes make zipfile and torch raise
        raise BrokenRun(f"{path} cannot be read, it is damaged or no checkpoint ({said(error)}).") from error
    _check(path, data)
    return data


def _check(path: Path, data: Any) -> None:
    """Raise `BrokenRun` unless a checkpoint holds what it must. What older versions left out is added."""
    infos = data.get("infos") if isinstance(data, dict) else None
    given = infos.get("format") if isinstance(infos, dict) else None
    found = given if type(given) is int else 0
    if found > FORMAT:
        raise BrokenRun(f"{path} was written by a newer mjsdk (format {found}, this one reads {FORMAT}).")
    if found == 1:
        _fill_in(data)
    check(path, data, SHAPE, "a checkpoint that mjsdk wrote")
    learned = {name: list(data[name].values()) for name in _NETWORKS}
    for i, moments in data["optimizer_state_dict"]["state"].items():
        learned[f"optimizer_state_dict.state.{i}"] = [moments[name] for name in MOMENTS]
    for name, tensors in learned.items():
        if not all_finite(tensors):
            raise BrokenRun(f"{path} cannot be used: some numbers of {name} are NaN or infinite.")
    if misfit := misfit_of_learner(data):
        raise BrokenRun(f"{path} is not a checkpoint that mjsdk wrote: {shortened(misfit, 400)}.")
    for own in (data["infos"], *data["infos"].get("ranks", [])):
        if {name: list(tensor.shape) for name, tensor in own["env"].items()} != own["shapes"]:
            wrong = "infos.env does not hold what infos.shapes says"
            raise BrokenRun(f"{path} is not a checkpoint that mjsdk wrote: {wrong}.")


def _fill_in(data: dict[str, Any]) -> None:
    """What a checkpoint of format 1 does not say."""
    data.setdefault("average_state_dict", data.get("actor_state_dict"))
    env, policy = data["infos"].get("env"), data["infos"].get("policy")
    if isinstance(env, dict) and isinstance(policy, dict):
        data["infos"]["shapes"] = {name: list(getattr(value, "shape", ())) for name, value in env.items()}
        policy.setdefault("meaning", {})
        if isinstance(totals := data["infos"].get("totals"), dict):
            kept = {name: value for name, value in env.items() if _is_dense(value) and _is_small(value)}
            totals.setdefault("progress", {str(name).removeprefix("buffer/"): value for name, value in kept.items()})
        data["infos"].setdefault("plugins", [])


def _check_bits(path: Path, file: BinaryIO) -> None:
    """Compare all checksums: torch does not, and would load flipped bits as weights. Refuse what would swell."""
    with zipfile.ZipFile(file) as archive:
        packed = any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist())
        if packed or sum(part.file_size for part in archive.infolist()) > file.seek(0, io.SEEK_END):
            raise BrokenRun(f"{path} is not a checkpoint that mjsdk wrote: its parts are larger than the file.")
        damaged = archive.testzip()
    if damaged:
        raise BrokenRun(f"{path} is damaged: the checksum of {damaged} is wrong.")


def _way_out(run: Run, damaged: Path) -> str:
    if damaged not in run.checkpoints():  # whatever it is, it is not for us to say that it is in the way
        return f"Name a checkpoint of the run: {listing(path.name for path in run.checkpoints())}."
    for path in (path for path in reversed(run.checkpoints()) if path != damaged):
        with suppress(BrokenRun):
            _read(path, "cpu")
            return f"The newest whole one is {path.name}: delete or move {damaged.name} to use that instead."
    return "No other checkpoint of this run is whole: choose another run, or train again."


# Random number generators


def random_state() -> dict[str, Any]:
    """States of the process's random number generators, as tensors and plain data."""
    version, keys, gauss = random.getstate()
    name, array, *numbers = np.random.get_state(legacy=True)
    whole = torch.from_numpy(np.asarray(array, dtype=np.int64))
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": [version, torch.tensor(keys, dtype=torch.int64), gauss],
        "numpy": [str(name), whole, int(numbers[0]), int(numbers[1]), float(numbers[2])],
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: Mapping[str, Any]) -> None:
    """Continue with random numbers where `random_state` was taken."""
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
