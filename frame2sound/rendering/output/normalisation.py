"""Loudness normalisation: the gain that brings sound, once limited, to a loudness."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.output.finishing import Chunks, apply_gain, limit, non_finite_error
from frame2sound.sound.limiter import Limiter
from frame2sound.sound.loudness import MIN_SAMPLE_RATE, LoudnessMeter

TOLERANCE_LU = 0.1
"""LU that a result may be off the target."""

MAX_GAIN_DB = 40.0
"""A soundtrack so quiet that it asks for more is noise, and would be lifted with it."""

MAX_LIMITED_SHARE = 0.5
"""The share of the sound that the limiter may turn down by more than 12 dB. Peaks are short beside
what they stand out of; where the limiter holds down half of all that is heard, it works on the
sound itself, and more gain makes that flatter, not louder."""

MAX_PASSES = 16
MIN_GAIN_STEP_DB = 0.1
"""Gains nearer than this are not told apart."""


@dataclass(frozen=True)
class NormalisationResult:
    """How loud a soundtrack was, by how much it is changed, and how loud it then is, limited.

    Attributes
    ----------
    before, after : float
        Integrated loudness in LUFS, minus infinity for silence.
    gain_db : float
    limited_db : float
        What the limiter takes off the highest peak.
    share_held_down : float
        The share of the sound that it turns down by more than 12 dB.
    """

    input_lufs: float
    gain_db: float
    output_lufs: float
    max_reduction_db: float = 0.0
    limited_share: float = 0.0


def find_gain(spool: AudioSpool, sample_rate: int, target_lufs: float) -> NormalisationResult:
    """Return the gain with which sound, limited, has a loudness, or comes as near as is sound.

    The limiter takes peaks away, and their loudness with them. So gain and result are measured
    until they agree; each pass reads the spool once. It stops short of the target where that would
    take more than `MOST_LIFT_DB` of gain, or the limiter would hold down more than
    `MOST_HELD_DOWN` of the sound. Silence stays silent.

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
    """Finds a gain by what others gave: first upwards, then between one too low and one too high.

    Attributes
    ----------
    gain_db : float
        The gain to try next.
    best : Level, optional
        The nearest so far of those that do not hold down too much.
    ended : bool
    """

    def __init__(self, target: float, gain_db: float) -> None:
        self.target, self.gain_db = target, min(gain_db, MAX_GAIN_DB)
        self.best: NormalisationResult | None = None
        self.done = False
        self._low: NormalisationResult | None = None
        self._high: NormalisationResult | None = None
        self._step = 6.0

    def update(self, level: NormalisationResult) -> None:
        """Take what a gain gave, and choose the next."""
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
        slope = 1.0
        if before is not None and low.gain_db > before.gain_db:
            slope = (low.output_lufs - before.output_lufs) / (low.gain_db - before.gain_db)
        step = (self.target - low.output_lufs) / min(max(slope, 0.25), 1.0)
        return min(low.gain_db + step, MAX_GAIN_DB)


def _interpolated_gain(low: NormalisationResult, high: NormalisationResult, target: float) -> float:
    """Return a gain between two: on the line through both if that is not near an end."""
    apart = high.gain_db - low.gain_db
    share = 0.5
    if high.limited_share <= MAX_LIMITED_SHARE and high.output_lufs > low.output_lufs:
        share = (target - low.output_lufs) / (high.output_lufs - low.output_lufs)
    return low.gain_db + apart * min(max(share, 0.1), 0.9)
