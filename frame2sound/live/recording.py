"""Keep what was heard and seen: a WAV file, the picture, and the events as a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.sound.wav_file import open_wav

Samples = NDArray[np.float32]

MAX_WAITING_BLOCKS = 20_000
"""If more blocks wait for the disk, nearly two minutes, the recording ends."""

BATCH_BLOCKS = 64
"""Blocks that are written at once."""


class SoundRecorder:
    """Writes blocks of sound in a thread of its own, so that playing never waits for a disk."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._queue: SimpleQueue[Samples] = SimpleQueue()
        self._failure: deque[Exception] = deque(maxlen=1)
        self._ends = Flag()
        self._thread = Thread(target=self._write, name="record", daemon=True)
        self._thread.start()

    def add(self, block: Samples) -> None:
        """Take in the next block."""
        if self._queue.qsize() >= MAX_WAITING_BLOCKS:
            self._failure.append(OSError("the disk is too slow"))
        if not self._failure:
            self._queue.put(block)

    def close(self) -> None:
        """Write what is left.

        Raises
        ------
        OSError
            Something could not be written.
        """
        self._ends.set()
        self._thread.join()
        if self._failure:
            raise self._failure[0]

    def _write(self) -> None:
        try:
            while self._queue.qsize() or not self._ends.is_set():
                try:
                    blocks = [self._queue.get(timeout=0.1)]
                except Empty:
                    continue
                while self._queue.qsize() and len(blocks) < BATCH_BLOCKS:
                    blocks.append(self._queue.get())
                self._file.write(np.concatenate(blocks))
        except (OSError, soundfile.SoundFileError) as error:
            self._failure.append(OSError(str(error)))


@contextmanager
def open_recorder(
    path: Path | None, sample_rate: int, *, overwrite: bool
) -> Iterator[SoundRecorder | None]:
    """Yield a recorder into a WAV file of 24 bits, which appears at the end; None for no file.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    """
    if path is None:
        yield None
        return
    with (
        atomic_write(path, SoundtrackError, overwrite=overwrite) as partial,
        open_wav(partial, sample_rate, 2, "PCM_24") as file,
    ):
        recorder = SoundRecorder(file)
        try:
            yield recorder
        finally:
            recorder.close()
