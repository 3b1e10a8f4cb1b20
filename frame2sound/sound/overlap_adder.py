"""Overlap-add of blocks at any centres, and gates that keep onsets sharp."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.stft import Stft
from frame2sound.sound.windows import hann_fade_in

MIN_WEIGHT = np.float32(0.05)
"""Lower sums of windows are not fully normalised, so that the sound fades there."""


class OverlapAdder:
    """Adds windowed blocks, and divides by the sum of the windows.

    The first half of the first block, before the first sample, is cut.

    Parameters
    ----------
    stft : Stft
        Gives the windows; its hop is not used.
    fade_length : int
        Length of the crossfade at an onset, in samples.
    """

    def __init__(self, stft: Stft, fade_length: int) -> None:
        self.stft = stft
        self.half_length = stft.n_fft // 2
        self._taper = stft.synthesis_window.astype(np.float32)
        self._window_product = (stft.synthesis_window * stft.analysis_window).astype(np.float32)
        self._step = np.concatenate(
            [np.zeros(stft.n_fft), hann_fade_in(fade_length), np.ones(stft.n_fft)]
        ).astype(np.float32)
        self.start_at(0)
        self._sound = np.zeros(0, np.float32)
        self._weight = np.zeros(0, np.float32)

    def start_at(self, sample: int) -> None:
        """Set the first sample of the sound, before anything is added."""
        self._start, self._origin = sample, sample - self.half_length

    def add(
        self,
        centres: NDArray[np.int64],
        spectra: NDArray[np.complexfloating[Any, Any]],
        onsets: NDArray[np.int64],
    ) -> None:
        """Add the blocks of spectra ``(n, bins)`` at centres ``(n,)``, in samples.

        A block with its centre at or after an onset is silent before the onset; one with its
        centre before the onset fades out there.
        """
        self._grow(int(centres.max(initial=self._origin)) + self.half_length)
        blocks = self.stft.inverse_blocks(spectra) * self._taper
        near = np.abs(onsets - centres[:, None]) < self.half_length
        is_near = near.any(axis=1).tolist()
        for number, (centre, block) in enumerate(zip(centres.tolist(), blocks, strict=True)):
            share = self._window_product
            for event in onsets[near[number]].tolist() if is_near[number] else ():
                gate = self._gate(event - centre + self.half_length, opens=event <= centre)
                block, share = block * gate, share * gate
            at = centre - self.half_length - self._origin
            first = max(-at, 0)
            self._sound[at + first : at + len(block)] += block[first:]
            self._weight[at + first : at + len(block)] += share[first:]

    def pop_until(self, end: int) -> NDArray[np.float32]:
        """Return and forget the sound up to sample ``end``."""
        self._grow(end)
        count = max(end - self._origin, 0)
        weight: NDArray[np.float32] = np.maximum(self._weight[:count], MIN_WEIGHT)
        sound = self._sound[:count] / weight
        skip = max(self._start - self._origin, 0)
        self._sound, self._weight = self._sound[count:], self._weight[count:]
        self._origin += count
        return sound[skip:]

    def _gate(self, at: int, *, opens: bool) -> NDArray[np.float32]:
        """Return a gate for a block that opens, or closes, from sample ``at`` on."""
        gate = self._step[self.stft.n_fft - at : 2 * self.stft.n_fft - at]
        return gate if opens else np.float32(1) - gate

    def _grow(self, end: int) -> None:
        missing = end - self._origin - len(self._sound)
        if missing > 0:
            self._sound = np.pad(self._sound, (0, missing))
            self._weight = np.pad(self._weight, (0, missing))


class OnsetGate:
    """Silences a stream before given onsets, where the sound starts from silence.

    This removes what windows spread ahead of an onset: ``lead`` samples before it are silent, with
    fades of ``fade_length`` samples into and out of this silence.

    Parameters
    ----------
    lead, fade_length : int
        In samples; an onset must be known ``lead + fade_length`` samples ahead.
    """

    def __init__(self, lead: int, fade_length: int) -> None:
        rise = hann_fade_in(fade_length).astype(np.float32)
        self._gate = np.concatenate([1 - rise, np.zeros(lead, np.float32), rise])
        self._latency = lead + fade_length
        self._onsets: list[int] = []
        self._position = 0

    def start_at(self, sample: int) -> None:
        """Set the first sample of the stream."""
        self._position = sample

    def add_onsets(self, onsets: NDArray[np.int64]) -> None:
        """Add onsets, ascending, in samples."""
        self._onsets += onsets.tolist()

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next chunk, with the silence before onsets."""
        samples, end = samples.copy(), self._position + len(samples)
        for onset in self._onsets:
            first = onset - self._latency
            low, high = max(first, self._position), min(first + len(self._gate), end)
            if low < high:
                samples[low - self._position : high - self._position] *= self._gate[
                    low - first : high - first
                ]
        self._position = end
        self._onsets = [
            onset for onset in self._onsets if onset - self._latency + len(self._gate) > end
        ]
        return samples
