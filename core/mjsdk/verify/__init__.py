"""Whether what should be the same is the same: both physics, from equal states."""

from mjsdk.verify.differences import Quantity
from mjsdk.verify.physics import Comparison, Result, compare, verify_physics
from mjsdk.verify.settings import with_equal_solver

__all__ = ["Comparison", "Quantity", "Result", "compare", "verify_physics", "with_equal_solver"]
