"""The share of frames with the right pitch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.pitch_detection import detect_pitch_hz

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

_SEMITONE = 1 / 12  # octaves


def pitch_accuracy(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> float | None:
    """Return the share of pitched frames at which a sound is within a semitone of the true pitch.

    Parameters
    ----------
    samples : array of shape (samples,)
    sample_rate : int
        In Hz.
    reference_hz : sequence of N
        True pitch of each frame; None for frames without pitch.
    frame_times : array of shape (N + 1,)
        When each frame begins, in seconds, and when the last one ends.

    Returns
    -------
    float or None
        In [0, 1]; None if no frame has a pitch. Silence and noise score 0.

    Raises
    ------
    ValueError
        There is not one more time than there are pitches.
    """
    _, hits = pitch_hits(samples, sample_rate, reference_hz, frame_times)
    return float(np.mean(hits)) if len(hits) else None


def pitch_hits(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> tuple[Times, NDArray[np.bool_]]:
    """Return the middles of the pitched frames in seconds, and whether the pitch is right there."""
    if len(frame_times) != len(reference_hz) + 1:
        raise ValueError(
            f"got {len(frame_times)} times for {len(reference_hz)} pitches, expected one more"
        )
    reference = np.array([math.nan if hz is None else hz for hz in reference_hz], np.float64)
    pitched = np.flatnonzero(np.isfinite(reference))
    times: Times = (frame_times[:-1][pitched] + frame_times[1:][pitched]) / 2
    octaves = np.abs(np.log2(detect_pitch_hz(samples, sample_rate, times) / reference[pitched]))
    return times, octaves <= _SEMITONE
