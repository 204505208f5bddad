import io
import os
import sys

import pytest
import typer

from mjsdk.cli._streams import lasting_output


class Gone(io.StringIO):
    """A reader that left."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_leaves_is_reported_once_on_the_other_output(monkeypatch):
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", errors)
    with lasting_output("the training continues"):
        typer.echo("one")
        typer.echo("two")
        typer.echo("three", err=True)
    expected = "warning: nothing can be written to the standard output any more; the training continues ([Errno 32]"
    assert errors.getvalue().startswith(expected)
    assert errors.getvalue().count("warning: ") == 1
    assert errors.getvalue().endswith("three\n")


def test_both_outputs_may_go(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", closed)
    with lasting_output("the training continues"):
        for to_errors in (False, True):
            typer.echo("one", err=to_errors)
    assert sys.stderr is closed


def test_what_python_holds_back_for_a_reader_that_left_is_forgotten():
    reader, writer = os.pipe()
    os.close(reader)
    stream, before = os.fdopen(writer, "w"), sys.stdout
    sys.stdout = stream
    try:
        with lasting_output("the training continues"):
            typer.echo("one")
    finally:
        sys.stdout = before
    stream.close()  # flushes, which would raise


def test_what_cannot_be_encoded_is_no_matter_of_who_reads(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    with lasting_output("the training continues"), pytest.raises(UnicodeEncodeError):
        sys.stdout.write("\N{SNOWMAN}")
