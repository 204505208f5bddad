"""How fast environments step and learn, what they cost on top of their physics, and how many worlds suit a machine."""

from mjsdk.bench.results import Learning, Result
from mjsdk.bench.steps import benchmark, check_counts
from mjsdk.bench.whole import measure

__all__ = ["Learning", "Result", "benchmark", "check_counts", "measure"]
