"""Inputs and results of measuring a soundtrack."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.frame_rate_hum import FrameRateHum, frame_rate_hum
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.sound.onset_detection import detect_onsets

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MINUS_INFINITY_DB = -200.0
"""Stands for minus infinity in values written to files, in dB."""


@dataclass(frozen=True)
class BlackFrames:
    """Which frames of a film are black, and when frames are on screen.

    Attributes
    ----------
    frame_times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    is_black : array of shape (N,)
    """

    frame_times: Times
    is_black: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Reference:
    """The original soundtrack of a film; what is measured of it is computed once.

    Parameters
    ----------
    samples : array of shape (samples,)
        Mono.
    sample_rate : int
        In Hz.
    fps : Fraction
        Frames per second.
    known_onsets : array of shape (onsets,), optional
        True onsets in seconds; if not given, they are detected.
    """

    samples: Samples
    sample_rate: int
    fps: Fraction
    known_onsets: Times | None = None

    @cached_property
    def onsets(self) -> Times:
        """Known or else detected onsets, in seconds."""
        if self.known_onsets is not None:
            return self.known_onsets
        return detect_onsets(self.samples, self.sample_rate)

    @cached_property
    def silence_distance_db(self) -> float | None:
        """Log-spectral distance of silence; None if the original is silent throughout."""
        return log_spectral_distance(self.samples[:0], self.samples, self.sample_rate)

    @cached_property
    def frame_rate_hum(self) -> FrameRateHum | None:
        """Hum of the original at the frame rate; None if it cannot be measured."""
        return frame_rate_hum(self.samples, self.sample_rate, self.fps)


@dataclass(frozen=True)
class Measurements:
    """Measures of a soundtrack; None is what could not be measured, and ``why`` has the reason.

    Attributes
    ----------
    length_samples : int
        Samples by which it is longer than the picture.
    lag_start_ms, lag_end_ms : float
        Delay relative to the reference, at the start and at the end.
    onset_f, onset_chance, onset_chance_high : float
        F-measure of onsets within 50 ms, and what circular shifts of the onsets reach: the mean,
        and the value that 95 % of them stay below.
    in_sync : float
        Share of onset energy from 45 ms before to 125 ms after a true onset; only where the
        reference itself is in sync (see `frame2sound.evaluation.onsets.carries_sync`).
    envelope_correlation, envelope_error : float
        Of RMS envelopes at 100 Hz; the error is a mean absolute error in amplitude.
    spectral_distance_db, silence_distance_db : float
        Log-spectral distance, and that of silence.
    pitch : float
        Share of pitched frames within a semitone of the ground truth.
    judge, judge_chance : float
        Probability of the film's label, by a judge that a comparison was given, and of guessing.
    level_error_db : float
        Mean absolute error of the level of frames.
    line_comb_db, tremolo_comb_db : float
        Maxima over the bands of ``combs``.
    line_comb_above_db, tremolo_comb_above_db : float
        Maximum over bands of the difference from the reference.
    black_db, loudness_lufs, true_peak_dbtp : float
        Minus infinity for silence.
    black_above_db : float
        ``black_db`` minus the reference's; levels below -60 dBFS count as -60 dBFS.
    clipped : int
        Samples at full scale.
    combs : FrameRateHum
        By band.
    why : mapping
        Reason for each measure that is None.
    """

    length_samples: int | None = None
    lag_start_ms: float | None = None
    lag_end_ms: float | None = None
    onset_f: float | None = None
    onset_chance: float | None = None
    onset_chance_high: float | None = None
    in_sync: float | None = None
    envelope_correlation: float | None = None
    envelope_error: float | None = None
    spectral_distance_db: float | None = None
    silence_distance_db: float | None = None
    pitch: float | None = None
    judge: float | None = None
    judge_chance: float | None = None
    level_error_db: float | None = None
    line_comb_db: float | None = None
    line_comb_above_db: float | None = None
    tremolo_comb_db: float | None = None
    tremolo_comb_above_db: float | None = None
    black_db: float | None = None
    black_above_db: float | None = None
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    clipped: int | None = None
    combs: FrameRateHum | None = None
    why: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; minus infinity becomes -200 dB."""
        values = asdict(replace(self, why={}))
        return {name: _finite(value) for name, value in values.items()} | {"why": dict(self.why)}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and value == -math.inf:
        return MINUS_INFINITY_DB
    return value
