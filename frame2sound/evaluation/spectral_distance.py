"""How unlike two sounds are by their magnitudes, whatever their phases."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

Samples = NDArray[np.floating]

WINDOW_SECONDS = 0.046
RANGE_DB = 80.0

_BATCH_FRAMES = 256  # analysis frames in memory at once
_MIN_REFERENCE_AMPLITUDE = (
    1e-6  # amplitude of a sine wave that counts as the loudest of a silent reference
)


def log_spectral_distance(estimate: Samples, reference: Samples, sample_rate: int) -> float:
    """Return the log-spectral distance of a sound to a reference, in dB.

    The mean over analysis frames of the root mean square over bins of the difference of log
    magnitudes (Gray and Markel, "Distance measures for speech processing", 1976). Hann windows of
    about 46 ms, half of that apart. Magnitudes more than 80 dB below the reference's highest count
    as just that, so silence has a finite distance. The shorter sound is padded with silence.

    Parameters
    ----------
    sound, reference : array of shape (samples,)
        Read block by block.
    sample_rate : int
        In Hz, of both.

    Returns
    -------
    float
        0 for the same magnitudes; as many dB as the gain between two copies of a sound that fills
        the spectrum; 7.9 for two noises of one colour.
    """
    apart = frame_spectral_distances(estimate, reference, sample_rate)
    return float(apart.mean()) if len(apart) else 0.0


def frame_spectral_distances(
    estimate: Samples, reference: Samples, sample_rate: int
) -> NDArray[np.float64]:
    """Return the same for each analysis frame, ``(frames,)``; the first begins with the sound."""
    n_fft = analysis_window_samples(sample_rate)
    count = math.ceil(max(len(estimate), len(reference)) / (n_fft // 2))
    if not count:
        return np.zeros(0)
    loudest = max(float(block.max()) for block in _magnitudes(reference, n_fft, count))
    floor = max(loudest, _MIN_REFERENCE_AMPLITUDE * n_fft / 4) * 10 ** (-RANGE_DB / 20)
    apart = []
    pairs = zip(
        _magnitudes(estimate, n_fft, count), _magnitudes(reference, n_fft, count), strict=True
    )
    for ours, theirs in pairs:
        ratio = 20 * np.log10(np.maximum(ours, floor) / np.maximum(theirs, floor))
        apart.append(np.sqrt(np.mean(ratio**2, axis=1)))
    return np.concatenate(apart)


def spectral_convergence(
    magnitude: NDArray[np.floating], reference_magnitude: NDArray[np.floating]
) -> float:
    """Return the norm of the difference of two magnitudes, by the norm of the reference's.

    0 for the same, 1 for silence; of a silent reference, 0 for silence and infinite for the rest
    (Arik, Jun and Diamos, "Fast spectrogram inversion", 2018).

    Raises
    ------
    ValueError
        Their shapes differ.
    """
    ours, theirs = (np.asarray(m, np.float64) for m in (magnitude, reference_magnitude))
    if ours.shape != theirs.shape:
        raise ValueError(f"got magnitudes of shapes {ours.shape} and {theirs.shape}, expected one")
    apart, size = float(np.linalg.norm(ours - theirs)), float(np.linalg.norm(theirs))
    if size:
        return apart / size
    return math.inf if apart else 0.0


def analysis_window_samples(sample_rate: int) -> int:
    """Return the power of two that lasts nearest to 46 ms: 1024 at 22050 Hz, 2048 at 48 kHz."""
    return int(2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


def _magnitudes(samples: Samples, n_fft: int, count: int) -> Iterator[NDArray[np.float64]]:
    """Yield the magnitudes of so many analysis frames, in blocks; silence follows the sound."""
    window, hop = np.hanning(n_fft + 1)[:-1], n_fft // 2
    for first in range(0, count, _BATCH_FRAMES):
        frames = min(_BATCH_FRAMES, count - first)
        part = np.zeros((frames - 1) * hop + n_fft)
        heard = samples[first * hop : first * hop + len(part)]
        part[: len(heard)] = heard
        excerpts = np.lib.stride_tricks.sliding_window_view(part, n_fft)[::hop]
        yield np.abs(rfft(excerpts * window))
