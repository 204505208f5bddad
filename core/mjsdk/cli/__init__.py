"""The command line `mjsdk`: `app` says how a command is written."""

from mjsdk.cli._main import main

__all__ = ["main"]
