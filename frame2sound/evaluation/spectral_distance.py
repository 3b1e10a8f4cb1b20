"""Log-spectral distance: how much the magnitude spectra of two sounds differ."""

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
_MIN_REFERENCE_AMPLITUDE = 1e-6  # of the sine wave that sets the floor for a silent reference


def log_spectral_distance(estimate: Samples, reference: Samples, sample_rate: int) -> float:
    """Return the log-spectral distance of a sound to a reference, in dB.

    The mean over analysis frames of the RMS over bins of the difference of log magnitudes (Gray and
    Markel, "Distance measures for speech processing", 1976), with Hann windows of about 46 ms that
    overlap by half. Magnitudes are clipped from below at 80 dB under the highest magnitude of the
    reference, so silence has a finite distance. The shorter sound is padded with silence.

    Parameters
    ----------
    estimate, reference : array of shape (samples,)
        Read block by block.
    sample_rate : int
        In Hz, of both.

    Returns
    -------
    float
        0 for equal magnitudes; the gain in dB between two copies of a sound that fills the
        spectrum; 7.9 for two independent noises of one spectrum.
    """
    distances = frame_spectral_distances(estimate, reference, sample_rate)
    return float(distances.mean()) if len(distances) else 0.0


def frame_spectral_distances(
    estimate: Samples, reference: Samples, sample_rate: int
) -> NDArray[np.float64]:
    """Return the log-spectral distance of each analysis frame in dB, (frames,).

    The first frame begins at sample 0.
    """
    n_fft = analysis_window_samples(sample_rate)
    count = math.ceil(max(len(estimate), len(reference)) / (n_fft // 2))
    if not count:
        return np.zeros(0)
    loudest = max(float(block.max()) for block in _magnitudes(reference, n_fft, count))
    floor = max(loudest, _MIN_REFERENCE_AMPLITUDE * n_fft / 4) * 10 ** (-RANGE_DB / 20)
    distances = []
    pairs = zip(
        _magnitudes(estimate, n_fft, count), _magnitudes(reference, n_fft, count), strict=True
    )
    for ours, theirs in pairs:
        ratio = 20 * np.log10(np.maximum(ours, floor) / np.maximum(theirs, floor))
        distances.append(np.sqrt(np.mean(ratio**2, axis=1)))
    return np.concatenate(distances)


def analysis_window_samples(sample_rate: int) -> int:
    """Return the power of two nearest to 46 ms: 1024 at 22050 Hz, 2048 at 48 kHz."""
    return int(2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


def _magnitudes(samples: Samples, n_fft: int, count: int) -> Iterator[NDArray[np.float64]]:
    """Yield the magnitudes of ``count`` analysis frames, in batches; the sound is zero-padded."""
    window, hop = np.hanning(n_fft + 1)[:-1], n_fft // 2
    for first in range(0, count, _BATCH_FRAMES):
        frames = min(_BATCH_FRAMES, count - first)
        padded = np.zeros((frames - 1) * hop + n_fft)
        part = samples[first * hop : first * hop + len(padded)]
        padded[: len(part)] = part
        excerpts = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
        yield np.abs(rfft(excerpts * window))
