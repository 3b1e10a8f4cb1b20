"""Turn the phases of levels that were changed, so that overlapping windows agree."""

from __future__ import annotations

import numpy as np

from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.spectrum_points import Spectra
from frame2sound.sound.stft import InverseStft, Stft

ROUNDS = 16
"""After so many, blurred noise has the distribution of noise again, not that of pulses."""

MOMENTUM = 0.99


def agree(spectra: Spectra, parameters: CarrierParameters, fixed: int) -> Spectra:
    """Return spectra ``(channels, n, rows)`` with the same levels, and phases that agree.

    Perraudin, Balazs and Søndergaard (2013), "A fast Griffin-Lim algorithm", from the phases that
    are there. The first ``fixed`` columns stay as they are.
    """
    stft = Stft(parameters.n_fft, parameters.hop)
    centres = np.arange(spectra.shape[1]) * parameters.hop
    rows, agreed = parameters.rows, spectra.astype(np.complex64)
    for channel, level in enumerate(np.abs(agreed)):
        found = np.zeros((spectra.shape[1], stft.bins), np.complex64)
        found[:, :rows] = agreed[channel]
        last = None
        for _ in range(ROUNDS):
            inverse = InverseStft(stft)
            sound = np.concatenate([inverse.process(found), inverse.flush(fade_out=False)])
            consistent = stft.analyse(sound, centres)[:, :rows]
            ahead = consistent if last is None else consistent + MOMENTUM * (consistent - last)
            last = consistent
            turned = level * ahead / np.maximum(np.abs(ahead), 1e-20)
            found[fixed:, :rows] = turned[fixed:]
        agreed[channel] = found[:, :rows]
    return agreed
