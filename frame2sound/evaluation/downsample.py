"""What a picture can show of a long film or sound: a few values for each column of pixels."""

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
"""Of 255; what differs less from the ground is drawn darker than white."""

_BACKGROUND_FRAMES = 101
_SAMPLES_PER_COLUMN = 4  # most moments of a long film that are looked at for one column


def peak_amplitude(samples: Samples) -> float:
    """Return the largest absolute sample; 0.0 when there is none."""
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))


def waveform_extremes(
    samples: Samples, columns: int = COLUMNS
) -> tuple[NDArray[np.int64], Samples, Samples]:
    """Return at most so many positions, and the lowest and highest sample from each to the next."""
    count = min(columns, len(samples))
    if not count:
        return np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1)
    starts = np.arange(count, dtype=np.int64) * len(samples) // count
    return starts, np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def frame_indices_at(frame_times: Times, times: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the frame on screen at each time, or -1 where there is none."""
    frame = np.searchsorted(frame_times[:-1], times, side="right") - 1
    return np.where(times < frame_times[-1], frame, -1)


def motion_image(
    frames: Frames, frame_times: Times, seconds: float, columns: int = COLUMNS
) -> NDArray[np.uint8]:
    """Return, of each row of the frames on screen, how far its farthest pixel is from the ground.

    What moves is a line so, be it light on dark or dark on light. The ground is what each pixel is
    for most of the film, its median over time. The farthest of all is 255; differences below
    `LEAST_MOTION`, as compression makes them, do not become so bright.

    Parameters
    ----------
    frames : array of shape (N, height, width)
    times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.

    Returns
    -------
    array of shape (height, columns)
        Columns divide ``seconds`` evenly; 0 where nothing moves and where no frame is on screen.
    """
    moments = (
        (np.arange(columns * _SAMPLES_PER_COLUMN) + 0.5) * seconds / (columns * _SAMPLES_PER_COLUMN)
    )
    shown = frame_indices_at(frame_times, moments)
    seen, place = np.unique(shown[shown >= 0], return_inverse=True)
    image = np.zeros((len(moments), frames.shape[1]), dtype=np.float32)
    if len(seen):
        ground = _background(frames, seen)
        away = [np.abs(frames[index] - ground).max(axis=1) for index in seen]
        image[shown >= 0] = np.stack(away)[place]
    image *= 255 / max(float(image.max()), MIN_MOTION)
    farthest: NDArray[np.uint8] = np.rint(image).astype(np.uint8)
    farthest = farthest.reshape(columns, _SAMPLES_PER_COLUMN, -1).max(axis=1)
    return farthest.T


def _background(frames: Frames, frame_indices: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the median over time of each pixel, ``(height, width)``, of some frames evenly."""
    some = frame_indices[
        np.linspace(0, len(frame_indices) - 1, min(len(frame_indices), _BACKGROUND_FRAMES)).astype(
            np.int64
        )
    ]
    ground: NDArray[np.float32] = np.median([frames[index] for index in some], axis=0).astype(
        np.float32
    )
    return ground


def log_spectrogram(
    samples: Samples, sample_rate: int, seconds: float, columns: int = COLUMNS, rows: int = 220
) -> NDArray[np.float64]:
    """Return levels in dB where a full-scale sine has 0, and silence -120.

    Columns divide ``seconds`` evenly; each shows the loudest of up to four Hann windows in it, so
    a long sound costs no more than a short one. Windows last 24 to 46 ms, the shorter the shorter
    the sound, to show when rather than what. Rows are log-spaced from 50 Hz to half the sample
    rate; each shows the loudest of its bins.

    Returns
    -------
    array of shape (rows, columns)
    """
    length = 2 * round(min(max(seconds / 60, 0.024), 0.046) / 2 * sample_rate)
    window = np.hanning(length + 1)[:-1]
    hop = seconds * sample_rate / columns
    looks = min(_SAMPLES_PER_COLUMN, max(1, math.ceil(2 * hop / length)))
    levels = np.full((rows, columns), MIN_LEVEL_DB)
    for column in range(columns):
        for look in range(looks):
            start = int((column + (look + 0.5) / looks) * hop) - length // 2
            heard = samples[max(start, 0) : max(start + length, 0)]
            if not np.any(heard):
                continue
            part = np.zeros(length)
            part[max(-start, 0) :][: len(heard)] = heard
            magnitude = np.abs(np.fft.rfft(part * window)) * (2 / window.sum())
            level = 20 * np.log10(np.maximum(_log_rows(magnitude, rows, sample_rate), 1e-6))
            levels[:, column] = np.maximum(levels[:, column], level)
    return levels


def _log_rows(magnitude: NDArray[np.float64], rows: int, sample_rate: int) -> NDArray[np.float64]:
    """Return magnitudes on a log-frequency axis: the most of many bins, or between two."""
    first, middles = _rows(len(magnitude) - 1, rows, sample_rate)
    between = np.interp(middles, np.arange(len(magnitude)), magnitude)
    most = np.maximum.reduceat(magnitude, first)[:-1]
    return np.where(np.diff(first) > 0, np.maximum(most, between), between)


@lru_cache(maxsize=8)
def _rows(last: int, rows: int, sample_rate: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first bin of each row and of the one after, and the middles of rows in bins."""
    edges = np.geomspace(MIN_FREQUENCY_HZ, sample_rate / 2, rows + 1) * 2 * last / sample_rate
    return np.minimum(np.ceil(edges).astype(np.int64), last), np.sqrt(edges[:-1] * edges[1:])
