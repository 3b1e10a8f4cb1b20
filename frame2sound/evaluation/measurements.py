"""What a soundtrack is measured against, and the figures that come of it."""

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

from frame2sound.evaluation import measures
from frame2sound.evaluation.frame_rate_hum import FrameRateHum, frame_rate_hum

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MINUS_INFINITY_DB = -200.0
"""What stands for minus infinity in plain values, in dB."""


@dataclass(frozen=True)
class BlackFrames:
    """When each of N frames appears and the last one ends, (N + 1,), and which are black, (N,)."""

    frame_times: Times
    is_black: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Reference:
    """A film's own sound, and what is measured of it once for all that is held against it.

    Parameters
    ----------
    sound : array of shape (samples,)
        Mono.
    sample_rate : int
        In Hz.
    fps : Fraction
        Frames a second.
    events : array of shape (events,), optional
        When things begin to sound, in seconds, where that is known; else it is heard.
    """

    samples: Samples
    sample_rate: int
    fps: Fraction
    known_onsets: Times | None = None

    @cached_property
    def onsets(self) -> Times:
        """When things begin to sound, in seconds."""
        if self.known_onsets is not None:
            return self.known_onsets
        return measures.detect_onsets(self.samples, self.sample_rate)

    @cached_property
    def frame_rate_hum(self) -> FrameRateHum | None:
        """How much it hums with the frame rate itself."""
        return frame_rate_hum(self.samples, self.sample_rate, self.fps)


@dataclass(frozen=True)
class Measurements:
    """What was measured of a soundtrack; None is what could not be, and ``why`` says why.

    Attributes
    ----------
    length_samples : int
        Samples that it is longer than the picture.
    lag_start_ms, lag_end_ms : float
        How late it is at its start and at its end.
    onset_f, onset_chance : float
        F-measure of its onsets within 50 ms, and that of as many at random.
    in_sync : float
        Share of onset energy from 45 ms early to 125 ms late.
    envelope_correlation, envelope_error : float
        Of RMS envelopes at 100 Hz; the error is a mean absolute one, in amplitude.
    spectral_distance_db : float
        Log-spectral distance.
    pitch : float
        Share of pitched frames within a semitone of the truth.
    level_error_db : float
        Mean absolute error of the level of frames.
    line_comb_db, tremolo_comb_db : float
        The worst of ``combs``.
    line_comb_above_db, tremolo_comb_above_db : float
        The same minus the reference's, in the band where that is worst.
    black_db, loudness_lufs, true_peak_dbtp : float
        Minus infinity for silence.
    black_above_db : float
        ``black_db`` minus the reference's; what is below -60 dBFS counts as -60.
    clipped : int
        Samples at full scale.
    combs : Combs
        By band.
    why : mapping
        A word for every figure that is None.
    """

    length_samples: int | None = None
    lag_start_ms: float | None = None
    lag_end_ms: float | None = None
    onset_f: float | None = None
    onset_chance: float | None = None
    in_sync: float | None = None
    envelope_correlation: float | None = None
    envelope_error: float | None = None
    spectral_distance_db: float | None = None
    pitch: float | None = None
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
        """Return plain values for JSON; silence is at -200 dB."""
        values = asdict(replace(self, why={}))
        return {name: _finite(value) for name, value in values.items()} | {"why": dict(self.why)}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and value == -math.inf:
        return MINUS_INFINITY_DB
    return value
