"""Output that a command outlives: whoever reads it may leave, and the terminal may close."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from mjsdk.cli import _output, _streams


@contextmanager
def lasting_output(what: str) -> Iterator[None]:
    """Inside of the block, an output that cannot be written to falls silent, after a warning that `what` continues."""
    before = sys.stdout, sys.stderr
    sys.stdout = cast(Any, _Lasting(sys.stdout, f"the standard output any more; {what}"))
    sys.stderr = cast(Any, _Lasting(sys.stderr, f"the error output any more; {what}"))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Lasting:
    """A stream that falls silent where another one would raise."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream, self._name, self._silent = stream, name, False

    def write(self, data: Any) -> int:
        """Write, if that can be done."""
        if hasattr(self._stream, "encoding") and not isinstance(data, str):
            raise TypeError("this stream takes text")  # by which click tells streams apart, silent ones too
        return int(self._try("write", data) or 0)

    def flush(self) -> None:
        """Flush, if that can be done."""
        self._try("flush")

    @property
    def buffer(self) -> _Lasting:
        """The stream below, which is used where the encoding of this one does not suit."""
        return _Lasting(self._stream.buffer, self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, method: str, *args: Any) -> Any:
        try:
            return None if self._silent else getattr(self._stream, method)(*args)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            if isinstance(error, UnicodeError):
                raise
            self._silent = True
            _streams.mute(self._stream)
            _output.warn(f"nothing can be written to {self._name} ({error})")
