"""Run folders: what a training leaves behind, how it is found again, and what is rebuilt from it.

logs/rsl_rl/<experiment_name>/<time>[_<run_name>]/
    config.yaml     all settings, plain data
    run.json        where they came from: plugins and versions, seed, git state, command line
    model_<n>.pt    checkpoints, by iterations done; model_0.pt is the policy before training
    metrics.jsonl   one line per iteration
    plugins/        copies of local files that were used as plugins
    abandoned/      what lay beyond a checkpoint that the training went back to
"""

from mjsdk.runs.files import metrics_lines
from mjsdk.runs.finding import all_runs, create_run, find_run, newest_run
from mjsdk.runs.run import METRICS, Run

__all__ = [
    "METRICS",
    "Run",
    "all_runs",
    "create_run",
    "find_run",
    "metrics_lines",
    "newest_run",
]
