"""Convert frames and seconds to samples exactly; only this module rounds times to samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MIN_FRAME_RATE, MAX_FRAME_RATE = Fraction(1, 100), Fraction(1000)
"""The range of frame rates of brains and of drawn films, in frames per second."""

_FRACTION = re.compile(r"[0-9]{1,10}(?:/[0-9]{1,10})?")
_DECIMAL = re.compile(r"[0-9]{1,4}\.[0-9]{1,6}")
_NTSC_RATES = tuple(Fraction(1000 * whole, 1001) for whole in (24, 30, 48, 60, 90, 120))
"""The frame rates that are commonly written as 23.976, 29.97, 47.952, 59.94..."""


def parse_frame_rate(
    value: object,
    minimum: Fraction = MIN_FRAME_RATE,
    maximum: Fraction = MAX_FRAME_RATE,
    *,
    allow_decimals: bool = False,
) -> Fraction:
    """Return the frame rate, in frames per second, that is written as 24, "24" or "30000/1001".

    Whole numbers have at most ten digits, as in FFmpeg; longer ones are refused unparsed.

    Parameters
    ----------
    value : object
        A whole number or a text.
    minimum, maximum : Fraction
        The accepted range.
    allow_decimals : bool
        Whether decimals such as "12.5" are accepted.

    Raises
    ------
    ValueError
        The value is not a frame rate, or is out of range.

    Examples
    --------
    >>> parse_frame_rate("30000/1001"), parse_frame_rate("12.5", allow_decimals=True)
    (Fraction(30000, 1001), Fraction(25, 2))
    """
    is_number = type(value) is int and abs(value) < 10**10
    text = str(value) if is_number or isinstance(value, str) else ""
    rate = Fraction(0)
    if allow_decimals and _DECIMAL.fullmatch(text):
        rate = Fraction(text)
    elif _FRACTION.fullmatch(text):
        numerator, _, denominator = text.partition("/")
        rate = Fraction(int(numerator), int(denominator or 1) or 10**10)
    if not minimum <= rate <= maximum:
        shown = repr(value) if is_number or len(text) in range(1, 41) else "something else"
        decimals = ", 12.5" if allow_decimals else ""
        raise ValueError(
            f"got {shown} as frames a second, expected {float(minimum):g} to {float(maximum):g}, "
            f'written as 24{decimals} or "30000/1001"'
        )
    return rate


def parse_typed_frame_rate(text: str) -> Fraction:
    """Return the frame rate that a person types, where 23.976 and 23.98 mean 24000/1001.

    A decimal with two places or more that is a rounded NTSC rate stands for that rate; other
    decimals are exact.

    Raises
    ------
    ValueError
        As `parse_frame_rate`.

    Examples
    --------
    >>> parse_typed_frame_rate("29.97"), parse_typed_frame_rate("12.5")
    (Fraction(30000, 1001), Fraction(25, 2))
    """
    exact, places = parse_frame_rate(text, allow_decimals=True), len(text.partition(".")[2])
    ntsc = (rate for rate in _NTSC_RATES if places >= 2 and f"{float(rate):.{places}f}" == text)
    return next(ntsc, exact)


def sample_at(seconds: Fraction, sample_rate: int) -> int:
    """Return the sample nearest to a time; a tie goes to the even sample, as in `round`.

    >>> sample_at(Fraction(1, 24), 22050)
    919
    """
    return round(seconds * sample_rate)


@dataclass(frozen=True)
class Clock:
    """A frame rate and a sample rate, and the lengths that follow from them.

    Frame ``i`` starts at ``i / fps`` seconds and has the samples from
    ``round(i * sample_rate / fps)`` to ``round((i + 1) * sample_rate / fps)``, exclusive. The
    numbers of samples per frame differ by at most one, and rounding errors never add up.

    Parameters
    ----------
    fps : Fraction
        Frames per second, exact: ``Fraction(30000, 1001)``, never 29.97.
    sample_rate : int
        Samples per second.

    Examples
    --------
    >>> Clock(Fraction(24), 22050).sample_bounds(4).tolist()
    [0, 919, 1838, 2756, 3675]
    """

    fps: Fraction
    sample_rate: int

    def __post_init__(self) -> None:
        if self.fps <= 0 or self.sample_rate <= 0:
            raise ValueError(f"got {self.fps} fps at {self.sample_rate} Hz, expected both above 0")

    @property
    def max_samples_per_frame(self) -> int:
        """The number of samples of the longest frame."""
        return -(-self.sample_rate * self.fps.denominator // self.fps.numerator)

    def start_sample(self, frame_index: int) -> int:
        """Return the first sample of a frame."""
        return sample_at(frame_index / self.fps, self.sample_rate)

    def frame_at(self, sample: int) -> int:
        """Return the frame whose first sample is nearest to a sample.

        >>> Clock(Fraction(24), 22050).frame_at(2756)
        3
        """
        return round(sample * self.fps / self.sample_rate)

    def sample_bounds(self, frame_count: int, first_frame: int = 0) -> NDArray[np.int64]:
        """Return the first sample of each frame from ``first_frame`` on, and the end of the last.

        The shape is ``(frame_count + 1,)``. Bounds are exact for any frame: where products exceed
        64 bits (after 10 years of film at 120000/1001 fps and 192 kHz), a slow loop computes them.
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
        """Return the start of each of ``frame_count`` frames in seconds, correctly rounded."""
        return np.arange(frame_count) * self.fps.denominator / self.fps.numerator

    def count_frames_within(self, seconds: Fraction) -> int:
        """Return how many frames start before a time, which is how many a film this long has."""
        return -(-seconds * self.fps // 1)


def frame_indices_at_ticks(frame_times: NDArray[np.float64], clock: Clock) -> NDArray[np.int64]:
    """Return, for each frame of ``clock``, the index of the film frame that is on screen.

    The frame on screen at time t is the last one that appears at or before t, and before the first
    one appears it is that.

    Parameters
    ----------
    frame_times : array of shape (N + 1,)
        When each film frame appears, in seconds, ascending, and when the last one ends.

    Returns
    -------
    array of shape (M,)
        M is the number of clock frames that start before the film ends.
    """
    ticks = clock.frame_times(clock.count_frames_within(Fraction(frame_times[-1])) + 1)
    ticks = ticks[ticks < frame_times[-1]]
    indices: NDArray[np.int64] = np.searchsorted(frame_times[:-1], ticks, side="right") - 1
    return indices.clip(0)
