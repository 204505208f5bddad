"""What becomes of a finished run in the hands of the exporters that its plugins bring."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import typer

from mjsdk.cli import _apart, _output
from mjsdk.errors import HookError, MjsdkError, one_line
from mjsdk.plugins.load import describe

if TYPE_CHECKING:
    from mjsdk.learn.start import Training


def export(training: Training) -> None:
    """Give a finished run to every exporter. One that fails is a warning: the training is saved, the others still run.

    Raises `HookError` for one after which the checkpoint is gone.
    """
    run = training.trainer.run
    checkpoint = run.checkpoint_path(training.trainer.iteration).absolute()
    for name, exporter in _exporters(training).items():
        _export(name, exporter, run)
        if not checkpoint.is_file():
            raise HookError(f"exporter '{name}' removed {checkpoint}, the checkpoint of this training")


def _exporters(training: Training) -> dict[str, Any]:
    try:
        return training.session.exporters()
    except MjsdkError as error:
        _output.warn(f"nothing is exported: {error}")
        return {}


def _export(name: str, exporter: Any, run: Any) -> None:
    try:
        with _apart.on_stderr(), contextlib.chdir("."):
            written = one_line(str(exporter(run)))
    except KeyboardInterrupt:
        _output.warn(f"exporter '{name}' was interrupted; the training is saved")
        raise
    except BaseException as error:
        reason = describe(error, getattr(exporter, "__module__", ""))
        _output.warn(f"exporter '{name}' failed: {reason}. The training is saved; tell the exporter's authors")
    else:
        typer.echo(f"exported {name}: {written}")
