"""Frames: decoded pictures with the times between which they are on screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.limits import Limits
from frame2sound.film.segments import Shot
from frame2sound.film.streams import Streams


@dataclass(frozen=True)
class Frame:
    """A picture on screen from ``time`` up to ``until`` seconds.

    It is uint8, ``(64, 64)`` grey or ``(64, 64, 3)`` in colour.
    """

    time: Fraction
    until: Fraction
    picture: NDArray[np.uint8]


class FrameTimer:
    """Turns decoded pictures into `Frame`s, each held back until its end is known."""

    def __init__(self, streams: Streams, limits: Limits) -> None:
        self.streams, self.limits = streams, limits
        self._count = 0
        self._held: tuple[Fraction, NDArray[np.uint8]] | None = None
        self._end: int | None = None

    def feed(self, shot: Shot) -> Iterator[Frame]:
        """Take a picture; yield the one before it."""
        time = self._until() if shot.pts is None else self.streams.time(shot.pts)
        if self._held is None:
            time = max(time, Fraction(0))
        else:
            if shot.pts is not None and time <= self._held[0]:
                time = self.streams.stated(shot.pts)  # both were nearest to the same of a grid
            if time > self._held[0]:
                yield Frame(self._held[0], time, self._held[1])
            time = max(time, self._held[0])
        self._count += 1
        self.limits.check_length(self.streams.path, float(time), self._count)
        known = shot.pts is not None and shot.duration
        self._end = shot.pts + shot.duration if known else None  # type: ignore[operator]
        self._held = time, shot.picture

    def last(self) -> Iterator[Frame]:
        """Yield the picture that is still held, if there is one."""
        if self._held is not None:
            yield Frame(self._held[0], self._until(), self._held[1])

    def _until(self) -> Fraction:
        """Return how long the held frame is shown if nothing follows it."""
        if self._held is None:
            return Fraction(0)
        if self._end is None:
            return self._held[0] + 1 / self.streams.fps
        return max(self.streams.time(self._end), self._held[0] + self.streams.tick)
