"""Play recorded sounds at exact times, which may lie between frames."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.film.drawing.canvas import STAGE_SIZE
from frame2sound.film.drawing.stereo import place_gains


@dataclass(frozen=True)
class TimedRecording:
    """A recording that begins at a time in seconds, played with a gain.

    ``x`` is its horizontal place on the stage, for stereo; by default the middle.
    """

    seconds: float
    recording: NDArray[np.floating]
    gain: float = 1.0
    x: float = STAGE_SIZE[0] / 2


class RecordingTrack:
    """Recordings that begin at any sample of a film.

    Parameters
    ----------
    sounds : iterable of TimedRecording
        In any order. Each begins at the sample nearest to its time.
    clock : Clock
        The film's.
    """

    def __init__(self, sounds: Iterable[TimedRecording], clock: Clock) -> None:
        self.sounds = tuple(sorted(sounds, key=lambda sound: sound.seconds))
        self.clock = clock
        self._starts = [round(sound.seconds * clock.sample_rate) for sound in self.sounds]
        self._longest = max((len(sound.recording) for sound in self.sounds), default=0)

    @property
    def onset_seconds(self) -> tuple[float, ...]:
        """Times of the sounds, ascending."""
        return tuple(float(sound.seconds) for sound in self.sounds)

    @property
    def onset_frames(self) -> tuple[int, ...]:
        """Frames during which the sounds begin, ascending and without duplicates."""
        frames = {math.floor(sound.seconds * self.clock.fps) for sound in self.sounds}
        return tuple(sorted(frames))

    def mix(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the sum of the sounds in the samples ``[start, stop)``."""
        mixed = np.zeros(max(0, stop - start))
        for sound, where, piece in self._sounds(start, stop):
            mixed[where] += sound.gain * piece
        return mixed

    def mix_stereo(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the same in stereo, ``(2, n)``, each sound at its horizontal place."""
        mixed = np.zeros((2, max(0, stop - start)))
        for sound, where, piece in self._sounds(start, stop):
            mixed[:, where] += place_gains(sound.x)[:, None] * (sound.gain * piece)
        return mixed

    def _sounds(
        self, start: int, stop: int
    ) -> Iterator[tuple[TimedRecording, slice, NDArray[np.floating]]]:
        """Yield the sounds in samples ``[start, stop)``, where they are in these, their samples."""
        low, high = (
            bisect_left(self._starts, start - self._longest),
            bisect_left(self._starts, stop),
        )
        for begin, sound in zip(self._starts[low:high], self.sounds[low:high], strict=True):
            piece = sound.recording[max(0, start - begin) : max(0, stop - begin)]
            where = max(0, begin - start)
            yield sound, slice(where, where + len(piece)), piece
