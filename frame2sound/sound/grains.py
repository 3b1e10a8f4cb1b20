"""Grains: windowed excerpts of a sound that are added to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.panner import pan_gains
from frame2sound.sound.windows import grain_envelope

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Samples = NDArray[np.float32]

BATCH_SAMPLES = 2**16
"""Samples of grains that are read at once, few enough for the processor's cache."""

INTERPOLATION_MARGIN = 4
"""Samples of silence around the source that interpolation may read."""


@dataclass(frozen=True)
class Grains:
    """A cloud of grains; every array has shape ``(n,)`` and counts samples.

    Attributes
    ----------
    onset : int64
        First sample of each grain in the output.
    length : int64
        Samples of each grain.
    source_position : float64
        Position in the source where reading begins.
    playback_rate : float64
        Source samples per output sample: 1 keeps the pitch, 2 is an octave up, -1 reads backwards.
    gain : float64
        Negative values invert the polarity.
    pan : float64, optional
        Position of each grain, -1 left to 1 right; the centre by default.
    """

    onset: IntArray
    length: IntArray
    source_position: FloatArray
    playback_rate: FloatArray
    gain: FloatArray
    pan: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.onset)

    @classmethod
    def concatenate(cls, clouds: Sequence[Grains]) -> Grains:
        """Return the grains of several clouds, in order."""
        return cls(
            np.concatenate([cloud.onset for cloud in clouds]),
            np.concatenate([cloud.length for cloud in clouds]),
            np.concatenate([cloud.source_position for cloud in clouds]),
            np.concatenate([cloud.playback_rate for cloud in clouds]),
            np.concatenate([cloud.gain for cloud in clouds]),
            np.concatenate([cloud.pan_positions() for cloud in clouds]),
        )

    def shift_earlier(self, samples: int) -> Grains:
        """Return the grains on a timeline that begins ``samples`` later."""
        return replace(
            self, onset=self.onset - samples, source_position=self.source_position - samples
        )

    def select(self, which: NDArray[np.bool_] | IntArray | slice) -> Grains:
        """Return some of the grains."""
        return Grains(
            self.onset[which],
            self.length[which],
            self.source_position[which],
            self.playback_rate[which],
            self.gain[which],
            None if self.pan is None else self.pan[which],
        )

    def peak_positions(self, envelope_peak: float = 0.5) -> FloatArray:
        """Return the sample at which each envelope is highest."""
        return self.onset + self.length * envelope_peak

    def pan_positions(self) -> FloatArray:
        """Return the position of each grain, -1 to 1."""
        return np.zeros(len(self)) if self.pan is None else self.pan

    def channel_gains(self, channels: int) -> list[Samples]:
        """Return each grain's gain in each channel; the squares of two add to that of its gain."""
        if channels == 1:
            return [self.gain.astype(np.float32)]
        gains = pan_gains(self.pan_positions())
        return [(self.gain * gain).astype(np.float32) for gain in gains]


def add_grains(
    grains: Grains,
    source: Samples,
    envelope_name: str,
    output: Samples,
    weight: Samples | None = None,
    envelope_power: int = 1,
) -> None:
    """Add grains of ``source`` to ``output``; parts outside either are cut.

    A grain of playback rate 1 reads from the nearest sample on, which is fast and keeps the
    treble; others are interpolated by cubic Hermite splines (Catmull-Rom).

    Parameters
    ----------
    envelope_name : str
        One of `frame2sound.sound.windows.ENVELOPE_PEAKS`.
    output : array of shape (m,) or (2, m)
        Mono, or left and right.
    weight : array of shape (m,), optional
        The envelopes times their gains, raised to ``envelope_power``, are added to it.

    Raises
    ------
    ValueError
        The envelope is unknown.
    """
    samples = output.shape[-1]
    grains = grains.select((grains.onset < samples) & (grains.onset + grains.length > 0))
    if not len(grains):
        return
    begin, end = int(grains.onset.min()), int((grains.onset + grains.length).max())
    channels_out = np.atleast_2d(output)
    buffers = np.zeros((len(channels_out) + 1, end - begin), np.float32)
    reader = _Reader(source, grains)
    for batch in _batches(grains):
        _add_batch(
            batch,
            reader,
            envelope_name,
            begin,
            buffers,
            envelope_power if weight is not None else None,
        )
    visible = slice(max(begin, 0), min(end, samples))
    buffer = buffers[:, visible.start - begin : visible.stop - begin]
    channels_out[:, visible] += buffer[:-1]
    if weight is not None:
        weight[visible] += buffer[-1]


def _batches(grains: Grains) -> Iterator[Grains]:
    """Split grains into batches of one length that are all interpolated, or all not."""
    kind = 2 * grains.length + (grains.playback_rate != 1)
    order = np.argsort(kind, kind="stable")
    grains = grains.select(order)
    edges = np.flatnonzero(np.diff(kind[order], prepend=-1)).tolist()
    for first, last in zip(edges, [*edges[1:], len(order)], strict=True):
        size = max(1, BATCH_SAMPLES // int(grains.length[first]))
        for at in range(first, last, size):
            yield grains.select(slice(at, min(at + size, last)))


def _add_batch(
    grains: Grains,
    reader: _Reader,
    envelope_name: str,
    begin: int,
    buffers: Samples,
    power: int | None,
) -> None:
    length = int(grains.length[0])
    window = grain_envelope(envelope_name, length).astype(np.float32)
    rows = reader.read(grains, length)
    rows *= window
    onsets = (grains.onset - begin).tolist()
    *others, last = zip(grains.channel_gains(len(buffers) - 1), buffers, strict=False)
    for gain, buffer in others:
        _overlap_add(rows * gain[:, None], onsets, buffer)
    rows *= last[0][:, None]
    _overlap_add(rows, onsets, last[1])
    if power is not None:
        _overlap_add(
            (grains.gain.astype(np.float32)[:, None] * window) ** power, onsets, buffers[-1]
        )


def _overlap_add(rows: Samples, onsets: list[int], buffer: Samples) -> None:
    length = rows.shape[1]
    for onset, row in zip(onsets, rows, strict=True):
        place = buffer[onset : onset + length]
        place += row


class _Reader:
    """Reads excerpts of a sound that is silent before its start and after its end."""

    def __init__(self, source: Samples, grains: Grains) -> None:
        self._span = (
            int(np.ceil((np.abs(grains.playback_rate) * grains.length).max()))
            + INTERPOLATION_MARGIN
        )
        self._end = len(source) + self._span
        self._padded = np.pad(source.astype(np.float32, copy=False), 2 * self._span)
        self._cubic = (
            _cubic_coefficients(self._padded) if (grains.playback_rate != 1).any() else None
        )

    def read(self, grains: Grains, length: int) -> Samples:
        """Return one row per grain, shape ``(n, length)``."""
        begin = np.clip(grains.source_position, -self._span, self._end) + 2 * self._span
        if grains.playback_rate[0] == 1:
            nearest = np.floor(begin + 0.5).astype(np.int64)
            return self._windows(length)[nearest]
        place = begin[:, None] + grains.playback_rate[:, None] * np.arange(length)
        index = place.astype(np.int64)
        place -= index
        return self._interpolate(index, place.astype(np.float32))

    def _windows(self, length: int) -> Samples:
        """Return a view of the sound from each of its samples on, shape ``(m, length)``."""
        step = self._padded.itemsize
        rows = len(self._padded) - length + 1
        return np.ndarray((rows, length), np.float32, self._padded, 0, (step, step))

    def _interpolate(self, index: IntArray, part: Samples) -> Samples:
        assert self._cubic is not None
        rows = self._cubic[0][index]
        for coefficients in self._cubic[1:]:
            rows *= part
            rows += coefficients[index]
        return rows


def _cubic_coefficients(sound: Samples) -> list[Samples]:
    """Return the polynomials from each sample to the next, highest power first (Catmull-Rom)."""
    before, here, after, later = (np.roll(sound, by) for by in (1, 0, -1, -2))
    slope = (after - before) / 2
    cube = (later - before) / 2 + 1.5 * (here - after)
    square = after - here - slope - cube
    return [cube, square, slope, here]
