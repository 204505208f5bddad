"""How good a policy is: fixed commands, fixed seeds, faithful physics."""

from mjsdk.evaluate.commands import STANDARD, Command, parse_command
from mjsdk.evaluate.report import DEFINITIONS, Report, how_measured, make_report
from mjsdk.evaluate.rollout import Episodes, run_episodes
from mjsdk.evaluate.run import check_run, evaluate_run, one_torch_thread, rebuild
from mjsdk.evaluate.setup import SIMS, Options, check_options, evaluation_config
from mjsdk.evaluate.statistics import clopper_pearson

__all__ = [
    "DEFINITIONS",
    "SIMS",
    "STANDARD",
    "Command",
    "Episodes",
    "Options",
    "Report",
    "check_options",
    "check_run",
    "clopper_pearson",
    "evaluate_run",
    "evaluation_config",
    "how_measured",
    "make_report",
    "one_torch_thread",
    "parse_command",
    "rebuild",
    "run_episodes",
]
