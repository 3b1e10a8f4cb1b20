"""Waveforms to draw: the lowest and the highest sample of each short piece of a sound."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECE_SAMPLES = 128

_BLOCK_SAMPLES = 1 << 16
_ZOOM_FACTOR = 4

_HEADER = struct.Struct("<iIiiIi")
"""Version, flags, sample rate, samples of a piece, pieces, channels."""

_VERSION = 2

Peaks = NDArray[np.int16]


@dataclass(frozen=True)
class Waveform:
    """The peaks of a sound.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    peaks : int16 array (pieces, 2)
        Lowest and highest sample of each piece of 128 samples, all channels together; full scale
        is 32767.
    """

    sample_rate: int
    peaks: Peaks

    @property
    def seconds(self) -> float:
        """The length of its pieces."""
        return len(self.peaks) * PIECE_SAMPLES / self.sample_rate

    def zoomed(self, pieces: int) -> Peaks:
        """Return the peaks of pieces 4, 16, ... times as long, but at least so many of them."""
        peaks = self.peaks
        while len(peaks) >= _ZOOM_FACTOR * pieces:
            peaks = _coarser(peaks)
        return peaks

    def to_bytes(self) -> bytes:
        """Return the waveform in the binary format of audiowaveform: version 2, 16 bits."""
        header = _HEADER.pack(_VERSION, 0, self.sample_rate, PIECE_SAMPLES, len(self.peaks), 1)
        return header + self.peaks.astype("<i2").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> Waveform:
        """Return the waveform that `to_bytes` wrote; raise `ValueError` if it is not whole."""
        if len(content) < _HEADER.size:
            raise ValueError("expected a header of 24 bytes")
        version, flags, sample_rate, samples, pieces, channels = _HEADER.unpack_from(content)
        peaks = np.frombuffer(content, "<i2", offset=_HEADER.size)
        expected = (_VERSION, 0, PIECE_SAMPLES, 1, 2 * pieces)
        if (version, flags, samples, channels, len(peaks)) != expected or sample_rate <= 0:
            raise ValueError("expected a whole waveform with pieces of 128 samples")
        return cls(sample_rate, peaks.reshape(-1, 2))


class WaveformRecorder:
    """Finds the peaks of a sound that passes through.

    Examples
    --------
    >>> recorder = WaveformRecorder()
    >>> for chunk in recorder.tee([np.zeros((200, 1), np.float32)]):
    ...     pass
    >>> recorder.peaks.shape
    (2, 2)
    """

    def __init__(self) -> None:
        self._pieces: list[Peaks] = []

    @property
    def peaks(self) -> Peaks:
        """The peaks of the last sound that passed; see `Waveform`."""
        return np.concatenate([np.zeros((0, 2), np.int16), *self._pieces])

    def tee(self, sound: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the chunks of a sound, (samples,) or (samples, channels), as they are."""
        self._pieces, pending, count = [], [], 0
        for chunk in sound:
            pending.append(chunk)
            count += len(chunk)
            if count >= _BLOCK_SAMPLES:
                samples = np.concatenate(pending)
                whole = count // PIECE_SAMPLES * PIECE_SAMPLES
                self._pieces.append(_to_int16(_extremes(samples[:whole])))
                pending, count = [samples[whole:]], count - whole
            yield chunk
        if count:
            samples = np.concatenate(pending)
            missing = [(0, -count % PIECE_SAMPLES), *[(0, 0)] * (samples.ndim - 1)]
            self._pieces.append(_to_int16(_extremes(np.pad(samples, missing, mode="edge"))))


def find_peaks(sound: Iterable[NDArray[np.float32]]) -> Peaks:
    """Return the peaks of a sound; see `WaveformRecorder.tee` and `Waveform`."""
    recorder = WaveformRecorder()
    for _ in recorder.tee(sound):
        pass
    return recorder.peaks


def _extremes(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lowest and the highest sample of each piece of whole pieces, (pieces, 2)."""
    pieces = samples.reshape(len(samples) // PIECE_SAMPLES, -1)
    return np.stack([pieces.min(axis=1), pieces.max(axis=1)], axis=1)


def _coarser(peaks: Peaks) -> Peaks:
    missing = -len(peaks) % _ZOOM_FACTOR
    padded = np.pad(peaks, ((0, missing), (0, 0)), mode="edge").reshape(-1, _ZOOM_FACTOR, 2)
    return np.stack([padded[..., 0].min(axis=1), padded[..., 1].max(axis=1)], axis=1)


def _to_int16(peaks: NDArray[np.float32]) -> Peaks:
    return np.rint(np.clip(peaks, -1, 1) * 32767).astype(np.int16)
