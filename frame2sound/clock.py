"""Time: frames to samples, exactly. The only module that rounds a time to a sample."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MIN_FRAME_RATE, MAX_FRAME_RATE = Fraction(1, 100), Fraction(1000)
"""Frames a second at which brains work and films are drawn."""

_FRACTION = re.compile(r"[0-9]{1,10}(?:/[0-9]{1,10})?")
_DECIMAL = re.compile(r"[0-9]{1,4}\.[0-9]{1,6}")
_NTSC_RATES = tuple(Fraction(1000 * whole, 1001) for whole in (24, 30, 48, 60, 90, 120))
"""The rates that people write as 23.976, 29.97, 47.952, 59.94..."""


def parse_frame_rate(
    value: object,
    minimum: Fraction = MIN_FRAME_RATE,
    maximum: Fraction = MAX_FRAME_RATE,
    *,
    allow_decimals: bool = False,
) -> Fraction:
    """Return frames a second as they are written in files and options: 24, "24" or "30000/1001".

    Whole numbers have ten digits at most, as FFmpeg's do, and nothing is computed of more.

    Parameters
    ----------
    value : object
        A whole number or a text.
    slowest, fastest : Fraction
        The range that it must be in.
    decimals : bool
        Whether "12.5" is a frame rate, too: where a person writes it.

    Raises
    ------
    ValueError
        It is none, or out of range.

    Examples
    --------
    >>> frame_rate("30000/1001"), frame_rate("12.5", decimals=True), frame_rate(25)
    (Fraction(30000, 1001), Fraction(25, 2), Fraction(25, 1))
    """
    known = type(value) is int and abs(value) < 10**10
    text = str(value) if known or isinstance(value, str) else ""
    rate = Fraction(0)
    if allow_decimals and _DECIMAL.fullmatch(text):
        rate = Fraction(text)
    elif _FRACTION.fullmatch(text):
        above, _, below = text.partition("/")
        rate = Fraction(int(above), int(below or 1) or 10**10)
    if not minimum <= rate <= maximum:
        shown = repr(value) if known or len(text) in range(1, 41) else "something else"
        also = ", 12.5" if allow_decimals else ""
        raise ValueError(
            f"got {shown} as frames a second, expected {float(minimum):g} to {float(maximum):g}, "
            f'written as 24{also} or "30000/1001"'
        )
    return rate


def parse_typed_frame_rate(text: str) -> Fraction:
    """Return frames a second as a person types them: 23.976 and 23.98 mean 24000/1001.

    What rounds to a rate of television with two decimals or more is that rate; other decimals are
    taken as they are. `ValueError` says what is wrong, as `frame_rate` does.

    Examples
    --------
    >>> typed_frame_rate("29.97"), typed_frame_rate("12.5")
    (Fraction(30000, 1001), Fraction(25, 2))
    """
    typed, places = parse_frame_rate(text, allow_decimals=True), len(text.partition(".")[2])
    near = (rate for rate in _NTSC_RATES if places >= 2 and f"{float(rate):.{places}f}" == text)
    return next(near, typed)


def sample_at(seconds: Fraction, sample_rate: int) -> int:
    """Return the sample nearest to a time; a tie goes to the even sample, as `round` does.

    >>> sample_at(Fraction(1, 24), 22050)
    919
    """
    return round(seconds * sample_rate)


@dataclass(frozen=True)
class Clock:
    """A frame rate and a sample rate, and every length that follows from the two.

    Frame ``i`` starts at ``i / fps`` seconds and owns the samples from
    ``round(i * sample_rate / fps)`` up to ``round((i + 1) * sample_rate / fps)``, so slices
    differ by at most one sample and never drift.

    Parameters
    ----------
    fps : Fraction
        Frames a second, exact: ``Fraction(30000, 1001)``, never 29.97.
    sample_rate : int
        Samples a second.

    Examples
    --------
    >>> Clock(Fraction(24), 22050).bounds(4).tolist()
    [0, 919, 1838, 2756, 3675]
    """

    fps: Fraction
    sample_rate: int

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.sample_rate <= 0:
            raise ValueError(f"got {self.fps} fps at {self.sample_rate} Hz, expected both above 0")

    @property
    def max_samples_per_frame(self) -> int:
        """The most samples that any frame owns."""
        return -(-self.sample_rate * self.fps.denominator // self.fps.numerator)

    def start_sample(self, frame_index: int) -> int:
        """Return the first sample of a frame."""
        return sample_at(frame_index / self.fps, self.sample_rate)

    def sample_bounds(self, frame_count: int, first_frame: int = 0) -> NDArray[np.int64]:
        """Return the first sample of ``frames`` frames from ``first`` on, and the end of the last.

        Shape ``(frames + 1,)``. Exact for any frame: products that 64 bits cannot hold (from
        10 years of film at 120000/1001 fps and 192 kHz on) take the slow way.
        """
        if (first_frame + frame_count) * self.sample_rate * self.fps.denominator >= 2**63:
            return np.array(
                [self.start_sample(i) for i in range(first_frame, first_frame + frame_count + 1)],
                np.int64,
            )
        index = np.arange(first_frame, first_frame + frame_count + 1, dtype=np.int64)
        numerator = index * (self.sample_rate * self.fps.denominator)
        floor, rest = np.divmod(numerator, self.fps.numerator)
        twice = 2 * rest
        up = (twice > self.fps.numerator) | ((twice == self.fps.numerator) & (floor % 2 == 1))
        nearest: NDArray[np.int64] = floor + up
        return nearest

    def frame_times(self, frame_count: int) -> NDArray[np.float64]:
        """Return the start of each of ``frames`` frames in seconds, correctly rounded."""
        return np.arange(frame_count) * self.fps.denominator / self.fps.numerator

    def count_frames_within(self, seconds: Fraction) -> int:
        """Return how many frames start before a time: the frames that a film so long needs."""
        return -(-seconds * self.fps // 1)


def frame_indices_at_ticks(frame_times: NDArray[np.float64], clock: Clock) -> NDArray[np.int64]:
    """Return, for each frame of ``clock``, the index of the film frame that is on screen.

    The picture at time t is the last frame shown at or before t.

    Parameters
    ----------
    times : array of shape (N + 1,)
        When each film frame appears, in seconds from 0, ascending, and when the last one ends.

    Returns
    -------
    array of shape (M,)
        M is the number of clock frames that start before the film ends.
    """
    at = clock.frame_times(clock.count_frames_within(Fraction(frame_times[-1])) + 1)
    at = at[at < frame_times[-1]]
    shown: NDArray[np.int64] = np.searchsorted(frame_times[:-1], at, side="right") - 1
    return shown
