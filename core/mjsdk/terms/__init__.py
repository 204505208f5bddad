"""Terms by name, and what their signatures and docstrings say about them."""

from mjsdk.terms.references import ActionName, CommandName, SensorName, SettingPath
from mjsdk.terms.registry import CONFIG_SECTIONS, KINDS, Parameter, Term, TermRegistry, parameters

__all__ = [
    "CONFIG_SECTIONS",
    "KINDS",
    "ActionName",
    "CommandName",
    "Parameter",
    "SensorName",
    "SettingPath",
    "Term",
    "TermRegistry",
    "parameters",
]
