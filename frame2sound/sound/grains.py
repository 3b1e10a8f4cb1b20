"""Grains: windowed excerpts of a sound, laid into another."""

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
"""Samples of grains that are read at once; they and their copies stay in the cache."""

INTERPOLATION_MARGIN = 4
"""Samples of silence that interpolation may touch beside what is read."""


@dataclass(frozen=True)
class Grains:
    """A cloud of grains; every array has shape ``(n,)`` and counts samples.

    Attributes
    ----------
    onset : int64
        First sample of each grain in the sound that it is laid into.
    length : int64
        Samples of each grain.
    source : float64
        Where reading begins in the sound that it is taken from.
    rate : float64
        Samples read per sample laid: 1 keeps the pitch, 2 is an octave up, -1 reads backwards.
    gain : float64
        Negative ones turn the grain upside down.
    pan : float64, optional
        Where each grain stands, -1 left to 1 right; in the middle by default.
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
        """Return all grains of some clouds, in their order."""
        return cls(
            np.concatenate([cloud.onset for cloud in clouds]),
            np.concatenate([cloud.length for cloud in clouds]),
            np.concatenate([cloud.source_position for cloud in clouds]),
            np.concatenate([cloud.playback_rate for cloud in clouds]),
            np.concatenate([cloud.gain for cloud in clouds]),
            np.concatenate([cloud.pan_positions() for cloud in clouds]),
        )

    def shift_earlier(self, samples: int) -> Grains:
        """Return the same grains on a timeline that begins so many samples later."""
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
        """Return when each envelope is highest, in samples: after ``part`` of the grain."""
        return self.onset + self.length * envelope_peak

    def pan_positions(self) -> FloatArray:
        """Return where each grain stands, -1 to 1."""
        return np.zeros(len(self)) if self.pan is None else self.pan

    def channel_gains(self, channels: int) -> list[Samples]:
        """Return each grain's gain in each channel; in two, their squares add to its own."""
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
    """Add grains of ``source`` to ``into``; where they reach outside either, they are cut.

    A grain of rate 1 reads from the nearest sample on, which is fast and keeps the treble; others
    read between samples by cubic Hermite interpolation (Catmull-Rom).

    Parameters
    ----------
    shape : str
        The envelope: one of `frame2sound.sound.windows.PEAKS`.
    into : array of shape (m,) or (2, m)
        Mono, or left and right.
    weight : array of shape (m,), optional
        The envelopes times their gains, raised to ``power``, are added up in it.

    Raises
    ------
    ValueError
        There is no such envelope.
    """
    samples = output.shape[-1]
    grains = grains.select((grains.onset < samples) & (grains.onset + grains.length > 0))
    if not len(grains):
        return
    begin, end = int(grains.onset.min()), int((grains.onset + grains.length).max())
    tracks = np.atleast_2d(output)
    rooms = np.zeros((len(tracks) + 1, end - begin), np.float32)
    reader = _Reader(source, grains)
    for some in _batches(grains):
        _add_batch(
            some,
            reader,
            envelope_name,
            begin,
            rooms,
            envelope_power if weight is not None else None,
        )
    seen = slice(max(begin, 0), min(end, samples))
    room = rooms[:, seen.start - begin : seen.stop - begin]
    tracks[:, seen] += room[:-1]
    if weight is not None:
        weight[seen] += room[-1]


def _batches(grains: Grains) -> Iterator[Grains]:
    """Split grains into batches that have one length, and are all read between samples or not."""
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
    for gain, room in others:
        _overlap_add(rows * gain[:, None], onsets, room)
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
    """Reads excerpts of a sound, which is silent before its beginning and after its end."""

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
        """Return one row a grain, shape ``(n, length)``."""
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
