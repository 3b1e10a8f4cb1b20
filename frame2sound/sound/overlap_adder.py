"""Laying blocks at any centres into one sound, with events that no block reaches across."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.stft import Stft
from frame2sound.sound.windows import hann_fade_in

MIN_WEIGHT = np.float32(0.05)
"""Where windows hardly reach, sound is not brought up to full level but left to fade."""


class OverlapAdder:
    """Adds blocks under windows, and divides by what the windows add up to.

    The first half of the first block, before sample 0, is cut.

    Parameters
    ----------
    stft : Stft
        Gives the windows; its hop plays no part.
    edge : int
        Samples from an event on in which what was there gives way to it.
    """

    def __init__(self, stft: Stft, fade_length: int) -> None:
        self.stft = stft
        self.half_length = stft.n_fft // 2
        self._fade_length = fade_length
        self._taper = stft.synthesis_window.astype(np.float32)
        self._window_product = (stft.synthesis_window * stft.analysis_window).astype(np.float32)
        self._origin = -self.half_length
        self._sound = np.zeros(0, np.float32)
        self._weight = np.zeros(0, np.float32)

    def add(
        self,
        centres: NDArray[np.int64],
        spectra: NDArray[np.complexfloating[Any, Any]],
        onsets: NDArray[np.int64],
    ) -> None:
        """Lay the blocks of spectra ``(n, bins)`` at centres ``(n,)``, in samples.

        A block whose centre is at or after an event is silent before it, and one whose centre is
        before it falls silent with it.
        """
        self._grow(int(centres.max(initial=self._origin)) + self.half_length)
        blocks = self.stft.inverse_blocks(spectra) * self._taper
        for centre, block in zip(centres.tolist(), blocks, strict=True):
            share = self._window_product
            for event in onsets[np.abs(onsets - centre) < self.half_length].tolist():
                gate = self._gate(event - centre + self.half_length, opens=event <= centre)
                block, share = block * gate, share * gate
            at = centre - self.half_length - self._origin
            first = max(-at, 0)
            self._sound[at + first : at + len(block)] += block[first:]
            self._weight[at + first : at + len(block)] += share[first:]

    def pop_until(self, end: int) -> NDArray[np.float32]:
        """Return the sound up to sample ``end`` that was not taken yet; it is done with."""
        self._grow(end)
        count = max(end - self._origin, 0)
        weight: NDArray[np.float32] = np.maximum(self._weight[:count], MIN_WEIGHT)
        sound = self._sound[:count] / weight
        skip = max(-self._origin, 0)
        self._sound, self._weight = self._sound[count:], self._weight[count:]
        self._origin += count
        return sound[skip:]

    def _gate(self, at: int, *, opens: bool) -> NDArray[np.float32]:
        """Return what opens, or closes, in the samples from place ``at`` of a block on."""
        place = np.arange(self.stft.n_fft) - at
        gate = np.pad(hann_fade_in(self._fade_length), (1, 1), constant_values=(0, 1))
        gate = gate[(place + 1).clip(0, self._fade_length + 1)].astype(np.float32)
        opening: NDArray[np.float32] = gate if opens else np.float32(1) - gate
        return opening

    def _grow(self, end: int) -> None:
        missing = end - self._origin - len(self._sound)
        if missing > 0:
            self._sound = np.pad(self._sound, (0, missing))
            self._weight = np.pad(self._weight, (0, missing))


class OnsetGate:
    """Silences a stream of sound before marked samples, and lets it in from them on.

    What windows spread ahead of a beginning is cut off: ``lead`` samples before a mark are silent,
    and ``edge`` samples lead to this silence and out of it.

    Parameters
    ----------
    lead, edge : int
        In samples; marks are known ``lead + edge`` samples ahead of the sound.
    """

    def __init__(self, lead: int, fade_length: int) -> None:
        rise = hann_fade_in(fade_length).astype(np.float32)
        self._gate = np.concatenate([1 - rise, np.zeros(lead, np.float32), rise])
        self._latency = lead + fade_length
        self._onsets: list[int] = []
        self._position = 0

    def add_onsets(self, onsets: NDArray[np.int64]) -> None:
        """Take ascending places where sound comes in, in samples from the beginning."""
        self._onsets += onsets.tolist()

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next of the sound, hushed where it has to be."""
        samples, end = samples.copy(), self._position + len(samples)
        for mark in self._onsets:
            first = mark - self._latency
            low, high = max(first, self._position), min(first + len(self._gate), end)
            if low < high:
                samples[low - self._position : high - self._position] *= self._gate[
                    low - first : high - first
                ]
        self._position = end
        self._onsets = [
            mark for mark in self._onsets if mark - self._latency + len(self._gate) > end
        ]
        return samples
