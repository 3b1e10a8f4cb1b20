"""The mapping of The vOICe: a picture of 64 x 64 pixels as a second of sound, for blind people.

P. B. L. Meijer (1992), "An Experimental System for Auditory Image Representations", IEEE
Transactions on Biomedical Engineering 39(2), 112-121: a scan from left to right in 1.05 s; a sine a
row, from 500 Hz at the bottom to 5000 Hz at the top, evenly apart in octaves; 16 levels of grey.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.frequencies import FrequencyAxis, spaced_axis
from frame2sound.sonification.pictures import Brightness, with_rows

SIZE = 64
"""Rows and columns."""

GREYS = 16

SCAN_SECONDS = Fraction(105, 100)

LOW_HZ, HIGH_HZ = 500.0, 5000.0

STEP_DB = 2.0
"""Between two greys, as in the program that Meijer has published; black is silent."""


def voice_axis() -> FrequencyAxis:
    """Return the frequencies of the rows: ``500 * 10 ** (i / 63)`` Hz, ``i`` from the bottom."""
    return spaced_axis(SIZE, LOW_HZ, HIGH_HZ, "log")


def to_64_columns(brightness: Brightness) -> Brightness:
    """Return a picture with 64 columns: means of areas, or interpolated."""
    return np.ascontiguousarray(with_rows(np.ascontiguousarray(brightness.T), SIZE).T)


def voice_amplitudes(brightness: Brightness) -> NDArray[np.float32]:
    """Return amplitudes in 16 steps: 1 for white, 2 dB less for each step below, 0 for black.

    >>> voice_amplitudes(np.float32([1, 0.93, 0.05])).round(4).tolist()
    [1.0, 0.794300019741058, 0.0]
    """
    grey = np.minimum(np.floor(brightness * GREYS), GREYS - 1)
    level = 10 ** ((grey - (GREYS - 1)) * np.float32(STEP_DB / 20))
    return np.where(grey > 0, level, 0).astype(np.float32)
