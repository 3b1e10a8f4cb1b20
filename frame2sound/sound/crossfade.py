"""Crossfade at constant power, whatever the correlation of the two sounds."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in

Samples = TypeVar("Samples", bound=NDArray[np.floating[Any]])


def crossfade(outgoing: Samples, incoming: Samples, silent_correlation: float) -> Samples:
    """Return the crossfade from one sound to another of the same shape and precision.

    Parameters
    ----------
    outgoing, incoming : float array, shape (n,) or (n, channels)
    silent_correlation : float
        The correlation that counts where a sound is silent: 1 for a fade whose amplitudes add to
        one, 0 for one whose powers do.
    """
    fading, rising = crossfade_parts(outgoing, incoming, silent_correlation)
    return (fading + rising).astype(outgoing.dtype)  # type: ignore[return-value]


def crossfade_parts(
    outgoing: NDArray[np.floating[Any]],
    incoming: NDArray[np.floating[Any]],
    silent_correlation: float,
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Return the two parts, one of each sound, that add up to a `crossfade`."""
    correlation = _correlation(outgoing, incoming, silent_correlation)
    shape = (-1,) + (1,) * (outgoing.ndim - 1)
    rise, fall = (gain.reshape(shape) for gain in crossfade_gains(len(outgoing), correlation))
    return outgoing * fall, incoming * rise


def crossfade_gains(
    length: int, correlation: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a rising gain ``a`` and a falling gain ``b``, each ``(length,)``.

    Two sounds of equal power and correlation ``rho`` keep their power under them:
    ``a**2 + b**2 + 2 a b rho = 1``. At ``rho = 1`` amplitudes add to one, at 0 powers do.

    >>> rise, fall = crossfade_gains(4, 1.0)
    >>> bool(np.allclose(rise + fall, 1))
    True
    """
    rise = hann_fade_in(length)
    fall = rise[::-1]
    level = np.sqrt(rise**2 + fall**2 + 2 * rise * fall * correlation)
    return rise / level, fall / level


def _correlation(
    outgoing: NDArray[np.floating[Any]],
    incoming: NDArray[np.floating[Any]],
    silent_correlation: float,
) -> float:
    """Return the correlation of two sounds, over all channels; 0 where it is negative."""
    powers = [float(np.square(each, dtype=np.float64).sum()) for each in (outgoing, incoming)]
    energy = float(np.sqrt(powers[0] * powers[1]))
    return max(float((outgoing * incoming).sum()) / energy, 0.0) if energy else silent_correlation
