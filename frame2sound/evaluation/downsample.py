"""Long films and sounds reduced to a few values for each column of pixels of a plot."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
Frames = NDArray[np.uint8]

COLUMNS = 1280
MIN_FREQUENCY_HZ = 50.0
MIN_LEVEL_DB = -120.0
MIN_MOTION = 32
"""Difference from the background, of 255, that is drawn white at least."""

_BACKGROUND_FRAMES = 101
_SAMPLES_PER_COLUMN = 4  # most times at which a long film is sampled for one column


def peak_amplitude(samples: Samples) -> float:
    """Return the largest absolute sample; 0.0 for an empty sound."""
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))


def waveform_extremes(
    samples: Samples, columns: int = COLUMNS
) -> tuple[NDArray[np.int64], Samples, Samples]:
    """Return the start, minimum and maximum of at most ``columns`` parts of a sound."""
    count = min(columns, len(samples))
    if not count:
        return np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1)
    starts = np.arange(count, dtype=np.int64) * len(samples) // count
    return starts, np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def frame_indices_at(frame_times: Times, times: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the index of the frame on screen at each time; -1 if there is none."""
    index = np.searchsorted(frame_times[:-1], times, side="right") - 1
    return np.where(times < frame_times[-1], index, -1)


def motion_image(
    frames: Frames, frame_times: Times, seconds: float, columns: int = COLUMNS
) -> NDArray[np.uint8]:
    """Return an image of motion: time from left to right, rows of the frames from top to bottom.

    A value is the largest difference from the background of any pixel in that row, so a moving
    object draws a line, on light and on dark backgrounds. The background of a pixel is its median
    over time. Values are scaled so that the largest is 255, but differences below `MIN_MOTION`, as
    compression makes them, stay dark.

    Parameters
    ----------
    frames : array of shape (N, height, width)
    frame_times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.

    Returns
    -------
    array of shape (height, columns)
        Columns divide ``seconds`` evenly; 0 without motion and where no frame is on screen.
    """
    count = columns * _SAMPLES_PER_COLUMN
    indices = frame_indices_at(frame_times, (np.arange(count) + 0.5) * seconds / count)
    shown, places = np.unique(indices[indices >= 0], return_inverse=True)
    image = np.zeros((count, frames.shape[1]), dtype=np.float32)
    if len(shown):
        background = _background(frames, shown)
        differences = [np.abs(frames[index] - background).max(axis=1) for index in shown]
        image[indices >= 0] = np.stack(differences)[places]
    image *= 255 / max(float(image.max()), MIN_MOTION)
    values: NDArray[np.uint8] = np.rint(image).astype(np.uint8)
    values = values.reshape(columns, _SAMPLES_PER_COLUMN, -1).max(axis=1)
    return values.T


def _background(frames: Frames, frame_indices: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the median over time of each pixel, of at most 101 frames, evenly spaced."""
    count = min(len(frame_indices), _BACKGROUND_FRAMES)
    places = np.linspace(0, len(frame_indices) - 1, count).astype(np.int64)
    median = np.median([frames[index] for index in frame_indices[places]], axis=0)
    background: NDArray[np.float32] = median.astype(np.float32)
    return background


def log_spectrogram(
    samples: Samples, sample_rate: int, seconds: float, columns: int = COLUMNS, rows: int = 220
) -> NDArray[np.float64]:
    """Return a spectrogram in dB, where a full-scale sine has 0 dB, and silence -120 dB.

    Columns divide ``seconds`` evenly; each has the maximum of up to four Hann windows, so a long
    sound takes no more time than a short one. Windows last 24 to 46 ms, and are shorter for shorter
    sounds, for resolution in time. Rows are log-spaced from 50 Hz to half the sample rate; each
    has the maximum of its bins.

    Returns
    -------
    array of shape (rows, columns)
    """
    length = 2 * round(min(max(seconds / 60, 0.024), 0.046) / 2 * sample_rate)
    window = np.hanning(length + 1)[:-1]
    hop = seconds * sample_rate / columns
    windows = min(_SAMPLES_PER_COLUMN, max(1, math.ceil(2 * hop / length)))
    levels = np.full((rows, columns), MIN_LEVEL_DB)
    for column in range(columns):
        for index in range(windows):
            start = int((column + (index + 0.5) / windows) * hop) - length // 2
            part = samples[max(start, 0) : max(start + length, 0)]
            if not np.any(part):
                continue
            padded = np.zeros(length)
            padded[max(-start, 0) :][: len(part)] = part
            magnitude = np.abs(np.fft.rfft(padded * window)) * (2 / window.sum())
            level = 20 * np.log10(np.maximum(_log_rows(magnitude, rows, sample_rate), 1e-6))
            levels[:, column] = np.maximum(levels[:, column], level)
    return levels


def _log_rows(magnitude: NDArray[np.float64], rows: int, sample_rate: int) -> NDArray[np.float64]:
    """Return magnitudes on a log-frequency axis: the maximum of several bins, or interpolated."""
    first, middles = _rows(len(magnitude) - 1, rows, sample_rate)
    interpolated = np.interp(middles, np.arange(len(magnitude)), magnitude)
    largest = np.maximum.reduceat(magnitude, first)[:-1]
    return np.where(np.diff(first) > 0, np.maximum(largest, interpolated), interpolated)


@lru_cache(maxsize=8)
def _rows(last: int, rows: int, sample_rate: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first bin of each row and of the row after the last, and the middles of rows."""
    edges = np.geomspace(MIN_FREQUENCY_HZ, sample_rate / 2, rows + 1) * 2 * last / sample_rate
    return np.minimum(np.ceil(edges).astype(np.int64), last), np.sqrt(edges[:-1] * edges[1:])
