"""Terms by name, and what their signatures and docstrings say about them."""

from mjsdk.terms.registry import CONFIG_SECTIONS, KINDS, Parameter, Term, TermRegistry, parameters

__all__ = ["CONFIG_SECTIONS", "KINDS", "Parameter", "Term", "TermRegistry", "parameters"]
