"""Overlap-add of predicted spectra: interpolate them to hops, add a phase, synthesise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.spectra import Spectra
from frame2sound.sound.overlap_adder import OnsetGate, OverlapAdder
from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.stft import Stft

CHUNK_HOPS = 128
"""Hops that are synthesised at once."""

ONSET_RISE_DECADES = 0.35
"""A frame is an onset if its log magnitudes rise by more, in the mean of all bins."""

LEVEL_RISE_DECADES = 0.8
"""A frame is also an onset if the decimal logarithm of its level rises by more (16 dB)."""

LEVEL_FLOOR = 0.1

STEADY_LOG_RATIO = 0.7
"""Spectra whose natural log levels differ by less (6 dB) are smoothed."""

ONSET_CROSSFADE_SECONDS = 0.0005
"""Crossfade at an onset."""

FADE_IN_SECONDS = 0.005
"""Fade-in of a frame after a silent one that is not an onset."""

AUDIBLE_MAGNITUDE = 10**-2.5
"""Magnitudes below, relative to the target's scale (-50 dB), do not count for onsets."""

MAGNITUDE_FLOOR = 1e-6
"""Magnitudes are interpolated down to 120 dB below the target's scale; the rest is silence."""

_NO_ONSETS = np.empty(0, np.int64)


class MagnitudeOverlapAdd:
    """Synthesises sound from a few magnitude spectra per frame, without delay.

    Log magnitudes are interpolated from the centres of the frames' windows to evenly spaced hops,
    and a phase reconstructor gives them a phase. At an onset nothing is interpolated, and no block
    crosses the frame's start: the sound before ends there, and the hops restart with a block
    centred at the onset. Sound after a silent frame does not start before its frame either.

    Parameters
    ----------
    target : Spectra
        Gives the positions of a frame's spectra.
    stft : Stft
        Gives the hops; its windows are as long as the target's.
    phase : PhaseReconstructor
    """

    def __init__(self, target: Spectra, stft: Stft, phase: PhaseReconstructor) -> None:
        self.target = target
        self.stft = stft
        self.phase = phase
        rate = target.clock.sample_rate
        self._overlap_adder = OverlapAdder(stft, max(1, round(ONSET_CROSSFADE_SECONDS * rate)))
        self._onset_gate = OnsetGate(stft.n_fft // 2, max(1, round(FADE_IN_SECONDS * rate)))
        self._centres = np.empty(0, np.int64)
        self._logs = np.empty((0, stft.bins), np.float32)
        self._levels = np.empty(0, np.float32)
        self._floor = np.float32(target.scale * MAGNITUDE_FLOOR)
        self._onsets = _NO_ONSETS
        self._last: NDArray[np.float32] | None = None
        self._next = 0
        self._end = 0

    def process(
        self, magnitudes: NDArray[np.float32], bounds: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Take magnitudes ``(n, windows, bins)``, bounds ``(n + 1,)``; return complete sound."""
        if self._last is None:
            self._start_at(int(bounds[0]))
        is_onset, after_silence = self._find_onsets(magnitudes)
        self._onsets = np.concatenate([self._onsets, bounds[:-1][is_onset]])
        self._onset_gate.add_onsets(bounds[:-1][after_silence & ~is_onset])
        # Before an onset, its windows contain only the onset itself.
        positions = np.tile(self.target.centres, (len(is_onset), 1))
        positions[is_onset, -1] = max(positions[0, -1], 0)
        valid = (positions >= 0) | ~is_onset[:, None]
        self._centres = np.concatenate([self._centres, (bounds[:-1, None] + positions)[valid]])
        self._store(magnitudes[valid])
        self._end = int(bounds[-1])
        last = int(
            self._centres[-1 - min(self.target.recipe.windows_per_frame, len(self._centres) - 1)]
        )
        while len(hops_ready := self._next_hops(last)) == CHUNK_HOPS:
            self._synthesise(hops_ready)
        return self._onset_gate.process(
            self._overlap_adder.pop_until(self._next - self._overlap_adder.half_length)
        )

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the sound."""
        last = self._end + self._overlap_adder.half_length
        while self._end and len(hops_ready := self._next_hops(last)):
            self._synthesise(hops_ready)
        return self._onset_gate.process(self._overlap_adder.pop_until(self._end))

    def _start_at(self, sample: int) -> None:
        """Begin at a sample, with hops where they are from sample 0 on without an onset."""
        self._next = sample // self.stft.hop * self.stft.hop
        self._overlap_adder.start_at(sample)
        self._onset_gate.start_at(sample)

    def _find_onsets(
        self, magnitudes: NDArray[np.float32]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which frames are onsets, and which sound after a silent one."""
        last = magnitudes[:1] if self._last is None else self._last
        whole = np.concatenate([last, magnitudes])
        self._last = whole[-1:]
        sounds = whole.max(axis=(1, 2)) > self.target.scale * MAGNITUDE_FLOOR
        spectra = whole[:, -1]
        least = self.target.scale * AUDIBLE_MAGNITUDE
        level = np.log10(
            np.maximum(np.linalg.norm(spectra, axis=1), self.target.scale * LEVEL_FLOOR)
        )
        rise = np.diff(np.log10(np.maximum(spectra, least)), axis=0)
        rise = np.maximum(rise, 0).mean(axis=1)
        is_onset: NDArray[np.bool_] = (rise > ONSET_RISE_DECADES) | (
            np.diff(level) > LEVEL_RISE_DECADES
        )
        return is_onset, sounds[1:] & ~sounds[:-1]

    def _store(self, magnitudes: NDArray[np.float32]) -> None:
        """Store the natural logarithms of magnitudes ``(n, bins)`` and of their levels."""
        levels = np.log(np.linalg.norm(magnitudes, axis=1) + self._floor)
        self._logs = np.concatenate([self._logs, np.log(magnitudes + self._floor)])
        self._levels = np.concatenate([self._levels, levels])

    def _next_hops(self, last: int) -> NDArray[np.int64]:
        """Return the next hops up to a sample, at most `CHUNK_HOPS`; they restart at onsets."""
        hops: list[int] = []
        at = self._next
        events = iter(self._onsets[self._onsets > at].tolist())
        event = next(events, None)
        while at <= last and len(hops) < CHUNK_HOPS:
            hops.append(at)
            at += self.stft.hop
            if event is not None and event <= at:
                at, event = event, next(events, None)
        return np.array(hops, np.int64)

    def _synthesise(self, centres: NDArray[np.int64]) -> None:
        """Add the sound of the next hops."""
        spectra = self.phase.reconstruct(self._interpolate(centres), np.isin(centres, self._onsets))
        self._overlap_adder.add(centres, spectra, self._onsets)
        last = int(centres[-1])
        coming = self._onsets[self._onsets > last]
        self._next = min([last + self.stft.hop, *coming[:1].tolist()])
        self._drop_before(last)

    def _interpolate(self, centres: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return magnitudes interpolated to other centres, but not across an onset."""
        after = np.searchsorted(self._centres, centres).clip(0, len(self._centres) - 1)
        ahead = (after - 1).clip(0)
        begin, end = self._centres[ahead], self._centres[after]
        part = ((centres - begin) / np.maximum(end - begin, 1)).clip(0, 1)
        earlier, here, later = (
            np.searchsorted(self._onsets, at, side="right") for at in (begin, centres, end)
        )
        part = np.where(earlier == later, part, here == later)[:, None].astype(np.float32)
        first, stop = int(ahead.min()), int(after.max()) + 1
        logs = self._smoothed(first, stop)
        mixed = logs[ahead - first] * (1 - part) + logs[after - first] * part
        audible = mixed > np.log(2 * self._floor)
        return np.where(audible, np.exp(mixed) - self._floor, np.float32(0))

    def _smoothed(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return log spectra smoothed over two frames where the level is steady, against hum.

        The weights are a triangle of two frames, whose spectrum has double zeros at the frame rate.
        Spectra are added in pairs, one before and one after, unless one of them is across an onset
        or its level differs by more than `STEADY_LOG_RATIO`.
        """
        segment = np.searchsorted(self._onsets, self._centres, side="right")
        number, reach = np.arange(first, stop), self.target.recipe.windows_per_frame
        total, weight = self._logs[number], np.ones((len(number), 1), np.float32)
        for offset in range(1, reach):
            pair = [np.clip(number + o, 0, len(self._logs) - 1) for o in (-offset, offset)]
            alike = [
                (segment[at] == segment[number])
                & (np.abs(self._levels[at] - self._levels[number]) < STEADY_LOG_RATIO)
                for at in pair
            ]
            share = (alike[0] & alike[1])[:, None] * np.float32(1 - offset / reach)
            total += (self._logs[pair[0]] + self._logs[pair[1]]) * share
            weight += 2 * share
        return total / weight

    def _drop_before(self, until: int) -> None:
        """Drop magnitudes and onsets that no later hop needs."""
        keep = max(
            int(np.searchsorted(self._centres, until)) - 1 - self.target.recipe.windows_per_frame, 0
        )
        self._centres = self._centres[keep:]
        self._logs, self._levels = self._logs[keep:], self._levels[keep:]
        self._onsets = self._onsets[self._onsets > until - 2 * self._overlap_adder.half_length]


class ComplexOverlapAdd:
    """Synthesises sound from complex spectra at their positions in each frame."""

    def __init__(self, target: Spectra, stft: Stft) -> None:
        self.target = target
        self._overlap_adder = OverlapAdder(stft, 1)
        self._end = 0

    def process(
        self, spectra: NDArray[np.complex64], bounds: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Take spectra ``(n, windows, bins)`` and bounds ``(n + 1,)``; return complete sound."""
        if not self._end:
            self._overlap_adder.start_at(int(bounds[0]))
        centres = (bounds[:-1, None] + self.target.centres).ravel()
        self._overlap_adder.add(centres, spectra.reshape(len(centres), -1), _NO_ONSETS)
        self._end = int(bounds[-1])
        return self._overlap_adder.pop_until(self._end - self._overlap_adder.half_length)

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the sound."""
        return self._overlap_adder.pop_until(self._end)
