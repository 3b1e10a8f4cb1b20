"""Windows: tapers for joining blocks and for shaping grains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ENVELOPE_PEAKS = {
    "hann": 0.5,
    "triangle": 0.5,
    "tukey": 0.5,
    "gaussian": 0.5,
    "decay": 0.02,
    "reversed": 0.98,
}
"""The envelopes of grains by name, and which part of a grain is over when each is highest."""

_TUKEY_TAPER = 0.25  # share of a tukey envelope over which it rises, and falls again
_GAUSSIAN_DEVIATION = 0.15  # standard deviation of the gaussian, in lengths: 48 dB down at the ends


def hann_fade_in(length: int) -> FloatArray:
    """Return the rise of a Hann window, shape ``(length,)``, from above 0 to below 1.

    It and its mirror image add to one at every sample, exactly: ``sin**2 + cos**2``.

    >>> rise = rising(5)
    >>> bool(np.allclose(rise + rise[::-1], 1, rtol=0, atol=1e-15))
    True
    """
    return np.sin(np.pi * (np.arange(length) + 0.5) / (2 * max(length, 1))) ** 2


def grain_envelope(kind: str, length: int) -> FloatArray:
    """Return a grain's envelope, between 0 and 1, read at the middle of each sample.

    Parameters
    ----------
    kind : str
        One of `PEAKS`. ``decay`` falls by 60 dB a length after a rise of a fiftieth, ``reversed``
        is its mirror image; the others are symmetric.
    length : int
        In samples.

    Raises
    ------
    ValueError
        There is no such envelope.
    """
    place = (np.arange(length) + 0.5) / max(length, 1)
    match kind:
        case "hann":
            return np.sin(np.pi * place) ** 2
        case "triangle":
            return 1 - np.abs(2 * place - 1)
        case "tukey":
            return _sine_squared_rise(np.minimum(place, 1 - place) / _TUKEY_TAPER)
        case "gaussian":
            bell: FloatArray = np.exp(-0.5 * ((place - 0.5) / _GAUSSIAN_DEVIATION) ** 2)
            return bell
        case "decay":
            past = np.maximum(place - ENVELOPE_PEAKS["decay"], 0)
            fallen: FloatArray = np.exp(-3 * np.log(10) * past)
            return _sine_squared_rise(place / ENVELOPE_PEAKS["decay"]) * fallen
        case "reversed":
            return grain_envelope("decay", length)[::-1]
    raise ValueError(f"got the envelope {kind!r}, expected one of {', '.join(ENVELOPE_PEAKS)}")


def _sine_squared_rise(part: FloatArray) -> FloatArray:
    risen: FloatArray = np.sin(np.pi / 2 * np.clip(part, 0, 1)) ** 2
    return risen
