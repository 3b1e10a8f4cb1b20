"""Keep what was heard and seen: a WAV file, the picture, and the events as a list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError, error_reason
from frame2sound.sound.wav_file import open_wav

Samples = NDArray[np.float32]

MAX_WAITING_BLOCKS = 20_000
"""If more blocks wait for the disk, nearly two minutes, the recording ends."""

BATCH_BLOCKS = 64
"""Blocks that are written at once."""


class SoundRecorder:
    """Writes blocks of sound in a thread of its own, so that playing never waits for a disk.

    Attributes
    ----------
    samples : int
        Samples that were written.
    failure : Exception or None
        Why no more was written.
    """

    def __init__(self, file: Any) -> None:
        self.samples = 0
        self.failure: Exception | None = None
        self._file = file
        self._queue: SimpleQueue[Samples] = SimpleQueue()
        self._ends = Flag()
        self._thread = Thread(target=self._write, name="record", daemon=True)
        self._thread.start()

    def add(self, block: Samples) -> None:
        """Take in the next block."""
        if self._queue.qsize() >= MAX_WAITING_BLOCKS:
            self.failure = self.failure or OSError("the disk is too slow")
        if self.failure is None:
            self._queue.put(block)

    def close(self) -> None:
        """Write what is left."""
        self._ends.set()
        self._thread.join()

    def _write(self) -> None:
        try:
            while self._queue.qsize() or not self._ends.is_set():
                try:
                    blocks = [self._queue.get(timeout=0.1)]
                except Empty:
                    continue
                while self._queue.qsize() and len(blocks) < BATCH_BLOCKS:
                    blocks.append(self._queue.get())
                sound = np.concatenate(blocks)
                self._file.write(sound)
                self.samples += len(sound)
        except OSError as error:
            self.failure = error


@contextmanager
def open_recorder(
    path: Path | None, sample_rate: int, *, overwrite: bool
) -> Iterator[SoundRecorder | None]:
    """Yield a recorder into a WAV file of 24 bits, which appears at the end; None for no file.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, it cannot be written, it holds only the
        beginning, since no more could be written, or players read only a part of it.
    """
    if path is None:
        yield None
        return
    is_played, header_failure = False, None
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        try:
            with open_wav(partial, sample_rate, 2, "PCM_24") as file:
                recorder = SoundRecorder(file)
                try:
                    yield recorder
                    is_played = True
                finally:
                    recorder.close()
        except OSError as error:  # as where there is no room to make it an RF64
            if not is_played:
                raise
            header_failure = error
    if recorder.failure is not None:
        raise SoundtrackError(
            f"{path} holds only the first {recorder.samples / sample_rate:.1f} s "
            f"({error_reason(recorder.failure)}); make room, or record to another disk, and play "
            "again"
        )
    if header_failure is not None:
        raise SoundtrackError(
            f"{path} holds all of its {recorder.samples / sample_rate:.1f} s, but does not say so, "
            f"since it could not be made an RF64 ({error_reason(header_failure)}); read it as raw "
            f"samples of 24 bits, stereo, {sample_rate} Hz"
        )
