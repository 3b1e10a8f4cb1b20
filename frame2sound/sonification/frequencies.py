"""Frequencies of a picture's rows: linear, logarithmic, mel, or the tones of a scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.mel_scale import hz_to_mel
from frame2sound.sound.scale import Scale

FloatArray = NDArray[np.float64]

SPACINGS = ("linear", "log", "mel")

MAX_TONES = 4096
"""Tones of a scale, at most: as many rows as a picture may have."""


@dataclass(frozen=True)
class FrequencyAxis:
    """The frequency of each row of a picture, and the band that it stands for.

    Attributes
    ----------
    hz : float64 array (rows,)
        Descending, in Hz.
    edges : float64 array (rows + 1,)
        Descending; row ``r`` stands for the band from ``edges[r + 1]`` to ``edges[r]``.
    """

    hz: FloatArray
    edges: FloatArray

    def __len__(self) -> int:
        return len(self.hz)


def spaced_axis(rows: int, low_hz: float, high_hz: float, spacing: str) -> FrequencyAxis:
    """Return rows evenly apart in Hz, octaves or mel, from ``low_hz`` (bottom) to ``high_hz``.

    A single row is in the middle, by octaves.

    Raises
    ------
    ValueError
        The frequencies do not ascend, or the spacing is unknown.

    Examples
    --------
    >>> spaced_axis(3, 100, 400, "log").hz.round(6).tolist()
    [400.0, 200.0, 100.0]
    """
    if not 0 < low_hz <= high_hz:
        raise ValueError(
            f"got frequencies from {low_hz:g} to {high_hz:g} Hz, expected them to rise"
        )
    if rows == 1:
        return _axis(np.array([math.sqrt(low_hz * high_hz)]))
    if spacing == "linear":
        return _axis(np.linspace(high_hz, low_hz, rows))
    if spacing == "log":
        return _axis(np.geomspace(high_hz, low_hz, rows))
    if spacing == "mel":
        mel = np.linspace(hz_to_mel(high_hz), hz_to_mel(low_hz), rows)
        return _axis(700 * (10 ** (mel / 2595) - 1))
    raise ValueError(f"got spacing {spacing!r}, expected one of {', '.join(SPACINGS)}")


def tuned_axis(scale: Scale, low_hz: float, high_hz: float) -> FrequencyAxis:
    """Return a row for each tone of a scale from ``low_hz`` to ``high_hz``.

    Raises
    ------
    ValueError
        The scale has no tone there, or more than 4096.
    """
    tones = _tones(scale, low_hz, high_hz)
    if not 0 < len(tones) <= MAX_TONES:
        raise ValueError(
            f"the scale has {len(tones)} tones from {low_hz:g} to {high_hz:g} Hz, "
            f"expected 1 to {MAX_TONES}"
        )
    return _axis(np.array(tones[::-1]))


def _tones(scale: Scale, low_hz: float, high_hz: float) -> list[float]:
    slack = 1e-9
    if scale.period is None:
        tones = [scale.tonic_hz * ratio for ratio in scale.ratios]
    else:
        steps, period = len(scale.ratios), math.log(scale.period)
        first, last = (
            math.floor(math.log(hz / scale.tonic_hz) / period) for hz in (low_hz, high_hz)
        )
        span = range(first * steps, (last + 1) * steps)
        if len(span) > 4 * MAX_TONES:
            span = range(MAX_TONES + 1)
        tones = [scale.step_to_hz(step) for step in span]
    return [hz for hz in tones if low_hz * (1 - slack) <= hz <= high_hz * (1 + slack)]


def _axis(hz: FloatArray) -> FrequencyAxis:
    """Return the axis of descending frequencies; bands meet halfway between their rows."""
    if len(hz) == 1:
        return FrequencyAxis(hz, np.array([hz[0] * 2**0.5, hz[0] * 2**-0.5]))
    middles = (hz[1:] + hz[:-1]) / 2
    top, bottom = 2 * hz[0] - middles[0], max(2 * hz[-1] - middles[-1], 0.0)
    return FrequencyAxis(hz, np.concatenate([[top], middles, [bottom]]))
