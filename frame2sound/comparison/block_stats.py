"""Measures as sums over blocks of time, so they can be computed of any selection of blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.envelopes import CONSTANT_ENVELOPE_STD, ENVELOPE_HZ, rms_envelopes
from frame2sound.evaluation.onsets import match_onsets, onset_energy
from frame2sound.evaluation.pitch import pitch_hits
from frame2sound.evaluation.spectral_distance import (
    analysis_window_samples,
    frame_spectral_distances,
)
from frame2sound.sound.onset_detection import detect_onsets

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
BlockSums = NDArray[np.float64]

BLOCK_SECONDS = 2.0
ONSET_TOLERANCE_SECONDS = 0.05


def _correlation(sums: BlockSums) -> NDArray[np.float64]:
    """Return the correlation of a and b from the sums of 1, a, b, a^2, b^2 and ab (last axis)."""
    count, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    count = np.maximum(count, 1)
    deviation_a, deviation_b = (
        np.sqrt(np.maximum(square / count - (total / count) ** 2, 0.0))
        for total, square in ((a, aa), (b, bb))
    )
    covariance = ab / count - a * b / count**2
    smaller, larger = np.minimum(deviation_a, deviation_b), np.maximum(deviation_a, deviation_b)
    constant = smaller < CONSTANT_ENVELOPE_STD
    both_constant = (larger < CONSTANT_ENVELOPE_STD).astype(np.float64)
    product = np.where(constant, 1.0, deviation_a * deviation_b)
    correlation = np.clip(covariance / product, -1.0, 1.0)
    result: NDArray[np.float64] = np.where(constant, both_constant, correlation)
    return result


def _mean(sums: BlockSums) -> NDArray[np.float64]:
    """Return the mean from a total and a count (last axis); NaN if the count is 0."""
    total, count = np.moveaxis(sums, -1, 0)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


def _f_measure(sums: BlockSums) -> NDArray[np.float64]:
    """Return the F-measure from the numbers of hits, estimates and references (last axis).

    It is 1 if there are neither estimates nor references.
    """
    hits, estimates, references = np.moveaxis(sums, -1, 0)
    total = estimates + references
    return np.where(total > 0, 2 * hits / np.where(total > 0, total, 1), 1.0)


Values = NDArray[np.float64]


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
        "in_sync": BlockStatistic(_mean),
        "envelope_correlation": BlockStatistic(_correlation, _fisher_z, np.tanh),
        "spectral_distance_db": BlockStatistic(_mean),
        "pitch": BlockStatistic(_mean),
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
    """

    sample_rate: int
    lead_in_samples: int
    sample_count: int
    reference: Samples | None = None
    onsets: Times | None = None
    pitch_hz: tuple[float | None, ...] = ()
    pitch_frame_times: Times | None = None

    @property
    def seconds(self) -> float:
        """Length of the segment."""
        return self.sample_count / self.sample_rate

    @property
    def block_count(self) -> int:
        """Number of blocks, at least one; a block lasts about 2 s."""
        return max(1, round(self.seconds / BLOCK_SECONDS))


def onsets_after_lead_in(samples: Samples, sample_rate: int, lead_in_samples: int) -> Times:
    """Return the onsets after the lead-in, in seconds from its end.

    Onsets up to 50 ms before its end count too, since they can match an onset after it.
    """
    onsets = detect_onsets(samples, sample_rate) - lead_in_samples / sample_rate
    counted: Times = onsets[onsets >= -ONSET_TOLERANCE_SECONDS]
    return counted


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
    if ground_truth.onsets is not None:
        onsets = onsets_after_lead_in(
            samples, ground_truth.sample_rate, ground_truth.lead_in_samples
        )
        sums["onset_f"] = _onset_sums(onsets, ground_truth.onsets, ground_truth)
        sums["in_sync"] = _sync_sums(samples, ground_truth.onsets, ground_truth)
    if ground_truth.reference is not None:
        reference = ground_truth.reference[ground_truth.lead_in_samples :]
        sums["envelope_correlation"] = _envelope_sums(segment, reference, ground_truth)
        sums["spectral_distance_db"] = _distance_sums(segment, reference, ground_truth)
    if ground_truth.pitch_frame_times is not None:
        times, hits = pitch_hits(
            segment, ground_truth.sample_rate, ground_truth.pitch_hz, ground_truth.pitch_frame_times
        )
        sums["pitch"] = _sum_by_block(
            times, [hits.astype(np.float64), np.ones(len(times))], ground_truth
        )
    return sums


def _onset_sums(estimated: Times, reference: Times, ground_truth: GroundTruth) -> BlockSums:
    matches = match_onsets(estimated, reference, ONSET_TOLERANCE_SECONDS)
    hits, counted = np.zeros(len(reference)), (estimated >= 0).astype(np.float64)
    for ref, est in matches:
        hits[ref] = counted[est] = 1.0
    return np.concatenate(
        [
            _sum_by_block(reference, [hits], ground_truth),
            _sum_by_block(estimated, [counted], ground_truth),
            _sum_by_block(reference, [np.ones_like(hits)], ground_truth),
        ],
        axis=1,
    )


def _sync_sums(samples: Samples, onsets: Times, ground_truth: GroundTruth) -> BlockSums:
    lead_in = ground_truth.lead_in_samples / ground_truth.sample_rate
    times, energy, near = onset_energy(samples, onsets + lead_in, ground_truth.sample_rate)
    counted = times >= lead_in
    return _sum_by_block(
        times[counted] - lead_in, [(energy * near)[counted], energy[counted]], ground_truth
    )


def _envelope_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    ours, theirs = rms_envelopes(estimate, reference, ground_truth.sample_rate)
    times = (np.arange(len(ours)) + 0.5) / ENVELOPE_HZ
    moments = [np.ones_like(ours), ours, theirs, ours**2, theirs**2, ours * theirs]
    return _sum_by_block(times, moments, ground_truth)


def _distance_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    distances = frame_spectral_distances(estimate, reference, ground_truth.sample_rate)
    length = analysis_window_samples(ground_truth.sample_rate)
    times = (np.arange(len(distances)) * (length // 2) + length / 2) / ground_truth.sample_rate
    return _sum_by_block(times, [distances, np.ones_like(distances)], ground_truth)


def _sum_by_block(
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
