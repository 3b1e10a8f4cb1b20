"""Figures as sums over blocks of time, so that any choice of blocks has its figure at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation import measures
from frame2sound.evaluation.pitch import pitch_hits
from frame2sound.evaluation.spectral_distance import (
    analysis_window_samples,
    frame_spectral_distances,
)

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
BlockSums = NDArray[np.float64]

BLOCK_SECONDS = 2.0
ONSET_TOLERANCE_SECONDS = 0.05


def _correlation(sums: BlockSums) -> NDArray[np.float64]:
    """Correlate; sums are of 1, a, b, a squared, b squared and ab, along the last axis."""
    count, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    count = np.maximum(count, 1)
    spread_a, spread_b = (
        np.sqrt(np.maximum(square / count - (total / count) ** 2, 0.0))
        for total, square in ((a, aa), (b, bb))
    )
    covariance = ab / count - a * b / count**2
    least, most = np.minimum(spread_a, spread_b), np.maximum(spread_a, spread_b)
    constant = least < measures.CONSTANT_ENVELOPE_STD
    both = (most < measures.CONSTANT_ENVELOPE_STD).astype(np.float64)
    size = np.where(constant, 1.0, spread_a * spread_b)
    found: NDArray[np.float64] = np.where(constant, both, np.clip(covariance / size, -1.0, 1.0))
    return found


def _mean(sums: BlockSums) -> NDArray[np.float64]:
    """Return a share or a mean; sums are of what is counted, and of how many there are."""
    total, count = np.moveaxis(sums, -1, 0)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


def _f_measure(sums: BlockSums) -> NDArray[np.float64]:
    """Return the F-measure of hits, estimates and references; 1 where there is nothing to find."""
    hits, estimates, references = np.moveaxis(sums, -1, 0)
    both = estimates + references
    return np.where(both > 0, 2 * hits / np.where(both > 0, both, 1), 1.0)


STATISTICS: Mapping[str, Callable[[BlockSums], NDArray[np.float64]]] = MappingProxyType(
    {
        "onset_f": _f_measure,
        "in_sync": _mean,
        "envelope_correlation": _correlation,
        "spectral_distance_db": _mean,
        "pitch": _mean,
    }
)
"""How sums, ``(..., k)``, become a figure, ``(...)``; not a number where it cannot be measured."""

SumsByMeasure = dict[str, BlockSums]
"""For each figure its sums, ``(blocks, k)``."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What a soundtrack of a stretch is held against; what is None is not known.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    lead, samples : int
        How long the stretch is, and how much before it is heard with it, so that what sounds on
        from before is not taken for an onset.
    own : array of shape (lead + samples,), optional
        How both truly sound.
    onsets : array, optional
        When events begin, in seconds from the start of the stretch.
    pitch_hz : sequence, optional
        The true pitch of frames, None where they have none.
    times : array, optional
        When these frames begin, and the last one ends, in seconds from the start of the stretch.
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
        """How long the stretch is."""
        return self.sample_count / self.sample_rate

    @property
    def block_count(self) -> int:
        """How many blocks it has: as many as come nearest to 2 s, one at least."""
        return max(1, round(self.seconds / BLOCK_SECONDS))


def onsets_after_lead_in(samples: Samples, sample_rate: int, lead_in_samples: int) -> Times:
    """Return when things begin to sound after a lead, in seconds from its end.

    What is up to 50 ms early is among them: it may be meant for the start.
    """
    at = measures.detect_onsets(samples, sample_rate) - lead_in_samples / sample_rate
    early: Times = at[at >= -ONSET_TOLERANCE_SECONDS]
    return early


def sum_blocks(samples: Samples, ground_truth: GroundTruth) -> SumsByMeasure:
    """Return the sums of a soundtrack, ``(lead + samples,)``, block by block.

    Pooled over all blocks, they give what `frame2sound.evaluation.measures` measure.
    """
    found: SumsByMeasure = {}
    plain = samples[ground_truth.lead_in_samples :]
    if ground_truth.onsets is not None:
        heard = onsets_after_lead_in(
            samples, ground_truth.sample_rate, ground_truth.lead_in_samples
        )
        found["onset_f"] = _onset_sums(heard, ground_truth.onsets, ground_truth)
        found["in_sync"] = _sync_sums(samples, ground_truth.onsets, ground_truth)
    if ground_truth.reference is not None:
        own = ground_truth.reference[ground_truth.lead_in_samples :]
        found["envelope_correlation"] = _envelope_sums(plain, own, ground_truth)
        found["spectral_distance_db"] = _distance_sums(plain, own, ground_truth)
    if ground_truth.pitch_frame_times is not None:
        at, right = pitch_hits(
            plain, ground_truth.sample_rate, ground_truth.pitch_hz, ground_truth.pitch_frame_times
        )
        found["pitch"] = _sum_by_block(
            at, [right.astype(np.float64), np.ones(len(at))], ground_truth
        )
    return found


def _onset_sums(estimated: Times, reference: Times, ground_truth: GroundTruth) -> BlockSums:
    met = measures.match_onsets(estimated, reference, ONSET_TOLERANCE_SECONDS)
    hits, counted = np.zeros(len(reference)), (estimated >= 0).astype(np.float64)
    for true, found in met:
        hits[true] = counted[found] = 1.0
    return np.concatenate(
        [
            _sum_by_block(reference, [hits], ground_truth),
            _sum_by_block(estimated, [counted], ground_truth),
            _sum_by_block(reference, [np.ones_like(hits)], ground_truth),
        ],
        axis=1,
    )


def _sync_sums(samples: Samples, onsets: Times, ground_truth: GroundTruth) -> BlockSums:
    late = ground_truth.lead_in_samples / ground_truth.sample_rate
    at, power, near = measures.onset_energy(samples, onsets + late, ground_truth.sample_rate)
    here = at >= late
    return _sum_by_block(at[here] - late, [(power * near)[here], power[here]], ground_truth)


def _envelope_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    ours, theirs = measures.rms_envelopes(estimate, reference, ground_truth.sample_rate)
    at = (np.arange(len(ours)) + 0.5) / measures.ENVELOPE_HZ
    moments = [np.ones_like(ours), ours, theirs, ours**2, theirs**2, ours * theirs]
    return _sum_by_block(at, moments, ground_truth)


def _distance_sums(estimate: Samples, reference: Samples, ground_truth: GroundTruth) -> BlockSums:
    apart = frame_spectral_distances(estimate, reference, ground_truth.sample_rate)
    length = analysis_window_samples(ground_truth.sample_rate)
    at = (np.arange(len(apart)) * (length // 2) + length / 2) / ground_truth.sample_rate
    return _sum_by_block(at, [apart, np.ones_like(apart)], ground_truth)


def _sum_by_block(
    times: Times, values: list[NDArray[np.float64]], ground_truth: GroundTruth
) -> BlockSums:
    """Sum values, each at a time in seconds, in the block that the time falls into."""
    block = np.clip(
        (times * ground_truth.block_count / ground_truth.seconds).astype(np.int64),
        0,
        ground_truth.block_count - 1,
    )
    sums = [np.bincount(block, value, ground_truth.block_count) for value in values]
    return np.stack(sums, axis=1)
