"""Keep the pictures of a camera or a screen, each at the time at which it arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from queue import Full, Queue
from threading import Thread

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.film.encoding.containers import CONTAINERS
from frame2sound.film.encoding.video_encoder import RgbEncoder

Picture = NDArray[np.uint8]

MAX_WAITING = 30
"""Pictures that wait to be encoded; if there are more, the next is left out."""

OPTIONS = {"crf": "20", "preset": "ultrafast", "tune": "zerolatency"}


class PictureRecorder:
    """Encodes pictures in a thread of its own, so that playing never waits for it.

    Attributes
    ----------
    left_out : int
        Pictures that came faster than they could be encoded.
    """

    def __init__(self, container: OutputContainer, sample_rate: int, fps: float) -> None:
        self.left_out = 0
        self._container, self._sample_rate = container, sample_rate
        self._rate = Fraction(fps).limit_denominator(1001)
        self._encoder: RgbEncoder | None = None
        self._failure: Exception | None = None
        self._last = -1
        self._queue: Queue[tuple[Picture, int] | None] = Queue(MAX_WAITING)
        self._thread = Thread(target=self._write, name="pictures", daemon=True)
        self._thread.start()

    def add(self, picture: Picture, arrival_sample: int) -> None:
        """Take in an RGB picture ``(height, width, 3)``, and the sample at which it arrived."""
        if self._failure is not None or arrival_sample <= self._last:
            return
        try:
            self._queue.put_nowait((picture, arrival_sample))
            self._last = arrival_sample
        except Full:
            self.left_out += 1

    def close(self) -> None:
        """Encode what is left.

        Raises
        ------
        SoundtrackError
            Something could not be written.
        """
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None:
            raise SoundtrackError(
                f"the pictures could not be recorded ({self._failure}); the sound is kept"
            )

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._failure is None:
                try:
                    self._encode(*item)
                except (OSError, ValueError) as error:
                    self._failure = error
        if self._encoder is not None and self._failure is None:
            self._container.mux(self._encoder.flush())

    def _encode(self, picture: Picture, sample: int) -> None:
        even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        if self._encoder is None:
            size = even.shape[1], even.shape[0]
            self._encoder = RgbEncoder(
                self._container, "libx264", size, self._rate, OPTIONS,
                time_base=Fraction(1, self._sample_rate),
            )  # fmt: skip
        self._container.mux(self._encoder.encode(np.ascontiguousarray(even), sample))


@contextmanager
def open_picture_recorder(
    path: Path | None, sample_rate: int, fps: float, *, overwrite: bool
) -> Iterator[PictureRecorder | None]:
    """Yield a recorder into a film without sound, which appears at the end; None for no file.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, it cannot be written, or no such film can be.
    """
    if path is None:
        yield None
        return
    if path.suffix.lower() not in CONTAINERS:
        raise SoundtrackError(f"got {path} for the pictures, expected a film, as pictures.mkv")
    with (
        atomic_write(path, SoundtrackError, overwrite=overwrite) as partial,
        av.open(str(partial), "w") as container,
    ):
        recorder = PictureRecorder(container, sample_rate, fps)
        try:
            yield recorder
        finally:
            recorder.close()
