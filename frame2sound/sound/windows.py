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
"""The grain envelopes by name, with the position of each maximum as a share of the grain."""

_TUKEY_TAPER = 0.25  # share of a tukey envelope over which it rises, and falls again
_GAUSSIAN_DEVIATION = 0.15  # standard deviation of the gaussian, in lengths: 48 dB down at the ends


def hann_fade_in(length: int) -> FloatArray:
    """Return the rising half of a Hann window, shape ``(length,)``, above 0 and below 1.

    It and its reverse add to one at every sample: ``sin**2 + cos**2``.

    >>> rise = hann_fade_in(5)
    >>> bool(np.allclose(rise + rise[::-1], 1, rtol=0, atol=1e-15))
    True
    """
    return np.sin(np.pi * (np.arange(length) + 0.5) / (2 * max(length, 1))) ** 2


def grain_envelope(kind: str, length: int) -> FloatArray:
    """Return a grain's envelope, between 0 and 1, at the middle of each sample.

    Parameters
    ----------
    kind : str
        One of `ENVELOPE_PEAKS`. ``decay`` rises over 2 % of the length, then falls by 60 dB per
        length; ``reversed`` is its reverse; the others are symmetric.
    length : int
        In samples.

    Raises
    ------
    ValueError
        The name is unknown.
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
