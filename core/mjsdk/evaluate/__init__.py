"""How good a policy is: fixed commands, fixed seeds, faithful physics."""

from mjsdk.evaluate.commands import STANDARD, Command
from mjsdk.evaluate.report import Report
from mjsdk.evaluate.run import evaluate_run
from mjsdk.evaluate.setup import Options

__all__ = ["STANDARD", "Command", "Options", "Report", "evaluate_run"]
