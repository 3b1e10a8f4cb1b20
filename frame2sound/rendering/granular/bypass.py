"""Split off what bypasses granulation: transients and low frequencies."""

from __future__ import annotations

from collections import deque
from copy import copy

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in

Samples = NDArray[np.float32]

EMPTY: Samples = np.empty(0, np.float32)

MIN_POWER_RATIO, MIN_RMS = 10.0, 1e-3
"""A transient has at least this ratio of power to the sound before it, and this RMS."""

ANALYSIS_SECONDS = 0.01, 0.003
"""Durations that are analysed before and after a frame's start."""

GATE_SECONDS = 0.001, 0.008, 0.012
"""Fade-in before the frame's start, hold, and fade-out of a transient."""


class TransientDetector:
    """Measures the level of each frame, and splits off transients at frame starts.

    Attributes
    ----------
    frame_rms : deque of float
        RMS of the complete frames; the caller removes them.
    gate : array (n,)
        The share of transients in each sample that was returned last.
    """

    def __init__(self, sample_rate: int, enabled: bool = True) -> None:
        self.frame_rms: deque[float] = deque()
        self._enabled = enabled
        self._before, self._after, self._edge, hold, fall = (
            max(1, round(seconds * sample_rate)) for seconds in ANALYSIS_SECONDS + GATE_SECONDS
        )
        self._gate = np.concatenate(
            [hann_fade_in(self._edge), np.ones(hold), hann_fade_in(fall)[::-1]]
        )
        self._buffer = EMPTY
        self.gate = np.zeros(0)
        self._transients: list[int] = []
        self.start_at(0)

    def start_at(self, sample: int) -> None:
        """Set the first sample of the sound and of the first frame."""
        self._origin = self._emitted = sample
        self._bounds = [sample]

    @property
    def end(self) -> int:
        """The number of the sample after all that were taken."""
        return self._origin + len(self._buffer)

    @property
    def waiting(self) -> int:
        """How many samples were taken and not yet returned."""
        return self.end - self._emitted

    def process(
        self, sound: Samples, frame_ends: NDArray[np.int64] | list[int], last: bool = False
    ) -> tuple[Samples, Samples]:
        """Take samples and the ends of further frames; return transients, and the rest."""
        self._bounds += [int(end) for end in frame_ends]
        self._buffer = np.concatenate([self._buffer, sound])
        end_sample = self.end
        while len(self._bounds) > 1 and self._bounds[1] <= end_sample:
            start, end = (bound - self._origin for bound in self._bounds[:2])
            self.frame_rms.append(_power(self._buffer[start:end]) ** 0.5)
            if self._enabled and self._is_transient(start):
                self._transients.append(self._bounds[0])
            del self._bounds[0]
        return self._emit(end_sample if last else max(self._bounds[0] - self._edge, self._emitted))

    def _is_transient(self, start: int) -> bool:
        after = _power(self._buffer[start : start + self._after])
        before = _power(self._buffer[max(start - self._before, 0) : start])
        return after > MIN_POWER_RATIO * before + MIN_RMS**2

    def _emit(self, end: int) -> tuple[Samples, Samples]:
        gate = np.zeros(end - self._emitted)
        for start in self._transients:
            at = start - self._edge - self._emitted
            first, last = max(at, 0), min(at + len(self._gate), len(gate))
            if last > first:
                gate[first:last] = np.maximum(gate[first:last], self._gate[first - at : last - at])
        sound = self._buffer[self._emitted - self._origin : end - self._origin]
        transients = (sound * gate).astype(np.float32)
        self.gate = gate
        self._emitted = end
        self._transients = [start for start in self._transients if start + len(self._gate) > end]
        drop = max(end - self._before - self._origin, 0)
        self._buffer, self._origin = self._buffer[drop:], self._origin + drop
        return transients, sound - transients


class Crossover:
    """Splits sound at a frequency into two parts whose powers add to that of the whole.

    The filters have linear phase; their gains are ``cos`` and ``sin`` of an angle that goes from 0
    to 90 degrees between 0.7 and 1.3 times the frequency. Low frequencies join the bypass.
    """

    def __init__(self, sample_rate: int, crossover_hz: float) -> None:
        self._half = round(4 * sample_rate / crossover_hz) if crossover_hz else 0
        bins = np.fft.rfftfreq(16 * self._half or 2, 1 / sample_rate)
        angle = (
            np.pi / 2 * np.clip((bins / crossover_hz - 0.7) / 0.6, 0, 1) if crossover_hz else bins
        )
        self._filters = [_taps(response, self._half) for response in (np.cos(angle), np.sin(angle))]
        self._bypass = EMPTY
        self._tail = np.zeros(self._half, np.float32)

    def silent_copy(self) -> Crossover:
        """Return what this would be if it had taken silence."""
        silent = copy(self)
        silent._bypass, silent._tail = np.zeros_like(self._bypass), np.zeros_like(self._tail)
        return silent

    def process(
        self, bypass: Samples, sound: Samples, last: bool = False
    ) -> tuple[Samples, Samples]:
        """Return the bypass with the low frequencies, and the high frequencies."""
        if not self._half:
            return bypass, sound
        self._bypass = np.concatenate([self._bypass, bypass])
        ending = np.zeros(self._half if last else 0, np.float32)
        self._tail = np.concatenate([self._tail, sound, ending])
        ready = len(self._tail) - 2 * self._half
        if ready <= 0:
            return EMPTY, EMPTY
        from scipy.signal import oaconvolve

        low, high = (
            oaconvolve(self._tail.astype(np.float64), taps, "valid").astype(np.float32)
            for taps in self._filters
        )
        bypass, self._bypass = self._bypass[:ready], self._bypass[ready:]
        self._tail = self._tail[ready:]
        return bypass + low, high


def _taps(response: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Return a symmetric filter of ``2 half + 1`` taps with a real frequency response."""
    impulse_response = np.roll(np.fft.irfft(response), half)[: 2 * half + 1]
    taps: NDArray[np.float64] = impulse_response * np.hanning(2 * half + 3)[1:-1]
    return taps


def _power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
