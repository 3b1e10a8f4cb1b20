"""Figures as sums over blocks of time, so that any choice of blocks has its figure at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation import measures
from frame2sound.evaluation.pitch import pitch_hits
from frame2sound.evaluation.spectra import analysis_length, spectral_distances

Sound = NDArray[np.floating]
Times = NDArray[np.float64]
Sums = NDArray[np.float64]

BLOCK_SECONDS = 2.0
ONSET_SECONDS = 0.05


def _correlation(sums: Sums) -> NDArray[np.float64]:
    """Correlate; sums are of 1, a, b, a squared, b squared and ab, along the last axis."""
    count, a, b, aa, bb, ab = np.moveaxis(sums, -1, 0)
    count = np.maximum(count, 1)
    spread_a, spread_b = (
        np.sqrt(np.maximum(square / count - (total / count) ** 2, 0.0))
        for total, square in ((a, aa), (b, bb))
    )
    covariance = ab / count - a * b / count**2
    least, most = np.minimum(spread_a, spread_b), np.maximum(spread_a, spread_b)
    constant = least < measures.CONSTANT
    both = (most < measures.CONSTANT).astype(np.float64)
    size = np.where(constant, 1.0, spread_a * spread_b)
    found: NDArray[np.float64] = np.where(constant, both, np.clip(covariance / size, -1.0, 1.0))
    return found


def _mean(sums: Sums) -> NDArray[np.float64]:
    """Return a share or a mean; sums are of what is counted, and of how many there are."""
    total, count = np.moveaxis(sums, -1, 0)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


def _f_measure(sums: Sums) -> NDArray[np.float64]:
    """Return the F-measure of hits, estimates and references; 1 where there is nothing to find."""
    hits, estimates, references = np.moveaxis(sums, -1, 0)
    both = estimates + references
    return np.where(both > 0, 2 * hits / np.where(both > 0, both, 1), 1.0)


STATISTICS: Mapping[str, Callable[[Sums], NDArray[np.float64]]] = MappingProxyType(
    {
        "onset_f": _f_measure,
        "in_sync": _mean,
        "envelope_correlation": _correlation,
        "spectral_distance_db": _mean,
        "pitch": _mean,
    }
)
"""How sums, ``(..., k)``, become a figure, ``(...)``; not a number where it cannot be measured."""

Tally = dict[str, Sums]
"""For each figure its sums, ``(blocks, k)``."""


@dataclass(frozen=True, eq=False)
class Held:
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
    lead: int
    samples: int
    own: Sound | None = None
    onsets: Times | None = None
    pitch_hz: tuple[float | None, ...] = ()
    times: Times | None = None

    @property
    def seconds(self) -> float:
        """How long the stretch is."""
        return self.samples / self.sample_rate

    @property
    def blocks(self) -> int:
        """How many blocks it has: as many as come nearest to 2 s, one at least."""
        return max(1, round(self.seconds / BLOCK_SECONDS))


def heard_onsets(sound: Sound, sample_rate: int, lead: int) -> Times:
    """Return when things begin to sound after a lead, in seconds from its end.

    What is up to 50 ms early is among them: it may be meant for the start.
    """
    at = measures.onsets(sound, sample_rate) - lead / sample_rate
    early: Times = at[at >= -ONSET_SECONDS]
    return early


def tally(sound: Sound, held: Held) -> Tally:
    """Return the sums of a soundtrack, ``(lead + samples,)``, block by block.

    Pooled over all blocks, they give what `frame2sound.evaluation.measures` measure.
    """
    found: Tally = {}
    plain = sound[held.lead :]
    if held.onsets is not None:
        heard = heard_onsets(sound, held.sample_rate, held.lead)
        found["onset_f"] = _onsets(heard, held.onsets, held)
        found["in_sync"] = _sync(sound, held.onsets, held)
    if held.own is not None:
        own = held.own[held.lead :]
        found["envelope_correlation"] = _envelope(plain, own, held)
        found["spectral_distance_db"] = _distance(plain, own, held)
    if held.times is not None:
        at, right = pitch_hits(plain, held.sample_rate, held.pitch_hz, held.times)
        found["pitch"] = _gather(at, [right.astype(np.float64), np.ones(len(at))], held)
    return found


def _onsets(estimated: Times, onsets: Times, held: Held) -> Sums:
    met = measures.onsets_met(estimated, onsets, ONSET_SECONDS)
    hits, counted = np.zeros(len(onsets)), (estimated >= 0).astype(np.float64)
    for true, found in met:
        hits[true] = counted[found] = 1.0
    return np.concatenate(
        [
            _gather(onsets, [hits], held),
            _gather(estimated, [counted], held),
            _gather(onsets, [np.ones_like(hits)], held),
        ],
        axis=1,
    )


def _sync(sound: Sound, onsets: Times, held: Held) -> Sums:
    late = held.lead / held.sample_rate
    at, power, near = measures.onset_energy(sound, onsets + late, held.sample_rate)
    here = at >= late
    return _gather(at[here] - late, [(power * near)[here], power[here]], held)


def _envelope(sound: Sound, own: Sound, held: Held) -> Sums:
    ours, theirs = measures.envelopes(sound, own, held.sample_rate)
    at = (np.arange(len(ours)) + 0.5) / measures.ENVELOPE_HZ
    moments = [np.ones_like(ours), ours, theirs, ours**2, theirs**2, ours * theirs]
    return _gather(at, moments, held)


def _distance(sound: Sound, own: Sound, held: Held) -> Sums:
    apart = spectral_distances(sound, own, held.sample_rate)
    length = analysis_length(held.sample_rate)
    at = (np.arange(len(apart)) * (length // 2) + length / 2) / held.sample_rate
    return _gather(at, [apart, np.ones_like(apart)], held)


def _gather(at: Times, values: list[NDArray[np.float64]], held: Held) -> Sums:
    """Sum values, each at a time in seconds, in the block that the time falls into."""
    block = np.clip((at * held.blocks / held.seconds).astype(np.int64), 0, held.blocks - 1)
    sums = [np.bincount(block, value, held.blocks) for value in values]
    return np.stack(sums, axis=1)
