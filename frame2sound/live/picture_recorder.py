"""Keep the pictures of a camera or a screen, each at the time at which it arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from queue import Full, Queue
from threading import Thread

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError, error_reason
from frame2sound.film.encoding.containers import CONTAINERS, require_h264
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
    failure : Exception or None
        Why no more were written.
    """

    def __init__(self, container: OutputContainer, sample_rate: int, fps: float) -> None:
        self.left_out = 0
        self.failure: Exception | None = None
        self._container, self._sample_rate = container, sample_rate
        self._rate = Fraction(fps).limit_denominator(1001)
        self._encoder: RgbEncoder | None = None
        self._last = -1
        self._queue: Queue[tuple[Picture, int] | None] = Queue(MAX_WAITING)
        self._thread = Thread(target=self._write, name="pictures", daemon=True)
        self._thread.start()

    def add(self, picture: Picture, arrival_sample: int) -> None:
        """Take in an RGB picture ``(height, width, 3)``, and the sample at which it arrived."""
        if self.failure is not None or arrival_sample <= self._last:
            return
        try:
            self._queue.put_nowait((picture, arrival_sample))
            self._last = arrival_sample
        except Full:
            self.left_out += 1

    def close(self) -> None:
        """Encode what is left."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.failure is None:
                self._try(partial(self._encode, *item))
        if self._encoder is not None and self.failure is None:
            self._try(self._flush)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, ValueError, av.FFmpegError) as error:
            self.failure = error

    def _flush(self) -> None:
        assert self._encoder is not None
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
        The file exists and ``overwrite`` is false, it cannot be written, can hold no H.264, or
        holds only the beginning, since no more could be written.
    """
    if path is None:
        yield None
        return
    if path.suffix.lower() not in CONTAINERS:
        raise SoundtrackError(f"got {path} for the pictures, expected a film, as pictures.mkv")
    recorder, is_played = None, False
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as unfinished:
        try:
            with av.open(str(unfinished.absolute()), "w") as container:
                require_h264(container, path, SoundtrackError)
                recorder = PictureRecorder(container, sample_rate, fps)
                try:
                    yield recorder
                    is_played = True
                finally:
                    recorder.close()
        except (OSError, av.FFmpegError) as error:
            if recorder is None:
                raise _not_recorded(error) from error
            if not is_played:
                raise
            recorder.failure = recorder.failure or error
        if recorder.failure is None:
            return
        seconds = _readable_seconds(unfinished)
        if not seconds:
            raise _not_recorded(recorder.failure)
    raise SoundtrackError(
        f"{path} holds only the first {seconds:.1f} s of the pictures "
        f"({error_reason(recorder.failure)}); make room, or record to another disk, and play again"
    )


def _not_recorded(failure: Exception) -> SoundtrackError:
    return SoundtrackError(f"the pictures could not be recorded ({error_reason(failure)})")


def _readable_seconds(path: Path) -> float:
    """Return how much of a film can be read whose writing has failed; of MP4 that is nothing."""
    seconds = 0.0
    with (
        suppress(OSError, ValueError, IndexError, av.FFmpegError),
        av.open(str(path.absolute())) as film,
    ):
        for packet in film.demux(video=0):
            if packet.pts is not None:
                seconds = float(packet.pts * packet.time_base)
    return seconds
