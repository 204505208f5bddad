"""The whole configuration of a run."""

from __future__ import annotations

import attrs

from mjsdk.config.agent import AgentConfig
from mjsdk.config.env import EnvConfig
from mjsdk.config.fields import setting


@attrs.define(kw_only=True)
class TrainConfig:
    """How a training is run and recorded. Each has a short flag: `--device`, `--video`, `--log-root`..."""

    device: str = setting(
        "auto",
        "Where physics and learning run: auto, cpu, cuda or cuda:N.",
        advice="auto is the first CUDA device if torch and MuJoCo Warp can use one, else the CPU.",
    )
    physics: str = setting(
        "auto",
        "What steps the worlds: native MuJoCo on all cores (cpu), or MuJoCo Warp (warp).",
        choices=("auto", "cpu", "warp"),
        advice="auto is warp on a CUDA device, which has nothing else, and cpu on a CPU, where warp is five times slower and "
        "serves to test.",
    )
    video: bool = setting(False, "Record videos of one world while training.", advice="Costs a few seconds per video.")
    video_length: int = setting(
        200,
        "Length of each video.",
        unit="control steps",
        recommended=(50, 2000),
        exclusive_min=0,
        bounds=(None, 1_000_000),
    )
    video_interval: int = setting(
        100, "Iterations between videos.", recommended=(10, 10_000), exclusive_min=0, bounds=(None, 10**9)
    )
    log_root: str = setting("logs", "Folder that holds rsl_rl/<experiment_name>/<run>.")


@attrs.define(kw_only=True)
class Config:
    """Everything that a run is rebuilt from; plain data once unstructured."""

    robot: str = setting("", "The robot, as `name`, `package:name` or `./file.py`.")
    task: str = setting("", "The task, likewise.")
    extras: list[str] = setting(factory=list, meaning="Extras loaded with --with.")
    preset: str = setting("", "Named preset that was applied: cpu, gpu, stable, or several joined by commas.")
    env: EnvConfig = setting(factory=EnvConfig, meaning="The environment.")
    agent: AgentConfig = setting(factory=AgentConfig, meaning="The learner.")
    train: TrainConfig = setting(factory=TrainConfig, meaning="How the training is run.")
