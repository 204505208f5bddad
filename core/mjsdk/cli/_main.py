"""Runs the command line and turns errors into messages and exit codes."""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import os
import re
import sys
from collections.abc import Sequence

from mjsdk.cli import _streams
from mjsdk.errors import MjsdkError, shortened

TRACEBACK = "MJSDK_TRACEBACK"
"""Environment variable: show tracebacks of errors that are otherwise one message."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)
"""What an operating system says when it cannot take any more output."""

_NO_MEMORY = re.compile(r"can't allocate memory|Failed to allocate \d+ bytes")
"""What torch and Warp say in a `RuntimeError`; others raise `MemoryError`, torch on a GPU `OutOfMemoryError`."""
_OBJECTS = 200_000
"""New objects after which Python looks for garbage. Imports make a million that stay; to look through them again and
again takes most of a second."""
_BACKENDS = "TORCH_DEVICE_BACKEND_AUTOLOAD"
"""What torch names where a package that extends it cannot be imported."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 a mistake of the user, 130 interrupted, 1 anything else."""
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)  # a last look for garbage, as the process ends anyway, takes another second
    _streams.prepare()
    stdout = sys.stdout  # typer puts another in its place where the reader has left
    try:
        try:
            _run(args)
        finally:
            stdout.flush()
            if args is None:
                _streams.leave(sys.argv[1:])
    except MjsdkError as error:
        if os.environ.get(TRACEBACK):
            raise
        _fail(_damage(error) or str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _streams.mute(sys.stdout)
        sys.exit(0)  # the reader of our output has left, as in `mjsdk list | head -1`
    except Exception as error:
        message = _surroundings(error)
        if not message or os.environ.get(TRACEBACK):
            where = "in mjsdk, or in a plugin that the lines below name"
            sys.stderr.write(f"This is a bug {where}; please report it with these lines.\n")
            raise
        _fail(message)


def _surroundings(error: Exception) -> str:
    """What is missing, too small or damaged outside of this program; nothing if that is not what an error is about."""
    if isinstance(error, OSError) and error.errno in _FULL:
        _streams.mute(sys.stdout)
        return f"cannot write: {error.strerror}"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _NO_MEMORY.search(str(error)):
        worlds = "--num-envs, or --env.scene.num-envs in a training"
        return f"there is not enough memory ({error}). Where worlds are simulated, choose fewer with {worlds}"
    if isinstance(error, UnicodeEncodeError):
        way_out = "Give files and folders other names, or set PYTHONUTF8=1 where names in UTF-8 are not understood"
        text = shortened(error.object[max(0, error.start - 40) : error.start + 40])
        return f"'{text}' is not text in the encoding {error.encoding}. {way_out}"
    if isinstance(error, RuntimeError) and "environment variable" in str(error):  # as MuJoCo says of MUJOCO_GL
        return f"{shortened(str(error))}. Unset it, or give it a legal value"
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use '{shortened(str(error.filename))}': {error.strerror}. Choose another file or folder"
    return _damage(error)


def _damage(error: BaseException) -> str:
    """What to say of an error that is a damaged neighbour's: of packages that nobody named, but libraries look at."""
    from mjsdk.plugins.index import damage_behind

    return str(error) if _BACKENDS in str(error) else damage_behind(error)


def _run(args: Sequence[str] | None) -> None:
    import typer.main

    from mjsdk.cli.app import build

    # By default torch's threads spin while they wait, and take the cores from the physics threads and from everything
    # else on the machine: with other programs running, an iteration took five to ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logger = logging.getLogger("mjsdk")
    if not any(isinstance(handler, _OnStderr) for handler in logger.handlers):
        logger.addHandler(_OnStderr(logging.INFO))
        logger.setLevel(logging.INFO)
    given = [*(sys.argv[1:] if args is None else args)]
    with _streams.hold(given):
        typer.main.get_command(build(given))(args=given, prog_name="mjsdk")


def _fail(message: str) -> None:
    from mjsdk.cli._output import error

    try:
        error(message)
        sys.stderr.flush()
    except OSError:  # stderr is full too
        _streams.mute(sys.stderr)
    sys.exit(2)


class _OnStderr(logging.Handler):
    """Shows what the library's loggers say, as `warning: ...` and `note: ...`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        from mjsdk.cli._output import note, warn

        show = warn if record.levelno >= logging.WARNING else note
        show(record.getMessage())
