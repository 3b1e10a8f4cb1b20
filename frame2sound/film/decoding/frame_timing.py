"""Frames: decoded pictures with the times between which they are displayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.parallel_decoder import DecodedFrame
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.limits import Limits


@dataclass(frozen=True)
class Frame:
    """A picture that is displayed from one time of the film up to another.

    Attributes
    ----------
    start_seconds, end_seconds : Fraction
    picture : uint8 array
        Shape ``(64, 64)`` for grey, ``(64, 64, 3)`` for RGB.
    """

    start_seconds: Fraction
    end_seconds: Fraction
    picture: NDArray[np.uint8]


class FrameTimer:
    """Turns decoded pictures into `Frame`s; each is held until its end is known."""

    def __init__(self, streams: Streams, limits: Limits) -> None:
        self.streams, self.limits = streams, limits
        self._count = 0
        self._pending: tuple[Fraction, NDArray[np.uint8]] | None = None
        self._pending_end_pts: int | None = None

    def add(self, decoded: DecodedFrame) -> Iterator[Frame]:
        """Add a picture; yield the one before it."""
        time = (
            self._pending_end_seconds()
            if decoded.pts is None
            else self.streams.to_seconds(decoded.pts)
        )
        if self._pending is None:
            time = max(time, Fraction(0))
        else:
            if decoded.pts is not None and time <= self._pending[0]:
                # Both were snapped to the same point of the frame grid.
                time = self.streams.to_unsnapped_seconds(decoded.pts)
            if time > self._pending[0]:
                yield Frame(self._pending[0], time, self._pending[1])
            time = max(time, self._pending[0])
        self._count += 1
        self.limits.check_duration(self.streams.path, float(time), self._count)
        self._pending_end_pts = None
        if decoded.pts is not None and decoded.duration:
            self._pending_end_pts = decoded.pts + decoded.duration
        self._pending = time, decoded.picture

    def flush(self) -> Iterator[Frame]:
        """Yield the last picture, if there is one."""
        if self._pending is not None:
            end = self._pending_end_seconds()
            self.limits.check_duration(self.streams.path, float(end), self._count)
            yield Frame(self._pending[0], end, self._pending[1])

    def _pending_end_seconds(self) -> Fraction:
        """Return the end of the held picture if none follows."""
        if self._pending is None:
            return Fraction(0)
        if self._pending_end_pts is None:
            return self._pending[0] + 1 / self.streams.fps
        return max(
            self.streams.to_seconds(self._pending_end_pts),
            self._pending[0] + self.streams.time_base,
        )
