"""Log-spectral distance: how much the magnitude spectra of two sounds differ while one sounds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from frame2sound.evaluation.levels import INAUDIBLE_DB

Samples = NDArray[np.floating]
FloatArray = NDArray[np.float64]

WINDOW_SECONDS = 0.046
RANGE_DB = 80.0

ACTIVE_RANGE_DB = 40.0
"""A window is active if its level is at most this far below that of the film's loudest window."""

TOLERANCE_SECONDS = 1 / 24
"""A sound may be this early or late, one frame at 24 fps, without a distance."""

SILENT_DB = -90.0
"""A sound whose loudest window is below this is silent: 16 bits have nothing to say there."""

_BATCH_FRAMES = 256  # analysis frames in memory at once
_MIN_LEVEL_DB = -200.0


def log_spectral_distance(
    estimate: Samples, reference: Samples, sample_rate: int, threshold_db: float | None = None
) -> float | None:
    """Return the log-spectral distance of a sound to a reference, in dB.

    The mean over analysis frames of the RMS over bins of the difference of log magnitudes (Gray and
    Markel, "Distance measures for speech processing", 1976), with Hann windows of about 46 ms that
    overlap by half. Magnitudes are clipped from below at 80 dB under the highest magnitude of the
    reference, so silence has a finite distance. The shorter sound is padded with silence.

    - Only frames count that are active in the reference (`activity_threshold_db`). What sounds
      where the reference is silent is a matter of the envelope and of the onsets.
    - The estimate is brought to the level of the reference first (`matching_gain_db`), so a sound
      that is turned down has the same distance.
    - Of each frame the smallest distance counts to any window of the estimate that is at most
      `TOLERANCE_SECONDS` earlier or later, in steps of a quarter of a window.

    Parameters
    ----------
    estimate, reference : array of shape (samples,)
        Read block by block.
    sample_rate : int
        In Hz, of both.
    threshold_db : float, optional
        Level from which frames are active; by default `activity_threshold_db` of the reference's
        loudest.

    Returns
    -------
    float or None
        0 for equal magnitudes, whatever the gain between both; 7.9 less what the tolerance gives
        for two independent noises of one spectrum; None if no frame of the reference is active.
    """
    _, distances = frame_spectral_distances(estimate, reference, sample_rate, threshold_db)
    return float(distances.mean()) if len(distances) else None


def frame_spectral_distances(
    estimate: Samples, reference: Samples, sample_rate: int, threshold_db: float | None = None
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the numbers of the active analysis frames, and the distance of each in dB.

    Both are of shape (active frames,). Frame ``i`` begins at sample ``i * n_fft // 2``.
    """
    n_fft = analysis_window_samples(sample_rate)
    levels = frame_levels_db(reference, sample_rate)
    if threshold_db is None:
        threshold_db = activity_threshold_db(float(levels.max(initial=_MIN_LEVEL_DB)))
    active = np.flatnonzero(levels >= threshold_db)
    if not len(active):
        return active, np.zeros(0)
    ours = frame_levels_db(estimate, sample_rate, len(levels))
    gain = 10 ** (matching_gain_db(ours, levels, threshold_db) / 20)
    starts = active * (n_fft // 2)
    loudest = max(float(batch.max()) for batch in _magnitudes(reference, starts, n_fft))
    floor = loudest * 10 ** (-RANGE_DB / 20)
    reach = math.ceil(TOLERANCE_SECONDS * sample_rate / (n_fft // 4))
    distances = []
    for first, theirs in zip(
        range(0, len(starts), _BATCH_FRAMES), _magnitudes(reference, starts, n_fft), strict=True
    ):
        shifted = starts[first : first + _BATCH_FRAMES, None] + n_fft // 4 * np.arange(
            -reach, reach + 1
        )
        distances.append(_least_distance(estimate, shifted, theirs, n_fft, gain, floor))
    return active, np.concatenate(distances)


def activity_threshold_db(loudest_db: float) -> float:
    """Return the level from which analysis frames of a film's sound are active, in dBFS.

    It is `ACTIVE_RANGE_DB` below the film's loudest frame, and at least -60 dBFS, below which
    nothing is heard.
    """
    return max(loudest_db - ACTIVE_RANGE_DB, INAUDIBLE_DB)


def loudest_frame_db(samples: Samples, sample_rate: int) -> float:
    """Return the level of the loudest analysis frame in dBFS, at least -200."""
    return float(frame_levels_db(samples, sample_rate).max(initial=_MIN_LEVEL_DB))


def matching_gain_db(estimated: FloatArray, reference: FloatArray, threshold_db: float) -> float:
    """Return the gain that brings a sound to the level of a reference, in dB.

    It is the median difference of level over the frames that are active in the reference, and in
    the estimate by its own level. A mean would follow the few frames in which an event is missing
    or false; the median does not move while they are less than half.

    Parameters
    ----------
    estimated, reference : arrays of shape (frames,)
        Levels in dBFS.
    threshold_db : float
        From which the reference is active.

    Returns
    -------
    float
        0 if no frame is active in both, or the estimate is silent.
    """
    loudest = float(estimated.max(initial=_MIN_LEVEL_DB))
    both = (reference >= threshold_db) & (estimated >= max(loudest - ACTIVE_RANGE_DB, SILENT_DB))
    return float(np.median((reference - estimated)[both])) if both.any() else 0.0


def frame_levels_db(
    samples: Samples, sample_rate: int, frame_count: int | None = None
) -> FloatArray:
    """Return the RMS level of each analysis frame in dBFS, at least -200; (frames,).

    There are as many frames as begin within the sound, or ``frame_count``.
    """
    n_fft = analysis_window_samples(sample_rate)
    if frame_count is None:
        frame_count = math.ceil(len(samples) / (n_fft // 2))
    window = np.hanning(n_fft + 1)[:-1]
    powers = [
        ((frames * window) ** 2).sum(1) / (window**2).sum()
        for frames in _frames(samples, np.arange(frame_count) * (n_fft // 2), n_fft)
    ]
    levels: FloatArray = 10 * np.log10(np.maximum(np.concatenate([np.zeros(0), *powers]), 1e-20))
    return levels


def analysis_window_samples(sample_rate: int) -> int:
    """Return the power of two nearest to 46 ms: 1024 at 22050 Hz, 2048 at 48 kHz."""
    return int(2 ** round(math.log2(WINDOW_SECONDS * sample_rate)))


def _least_distance(
    estimate: Samples,
    starts: NDArray[np.int64],
    reference: FloatArray,
    n_fft: int,
    gain: float,
    floor: float,
) -> FloatArray:
    """Return the least distance of each frame to the windows of the estimate that it may match.

    ``starts`` are their first samples, (frames, shifts); ``reference`` has the magnitudes of the
    frames.
    """
    each, where = np.unique(starts, return_inverse=True)
    magnitudes = np.concatenate(list(_magnitudes(estimate, each, n_fft)))
    ours = 20 * np.log10(np.maximum(magnitudes * gain, floor))
    theirs = 20 * np.log10(np.maximum(reference, floor))
    squares = [
        np.mean((ours[shift] - theirs) ** 2, axis=1) for shift in where.reshape(starts.shape).T
    ]
    least: FloatArray = np.min(squares, axis=0)
    return np.sqrt(least)


def _magnitudes(samples: Samples, starts: NDArray[np.int64], n_fft: int) -> Iterator[FloatArray]:
    """Yield the magnitudes of windows, in batches."""
    window = np.hanning(n_fft + 1)[:-1]
    for frames in _frames(samples, starts, n_fft):
        yield np.abs(rfft(frames * window))


def _frames(samples: Samples, starts: NDArray[np.int64], length: int) -> Iterator[FloatArray]:
    """Yield excerpts from their first samples on, in batches, zeros where there is no sound."""
    for first in range(0, len(starts), _BATCH_FRAMES):
        batch = starts[first : first + _BATCH_FRAMES].tolist()
        frames = np.zeros((len(batch), length))
        for row, start in zip(frames, batch, strict=True):
            part = samples[max(start, 0) : max(start + length, 0)]
            row[max(-start, 0) :][: len(part)] = part
        yield frames
