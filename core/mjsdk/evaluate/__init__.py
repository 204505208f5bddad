"""How good a policy is: fixed commands, fixed seeds, faithful physics."""

from mjsdk.evaluate.commands import STANDARD, Command, parse_command
from mjsdk.evaluate.report import Report, how_measured, make_report
from mjsdk.evaluate.run import check_run, evaluate_run, one_torch_thread, rebuild
from mjsdk.evaluate.setup import Options, check_options, evaluation_config

__all__ = [
    "STANDARD",
    "Command",
    "Options",
    "Report",
    "check_options",
    "check_run",
    "evaluate_run",
    "evaluation_config",
    "how_measured",
    "make_report",
    "one_torch_thread",
    "parse_command",
    "rebuild",
]
