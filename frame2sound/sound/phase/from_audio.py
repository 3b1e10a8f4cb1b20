"""Phases taken from another sound, hop by hop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import from_polar
from frame2sound.sound.stft import Stft

_MIN_MAGNITUDE = 1e-9


class PhaseFromAudio:
    """Wears the phases of another sound, from its beginning; a sound's own give it back.

    Where that sound ends it is begun again, after a whole number of hops and without a crossfade;
    samples beyond its last whole hop are not heard. Where it is silent its phases are 0. The level
    is right where the two sounds move alike, and up to that of `unrelated_gain` too low where
    they have nothing in common: it is left so, for no gain is right for both.

    Parameters
    ----------
    stft : Stft
    sound : float array, shape (samples,)
        Mono.
    sample_rate, wanted_rate : int
        Of that sound, and of the one to be made, in Hz.

    Raises
    ------
    ValueError
        The sound is not mono, is shorter than a window, or has another sample rate.
    """

    def __init__(
        self,
        stft: Stft,
        samples: NDArray[np.floating[Any]],
        sample_rate: int,
        expected_sample_rate: int,
    ) -> None:
        if sample_rate != expected_sample_rate:
            raise ValueError(
                f"got a phase sound at {sample_rate} Hz, expected {expected_sample_rate} Hz: resample it"
            )
        if samples.ndim != 1:
            raise ValueError(
                f"got a phase sound of shape {samples.shape}, expected mono, (samples,)"
            )
        if len(samples) < stft.window_size:
            raise ValueError(
                f"got a phase sound of {len(samples) / sample_rate:.3f} s, expected at least one "
                f"window, {stft.window_size / sample_rate:.3f} s"
            )
        self._stft, self._samples = stft, samples
        self._loop_hops = len(samples) // stft.hop
        self._hop = 0

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with the phases of the other sound's next hops."""
        hops = (self._hop + np.arange(len(magnitude))) % self._loop_hops
        self._hop = (self._hop + len(magnitude)) % self._loop_hops
        worn = self._stft.analyse(self._samples, hops * self._stft.hop)
        worn[np.abs(worn) < _MIN_MAGNITUDE] = 1
        return from_polar(magnitude, np.angle(worn))
