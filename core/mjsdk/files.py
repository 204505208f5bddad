"""Files that are replaced whole or not at all, and read only if they are files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mjsdk.errors import StorageError


def open_regular(path: Path, most: int) -> BinaryIO:
    """A file of at most so many bytes, for reading. Raises `OSError`, and `ValueError` for what may have no end."""
    # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    facts, wrong = os.fstat(descriptor), ""
    if not stat.S_ISREG(facts.st_mode):
        wrong = "it is a folder" if stat.S_ISDIR(facts.st_mode) else "it is a pipe or a device, and must be a file"
    elif facts.st_size > most:
        wrong = f"it has {facts.st_size:,} bytes, and may have {most:,}"
    if wrong:
        os.close(descriptor)
        raise ValueError(wrong)
    return os.fdopen(descriptor, "rb")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file in full or not at all. Raises `StorageError`; what was there before is then untouched."""
    with replacing(path) as scratch:
        scratch.write_bytes(data)


@contextmanager
def replacing(path: Path, what: str = "") -> Iterator[Path]:
    """A new file beside `path` that takes its place when the block ends well; a link at `path` is not followed.

    Raises `StorageError`, which calls the file `what`, for an `OSError` in the block. What was there before is then
    untouched.
    """
    scratch = scratch_name(path)
    with storing(what or str(path), " Nothing that was there before is lost."):
        scratch.touch(exist_ok=False)
        try:
            yield scratch
            _put_in_place(scratch, path)
        except BaseException:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            raise


def scratch_name(path: Path) -> Path:
    """A name beside `path` with the same ending that nobody can guess, and so nobody can have put a link at."""
    return path.with_name(f".mjsdk-{os.urandom(8).hex()}{path.suffix}")


def _put_in_place(scratch: Path, path: Path) -> None:
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    if path.is_file():
        shutil.copymode(path, scratch)
    scratch.replace(path)


@contextmanager
def output(path: Path, what: str = "") -> Iterator[Path]:
    """Where to write a file that somebody named: links are followed; devices and pipes are written to as they are."""
    with storing(what or str(path)):
        special = _is_device(path) or (path.exists() and not path.is_file())
    with storing(what or str(path)) if special else replacing(Path(os.path.realpath(path)), what or str(path)) as file:
        yield file or path


def _is_device(path: Path) -> bool:
    """Whether a path is a name of what is open, such as `/dev/stdout`, which is so even where that is a file."""
    folder = Path(os.path.realpath(path.parent))
    return folder == Path("/dev") or Path("/proc") in folder.parents


@contextmanager
def storing(what: str, reassurance: str = "") -> Iterator[None]:
    """Turns an `OSError` into a `StorageError` that names the file."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write {what}: {error.strerror or error}.{reassurance}") from error
