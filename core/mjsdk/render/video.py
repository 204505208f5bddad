"""Frames to a video file that is there whole or not at all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mjsdk.errors import MissingDependency, RenderError, StorageError, closest, listing
from mjsdk.files import scratch_name

CODECS = {".mp4": ("vp09", "mp4v"), ".webm": ("VP80", "VP90")}
"""Codecs to try, by file name ending: free of fees and of GPL code, and played by browsers, but for mp4v.

On a CPU, VP8 takes a fifth of the time of VP9; mp4 cannot hold it.
"""
FORMATS = (*CODECS, ".gif")
_PENDING = 16
"""Frames that may wait for the encoder."""
_BEGINNING = 65536
"""Bytes that there must be room for before anything is computed: an encoder says nothing of a full disk."""


class _Encoder(Protocol):
    def write(self, frame: np.ndarray) -> None: ...

    def close(self) -> None: ...


def check_video_path(path: Path) -> None:
    """Raise `StorageError` for a path that no video can be written to, before anything is computed for it."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        hint = closest(suffix, FORMATS) or "."
        raise StorageError(f"'{path}' is not the name of a video{hint} It must end in one of {listing(FORMATS)}")
    if path.is_dir():
        raise StorageError(f"cannot write the video '{path}': it is a folder. Name a file in it.")
    if path.exists() and not path.is_file():
        raise StorageError(f"cannot write the video '{path}': it is no regular file. Choose another name.")
    if not path.parent.exists():
        raise StorageError(f"cannot write the video '{path}': there is no folder '{path.parent}'. Make it first.")
    probe = scratch_name(path)
    try:
        # Permissions alone do not tell: root may write anywhere, but not to /proc or a full disk.
        with probe.open("xb") as file:
            file.write(bytes(_BEGINNING))
    except OSError as error:
        raise StorageError(f"cannot write the video '{path}': {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            probe.unlink()


class VideoWriter:
    """Writes frames to `path`; the ending decides the format. An error, or leaving by one, leaves no file behind.

    Frames are encoded in a thread of their own, while the next are drawn.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        check_video_path(path)
        self.path = Path(os.path.realpath(path))
        self.frames = 0
        self._partial = scratch_name(self.path).with_suffix(path.suffix.lower())
        as_gif = self._partial.suffix == ".gif"
        self._encoder: _Encoder = _Gif(self._partial, fps) if as_gif else _OpenCV(self._partial, fps, size)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="video")
        self._pending: deque[Future[None]] = deque()

    def add(self, frame: np.ndarray) -> None:
        """Add a frame, RGB of type uint8, shape (height, width, 3)."""
        if len(self._pending) >= _PENDING:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._encoder.write, np.ascontiguousarray(frame)))
        self.frames += 1

    def close(self) -> None:
        """Finish the file and put it in place. Raises `StorageError` if it could not be written."""
        try:
            for pending in self._pending:
                pending.result()
            self._thread.submit(self._encoder.close).result()
            _check_written(self._partial)
            self._partial.replace(self.path)
        except OSError as error:
            raise StorageError(f"cannot write the video '{self.path}': {error}") from error
        finally:
            self._thread.shutdown()
            self._partial.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Stop, and leave nothing behind."""
        self._pending.clear()
        self._thread.submit(self._encoder.close)
        self._thread.shutdown()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class _OpenCV:
    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self._cv2 = cv2 = _import_cv2()
        for codec in CODECS[path.suffix]:
            with _quiet_stderr():  # the bundled FFmpeg talks about container tags
                self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), fps, size)
            if self._writer.isOpened():
                return
        tried = listing(CODECS[path.suffix])
        raise RenderError(
            f"this OpenCV cannot write {path.suffix} videos (tried {tried}). Try another of {listing(FORMATS)}"
        )

    def write(self, frame: np.ndarray) -> None:
        self._writer.write(self._cv2.cvtColor(frame, self._cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()


class _Gif:
    """Every second frame at most, and 256 colours: for short clips in web pages."""

    def __init__(self, path: Path, fps: float) -> None:
        try:
            import PIL.Image as Image
        except ImportError as error:
            raise MissingDependency("writing .gif files needs Pillow. Run: pip install 'mjsdk[video]'") from error
        self._image: Any = Image
        self._path = path
        self._every = max(1, round(fps / 25.0))
        self._duration_ms = round(1000.0 * self._every / fps)
        self._count = 0
        self._frames: list[Any] = []

    def write(self, frame: np.ndarray) -> None:
        if self._count % self._every == 0:
            picture = self._image.fromarray(frame)
            self._frames.append(picture.quantize(128, method=self._image.Quantize.FASTOCTREE))
        self._count += 1

    def close(self) -> None:
        if self._frames:
            first, *others = self._frames
            first.save(self._path, save_all=True, append_images=others, duration=self._duration_ms, loop=0)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Send what C code writes to the standard error output nowhere."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _import_cv2() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingDependency(
            "writing videos needs OpenCV, which is not installed. Run: pip install 'mjsdk[video]'"
        ) from error
    return cv2


def _check_written(path: Path) -> None:
    """OpenCV says nothing when the disk is full: look at what it left."""
    if not path.exists() or path.stat().st_size == 0:
        raise OSError("no frame was written; is the disk full?")
    if path.suffix in CODECS:
        capture = _import_cv2().VideoCapture(str(path))
        readable = capture.read()[0]
        capture.release()
        if not readable:
            raise OSError("the file cannot be read back; is the disk full?")
