"""Loudness normalisation: find the gain that gives limited sound a target loudness."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.output.finishing import Chunks, apply_gain, limit, non_finite_error
from frame2sound.sound.limiter import Limiter
from frame2sound.sound.loudness import MIN_SAMPLE_RATE, LoudnessMeter

TOLERANCE_LU = 0.1
"""Largest accepted deviation from the target."""

MAX_GAIN_DB = 40.0
"""A soundtrack that would need more gain is noise."""

MAX_LIMITED_SHARE = 0.5
"""The share of the sound that the limiter may reduce by more than 12 dB. If it reduces more, it no
longer limits short peaks but the sound itself, which more gain makes flatter, not louder."""

MAX_PASSES = 16
MIN_GAIN_STEP_DB = 0.1
"""The search ends when the interval of possible gains is smaller."""


@dataclass(frozen=True)
class NormalisationResult:
    """The gain of a soundtrack, and its loudness before and after gain and limiter.

    Attributes
    ----------
    input_lufs, output_lufs : float
        Integrated loudness; minus infinity for silence.
    gain_db : float
    max_reduction_db : float
        The largest gain reduction of the limiter.
    limited_share : float
        The share of the sound that the limiter reduces by more than 12 dB.
    """

    input_lufs: float
    gain_db: float
    output_lufs: float
    max_reduction_db: float = 0.0
    limited_share: float = 0.0


def find_gain(spool: AudioSpool, sample_rate: int, target_lufs: float) -> NormalisationResult:
    """Return the gain with which limited sound has a target loudness, or comes close to it.

    The limiter reduces peaks, and with them the loudness, so the result of each gain is measured
    until it matches; each pass reads the spool once. The gain stays below `MAX_GAIN_DB`, and the
    share of limited sound below `MAX_LIMITED_SHARE`. Silence stays silent.

    Raises
    ------
    BrainError
        The sound is not finite.
    """
    before = integrated_loudness(spool.read(), sample_rate)
    if before == -math.inf:
        return NormalisationResult(before, 0.0, before)
    search = _GainSearch(target_lufs, target_lufs - before)
    for _ in range(MAX_PASSES):
        search.update(_measure_gain(spool, sample_rate, before, search.gain_db))
        if search.done:
            break
    return search.best or NormalisationResult(before, 0.0, before)


def integrated_loudness(chunks: Chunks, sample_rate: int) -> float:
    """Return the integrated loudness of chunks in LUFS; minus infinity where it is not defined.

    Raises
    ------
    BrainError
        The sound is not finite.
    """
    meter: LoudnessMeter | None = None
    if sample_rate < MIN_SAMPLE_RATE:
        return -math.inf
    for chunk in chunks:
        meter = meter or LoudnessMeter(sample_rate, 1 if chunk.ndim == 1 else chunk.shape[1])
        try:
            meter.update(chunk)
        except ValueError as error:
            raise non_finite_error(error) from error
    return -math.inf if meter is None else meter.integrated_lufs


def _measure_gain(
    spool: AudioSpool, sample_rate: int, before: float, gain_db: float
) -> NormalisationResult:
    limiter = Limiter(sample_rate)
    limited = limit(apply_gain(spool.read(), gain_db), sample_rate, limiter)
    after = integrated_loudness(limited, sample_rate)
    return NormalisationResult(
        before, gain_db, after, limiter.max_reduction_db, limiter.limited_share
    )


class _GainSearch:
    """Searches a gain: first upwards, then between one that is too low and one too high.

    Attributes
    ----------
    gain_db : float
        The gain to try next.
    best : NormalisationResult, optional
        The closest so far of those that do not limit too much.
    done : bool
    """

    def __init__(self, target: float, gain_db: float) -> None:
        self.target, self.gain_db = target, min(gain_db, MAX_GAIN_DB)
        self.best: NormalisationResult | None = None
        self.done = False
        self._low: NormalisationResult | None = None
        self._high: NormalisationResult | None = None
        self._step = 6.0

    def update(self, level: NormalisationResult) -> None:
        """Take the result of a gain, and choose the next gain."""
        too_much = level.limited_share > MAX_LIMITED_SHARE
        missing = self.target - level.output_lufs
        if not too_much and (
            self.best is None or abs(missing) < abs(self.target - self.best.output_lufs)
        ):
            self.best = level
        before, high = self._low, too_much or missing < 0
        self._low, self._high = (self._low, level) if high else (level, self._high)
        self.done = (not too_much and abs(missing) <= TOLERANCE_LU) or self._is_narrow
        self.gain_db = self._next(before)

    @property
    def _is_narrow(self) -> bool:
        if self._low is None:
            return False
        highest = MAX_GAIN_DB if self._high is None else self._high.gain_db
        return highest - self._low.gain_db < MIN_GAIN_STEP_DB

    def _next(self, before: NormalisationResult | None) -> float:
        low, high = self._low, self._high
        if low is None:
            self._step *= 2
            return self.gain_db - self._step / 2
        if high is not None:
            return _interpolated_gain(low, high, self.target)
        if low.output_lufs == -math.inf:  # below the gate of the measurement
            self._step *= 2
            return min(low.gain_db + self._step / 2, MAX_GAIN_DB)
        slope = 1.0
        if before is not None and -math.inf < before.output_lufs and low.gain_db > before.gain_db:
            slope = (low.output_lufs - before.output_lufs) / (low.gain_db - before.gain_db)
        step = (self.target - low.output_lufs) / min(max(slope, 0.25), 1.0)
        return min(low.gain_db + step, MAX_GAIN_DB)


def _interpolated_gain(low: NormalisationResult, high: NormalisationResult, target: float) -> float:
    """Return a gain between two, by linear interpolation, but not close to either."""
    apart = high.gain_db - low.gain_db
    share = 0.5
    if high.limited_share <= MAX_LIMITED_SHARE and high.output_lufs > low.output_lufs > -math.inf:
        share = (target - low.output_lufs) / (high.output_lufs - low.output_lufs)
    return low.gain_db + apart * min(max(share, 0.1), 0.9)
