"""Measures as sums over blocks of time, so they can be computed of any selection of blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.envelopes import (
    CONSTANT_ENVELOPE_STD,
    ENVELOPE_HZ,
    has_constant_level,
    rms_envelopes,
)
from frame2sound.evaluation.onsets import (
    EDGE_SECONDS,
    CountedOnsets,
    carries_sync,
    count_onsets,
    onset_energy,
)
from frame2sound.evaluation.pitch import pitch_hits
from frame2sound.evaluation.spectral_distance import (
    analysis_window_samples,
    frame_spectral_distances,
)
from frame2sound.sound.onset_detection import detect_onsets
from frame2sound.sound.onset_matching import TOLERANCE_SECONDS

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
BlockSums = NDArray[np.float64]
Values = NDArray[np.float64]

BLOCK_SECONDS = 2.0


def _correlation(sums: BlockSums) -> NDArray[np.float64]:
    """Return the correlation of a and b from the sums of 1, a, b, a^2, b^2 and ab (last axis).

    NaN if b, the reference, `has_constant_level`; 0 if only a is constant.
    """
    count, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    count = np.maximum(count, 1)
    deviation_a, deviation_b = (
        np.sqrt(np.maximum(square / count - (total / count) ** 2, 0.0))
        for total, square in ((a, aa), (b, bb))
    )
    covariance = ab / count - a * b / count**2
    constant = np.minimum(deviation_a, deviation_b) < CONSTANT_ENVELOPE_STD
    product = np.where(constant, 1.0, deviation_a * deviation_b)
    correlation = np.where(constant, 0.0, np.clip(covariance / product, -1.0, 1.0))
    result: Values = np.where(has_constant_level(b / count, deviation_b), np.nan, correlation)
    return result


def _mean(sums: BlockSums) -> NDArray[np.float64]:
    """Return the mean from a total and a count (last axis); NaN if the count is 0."""
    total, count = np.moveaxis(sums, -1, 0)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


def _share(sums: BlockSums) -> NDArray[np.float64]:
    """Return a share from a part and the whole (last axis); 0 of nothing.

    A silent soundtrack has nothing in sync, and its film must count as any other.
    """
    part, whole = np.moveaxis(sums, -1, 0)
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)


def _f_measure(sums: BlockSums) -> NDArray[np.float64]:
    """Return the F-measure from the numbers of hits, estimates and references (last axis).

    NaN if there are neither estimates nor references.
    """
    hits, estimates, references = np.moveaxis(sums, -1, 0)
    total = estimates + references
    return np.where(total > 0, 2 * hits / np.where(total > 0, total, 1), np.nan)


def _unchanged(values: Values) -> Values:
    return values


def _fisher_z(correlations: Values) -> Values:
    """Return Fisher's z of correlations; those beyond `MAX_CORRELATION` count as that.

    Fisher, "On the probable error of a coefficient of correlation", Metron 1, 1921.
    """
    return np.arctanh(np.clip(correlations, -MAX_CORRELATION, MAX_CORRELATION))


@dataclass(frozen=True)
class BlockStatistic:
    """How a measure follows from the sums of one film, and how films are averaged.

    The sums of a film's blocks, over all its segments, give the film's value; values of several
    films are averaged on another scale, since sums over films would reward what only tells loud
    films from quiet ones.

    Attributes
    ----------
    of_sums : function
        From sums, (..., k), to values, (...); NaN where it cannot be computed.
    to_mean_scale, from_mean_scale : function
        From values to the scale on which films are averaged, and back: Fisher's z for correlations,
        clipped at `MAX_CORRELATION`; the values themselves for other measures.
    """

    of_sums: Callable[[BlockSums], Values]
    to_mean_scale: Callable[[Values], Values] = _unchanged
    from_mean_scale: Callable[[Values], Values] = _unchanged

    def __call__(self, sums: BlockSums) -> Values:
        """Return the value of one film from its sums."""
        return self.of_sums(sums)

    def mean_of_films(self, values: Values) -> Values:
        """Return the mean over films, the last axis; films without a value count for nothing.

        One film keeps its value; NaN if no film has one.

        Examples
        --------
        >>> STATISTICS["envelope_correlation"].mean_of_films(np.array([0.0, np.nan, np.tanh(1)]))
        array(0.46211716)
        """
        known = np.isfinite(values)
        count = known.sum(-1)
        total = np.where(known, self.to_mean_scale(np.where(known, values, 0.0)), 0.0).sum(-1)
        mean = self.from_mean_scale(total / np.maximum(count, 1))
        only = np.where(known, values, 0.0).sum(-1)
        return np.where(count > 1, mean, np.where(count == 1, only, np.nan))


MAX_CORRELATION = 0.999
"""Where correlations are clipped before they are averaged: 1 has no finite Fisher's z."""

STATISTICS: Mapping[str, BlockStatistic] = MappingProxyType(
    {
        "onset_f": BlockStatistic(_f_measure),
        "in_sync": BlockStatistic(_share),
        "envelope_correlation": BlockStatistic(_correlation, _fisher_z, np.tanh),
        "spectral_distance_db": BlockStatistic(_mean),
        "pitch": BlockStatistic(_mean),
        "judge": BlockStatistic(_mean),
    }
)
"""Statistics by measure."""

SumsByMeasure = dict[str, BlockSums]
"""Sums of shape (blocks, k) by measure."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What a soundtrack of a segment is compared with; None is unknown.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    lead_in_samples : int
        Samples before the segment that are measured with it, so that a sound that started earlier
        does not count as an onset.
    sample_count : int
        Length of the segment.
    reference : array of shape (lead_in_samples + sample_count,), optional
        The original sound of lead-in and segment.
    onsets : array, optional
        True onsets in seconds from the start of the segment.
    pitch_hz : sequence, optional
        True pitch of frames; None for frames without pitch.
    pitch_frame_times : array, optional
        When these frames begin and the last one ends, in seconds from the start of the segment.
    threshold_db : float, optional
        Level from which the film's sound is active, in dBFS; by default that of the segment.
    """

    sample_rate: int
    lead_in_samples: int
    sample_count: int
    reference: Samples | None = None
    onsets: Times | None = None
    pitch_hz: tuple[float | None, ...] = ()
    pitch_frame_times: Times | None = None
    threshold_db: float | None = None

    @property
    def seconds(self) -> float:
        """Length of the segment."""
        return self.sample_count / self.sample_rate

    @property
    def first_onset_seconds(self) -> float:
        """From where on onsets count: the start, or where there is no lead-in, 50 ms later."""
        return 0.0 if self.lead_in_samples >= EDGE_SECONDS * self.sample_rate else EDGE_SECONDS

    @cached_property
    def carries_sync(self) -> bool:
        """Whether "in sync" says anything of the segment; False without a reference."""
        if self.reference is None or self.onsets is None:
            return False
        lead_in = self.lead_in_samples / self.sample_rate
        return carries_sync(
            self.reference,
            self.onsets + lead_in,
            self.sample_rate,
            lead_in + self.first_onset_seconds,
        )

    @property
    def block_count(self) -> int:
        """Number of blocks, at least one; a block lasts about 2 s."""
        return max(1, round(self.seconds / BLOCK_SECONDS))


def onsets_after_lead_in(samples: Samples, sample_rate: int, lead_in_samples: int) -> Times:
    """Return the onsets after the lead-in, in seconds from its end.

    Onsets up to 50 ms before its end are among them, since they can match an onset after it.
    """
    onsets = detect_onsets(samples, sample_rate) - lead_in_samples / sample_rate
    counted: Times = onsets[onsets >= -TOLERANCE_SECONDS]
    return counted


def counted_onsets(samples: Samples, ground_truth: GroundTruth) -> CountedOnsets | None:
    """Return the onsets of a soundtrack that count, and those that match; None if none are known.

    See `count_onsets`.
    """
    if ground_truth.onsets is None:
        return None
    onsets = onsets_after_lead_in(samples, ground_truth.sample_rate, ground_truth.lead_in_samples)
    return count_onsets(onsets, ground_truth.onsets, ground_truth.first_onset_seconds)


def sum_blocks(samples: Samples, ground_truth: GroundTruth) -> SumsByMeasure:
    """Return the sums of each block for all measures that the ground truth allows.

    The sums of all blocks together give the measures of `frame2sound.evaluation`.

    Parameters
    ----------
    samples : array of shape (lead_in_samples + sample_count,)
    ground_truth : GroundTruth
    """
    sums: SumsByMeasure = {}
    segment = samples[ground_truth.lead_in_samples :]
    onsets = counted_onsets(samples, ground_truth)
    if onsets is not None:
        sums["onset_f"] = _onset_sums(onsets, ground_truth)
    if ground_truth.onsets is not None and ground_truth.carries_sync:
        sums["in_sync"] = _sync_sums(samples, ground_truth.onsets, ground_truth)
    if ground_truth.reference is not None:
        reference = ground_truth.reference[ground_truth.lead_in_samples :]
        sums["envelope_correlation"] = _envelope_sums(segment, reference, ground_truth)
        sums["spectral_distance_db"] = _distance_sums(segment, reference, ground_truth)
    if ground_truth.pitch_frame_times is not None:
        times, hits = pitch_hits(
            segment, ground_truth.sample_rate, ground_truth.pitch_hz, ground_truth.pitch_frame_times
        )
        sums["pitch"] = sum_by_block(
            times, [hits.astype(np.float64), np.ones(len(times))], ground_truth
        )
    return sums


def _onset_sums(onsets: CountedOnsets, ground_truth: GroundTruth) -> BlockSums:
    reference, estimated = onsets.reference, onsets.estimated
    return np.concatenate(
        [
            sum_by_block(reference, [onsets.is_hit.astype(np.float64)], ground_truth),
            sum_by_block(estimated, [np.ones_like(estimated)], ground_truth),
            sum_by_block(reference, [np.ones_like(reference)], ground_truth),
        ],
        axis=1,
    )


def _sync_sums(samples: Samples, onsets: Times, ground_truth: GroundTruth) -> BlockSums:
    lead_in = ground_truth.lead_in_samples / ground_truth.sample_rate
    times, energy, near = onset_energy(samples, onsets + lead_in, ground_truth.sample_rate)
    counted = times >= lead_in + ground_truth.first_onset_seconds
    return sum_by_block(
        times[counted] - lead_in, [(energy * near)[counted], energy[counted]], ground_truth
    )


def _envelope_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    ours, theirs = rms_envelopes(estimate, reference, ground_truth.sample_rate)
    times = (np.arange(len(ours)) + 0.5) / ENVELOPE_HZ
    moments = [np.ones_like(ours), ours, theirs, ours**2, theirs**2, ours * theirs]
    return sum_by_block(times, moments, ground_truth)


def _distance_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    """Return the sums of the distances of active frames; the gain is that of the whole segment."""
    rate = ground_truth.sample_rate
    frames, distances = frame_spectral_distances(
        estimate, reference, rate, ground_truth.threshold_db
    )
    length = analysis_window_samples(rate)
    times = (frames * (length // 2) + length / 2) / rate
    return sum_by_block(times, [distances, np.ones_like(distances)], ground_truth)


def sum_by_block(
    times: Times, values: list[NDArray[np.float64]], ground_truth: GroundTruth
) -> BlockSums:
    """Return the sums of values, which have times in seconds, by block: (blocks, values)."""
    block = np.clip(
        (times * ground_truth.block_count / ground_truth.seconds).astype(np.int64),
        0,
        ground_truth.block_count - 1,
    )
    sums = [np.bincount(block, value, ground_truth.block_count) for value in values]
    return np.stack(sums, axis=1)


def weighted_mean(values: Iterable[tuple[float, float | None]]) -> float | None:
    """Return the weighted mean of the finite values among pairs of weight and value.

    It is minus infinity if all known values are minus infinity, and None if all are None.
    """
    known = [(weight, value) for weight, value in values if value is not None]
    finite = [(weight, value) for weight, value in known if math.isfinite(value)]
    if not finite:
        return -math.inf if known else None
    return sum(weight * value for weight, value in finite) / sum(weight for weight, _ in finite)
