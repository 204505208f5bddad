"""The step loop and the managers."""

from mjsdk.env.actions import ActionTerm
from mjsdk.env.build import make_env
from mjsdk.env.commands import CommandTerm, ResampledCommand
from mjsdk.env.contacts import ContactState
from mjsdk.env.env import Env
from mjsdk.env.mirror import Mirror, Reflection, reflects
from mjsdk.env.robot_state import RobotState
from mjsdk.env.spaces import Box
from mjsdk.env.worlds import Worlds

__all__ = [
    "ActionTerm",
    "Box",
    "CommandTerm",
    "ContactState",
    "Env",
    "Mirror",
    "Reflection",
    "ResampledCommand",
    "RobotState",
    "Worlds",
    "make_env",
    "reflects",
]
