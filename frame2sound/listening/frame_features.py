"""All features of the frames of a sound together: from its samples, or block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.cepstrum import COEFFICIENTS, mel_cepstrum, mel_levels_db
from frame2sound.listening.chroma import chroma
from frame2sound.listening.spectral_shape import (
    spectral_bandwidth,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
)
from frame2sound.sound.stft import Stft

FloatArray = NDArray[np.float64]
Samples = NDArray[np.floating]

WINDOW_SECONDS = 0.093
"""About the length of a frame: 2048 samples at 22050 Hz, 4096 at 44100 and at 48000."""

FRAMES_PER_WINDOW = 4
"""A frame begins every quarter of a window, 23 ms."""

MIN_LEVEL_DB = -100.0
"""The level of silence, in dBFS."""

_BLOCK_SAMPLES = 1 << 17
_MIN_AMPLITUDE = 1e-10  # smaller samples count as 0 where signs are compared


@dataclass(frozen=True)
class FrameFeatures:
    """Features of successive frames.

    All are finite: in silence, centroid, bandwidth, rolloff and chroma are 0, and the flatness is
    1. Centroid, bandwidth and rolloff weight frequencies by linear magnitude.

    Attributes
    ----------
    seconds : array of shape (n,)
        The frames' centres; the first is 0.
    level_db : array of shape (n,)
        Root mean square of the samples, in dBFS: a full-scale sine has -3.01. At least -100.
    centroid_hz : array of shape (n,)
        Mean frequency.
    bandwidth_hz : array of shape (n,)
        Standard deviation of frequency.
    rolloff_hz : array of shape (n,)
        Frequency up to which 85 % of the magnitudes lie.
    flatness : array of shape (n,)
        Geometric over arithmetic mean of the powers, 0 a tone to 1; white noise has .56.
    zero_crossing_rate : array of shape (n,)
        Changes of sign per sample, 0 to 1; a sine has twice its frequency over the sample rate.
    onset_strength_db : array of shape (n,)
        Mean rise of 128 mel bands since the frame before, in dB; 0 at the first.
    chroma : array of shape (n, 12)
        Power of the pitch classes from C to B, relative to the strongest.
    mfcc : array of shape (n, coefficients)
        Cepstrum of 128 mel bands, in dB; number 0 is the level.
    mel_db : array of shape (n, 128)
        The levels of the mel bands, in dB, at least -100.
    """

    seconds: FloatArray
    level_db: FloatArray
    centroid_hz: FloatArray
    bandwidth_hz: FloatArray
    rolloff_hz: FloatArray
    flatness: FloatArray
    zero_crossing_rate: FloatArray
    onset_strength_db: FloatArray
    chroma: FloatArray
    mfcc: FloatArray
    mel_db: FloatArray

    def __len__(self) -> int:
        return len(self.seconds)

    @classmethod
    def joined(cls, parts: Iterable[FrameFeatures]) -> FrameFeatures:
        """Return the frames of successive parts, at least one, as one."""
        known = list(parts)
        return cls(*(np.concatenate([getattr(p, f.name) for p in known]) for f in fields(cls)))


def default_window(sample_rate: int) -> int:
    """Return the power of two nearest to 93 ms, in samples, at least 8.

    >>> default_window(22050), default_window(48000), default_window(8000)
    (2048, 4096, 1024)
    """
    return 1 << max(round(math.log2(WINDOW_SECONDS * sample_rate)), 3)


def frame_features(
    samples: Samples,
    sample_rate: int,
    *,
    window: int | None = None,
    hop: int | None = None,
    coefficients: int = COEFFICIENTS,
) -> FrameFeatures:
    """Return the features of the frames of a mono sound.

    Frames are Hann windows, centred at 0 and every hop after; beyond its ends the sound is silent.
    The result does not depend on how the sound is cut into blocks: see `FrameFeatureExtractor`.

    Parameters
    ----------
    samples : array of shape (samples,)
        Full scale is 1; memory-mapped arrays are read part by part.
    sample_rate : int
        In Hz.
    window : int, optional
        Samples of a frame, even; by default `default_window`.
    hop : int, optional
        Samples from one frame to the next; by default a quarter of a window.
    coefficients : int
        How many MFCC there are, from number 0, at most 128.

    Returns
    -------
    FrameFeatures
        Of ``1 + samples // hop`` frames; none if there are no samples.

    Raises
    ------
    ValueError
        A sample is not finite.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> found = frame_features(tone, 22050)
    >>> len(found), int(found.chroma[20].argmax()), found.mfcc.shape
    (44, 9, (44, 20))
    """
    extractor = FrameFeatureExtractor(
        sample_rate, window=window, hop=hop, coefficients=coefficients
    )
    parts = [
        extractor.process(samples[first : first + _BLOCK_SAMPLES])
        for first in range(0, len(samples), _BLOCK_SAMPLES)
    ]
    return FrameFeatures.joined([*parts, extractor.flush()])


class FrameFeatureExtractor:
    """Computes the features of a mono sound that comes in blocks; parameters of `frame_features`.

    It holds no more than a window and a block.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        window: int | None = None,
        hop: int | None = None,
        coefficients: int = COEFFICIENTS,
    ) -> None:
        size = default_window(sample_rate) if window is None else window
        step = size // FRAMES_PER_WINDOW if hop is None else hop
        self.sample_rate, self.stft = sample_rate, Stft(size, step)
        self._coefficients = coefficients
        self._hz: FloatArray = np.fft.rfftfreq(size, 1 / sample_rate).astype(np.float64)
        self._sound = np.zeros(size // 2)  # silence before the first sample
        self._crossings = np.zeros(size // 2, bool)
        self._was_negative: bool | None = None
        self._mel_db: FloatArray | None = None
        self._frames = 0

    def process(self, samples: Samples) -> FrameFeatures:
        """Take the next samples, ``(n,)``; return the frames that are complete."""
        if not np.isfinite(samples).all():
            raise ValueError("got samples that are not finite, expected numbers; mend the sound")
        if len(samples):
            self._append(np.asarray(samples, np.float64), self._find_crossings(samples))
        return self._take_frames()

    def flush(self) -> FrameFeatures:
        """Return the last frames, which reach beyond the end."""
        if self._was_negative is not None:
            silence = np.zeros(self.stft.n_fft // 2)
            self._append(silence, np.zeros(len(silence), bool))
        return self._take_frames()

    def _append(self, samples: FloatArray, crossings: NDArray[np.bool_]) -> None:
        self._sound = np.concatenate([self._sound, samples])
        self._crossings = np.concatenate([self._crossings, crossings])

    def _find_crossings(self, samples: Samples) -> NDArray[np.bool_]:
        """Return whether the sign of each sample differs from that of the one before."""
        negative = samples < -_MIN_AMPLITUDE
        before = bool(negative[0]) if self._was_negative is None else self._was_negative
        self._was_negative = bool(negative[-1])
        return np.diff(negative, prepend=before)

    def _take_frames(self) -> FrameFeatures:
        size, hop = self.stft.n_fft, self.stft.hop
        count = max((len(self._sound) - size) // hop + 1, 0)
        begins = np.arange(count) * hop
        features = self._features(begins)
        self._sound = self._sound[count * hop :].copy()
        self._crossings = self._crossings[count * hop :].copy()
        self._frames += count
        return features

    def _features(self, begins: NDArray[np.int64]) -> FrameFeatures:
        size, rate = self.stft.n_fft, self.sample_rate
        magnitudes = self.stft.magnitude(self._sound, begins + size // 2).astype(np.float64)
        magnitudes *= self.stft.amplitude_scale
        powers = magnitudes**2
        mel_db = mel_levels_db(powers, rate)
        changes = np.concatenate([[0], np.cumsum(self._crossings)])
        energy = np.concatenate([[0.0], np.cumsum(self._sound**2)])
        mean_square = (energy[begins + size] - energy[begins]) / size
        return FrameFeatures(
            seconds=(self._frames + np.arange(len(begins))) * self.stft.hop / rate,
            level_db=10 * np.log10(np.maximum(mean_square, 10 ** (MIN_LEVEL_DB / 10))),
            centroid_hz=spectral_centroid(magnitudes, self._hz),
            bandwidth_hz=spectral_bandwidth(magnitudes, self._hz),
            rolloff_hz=spectral_rolloff(magnitudes, self._hz),
            flatness=spectral_flatness(powers),
            zero_crossing_rate=(changes[begins + size] - changes[begins + 1]) / size,
            onset_strength_db=self._onset_strength_db(mel_db),
            chroma=chroma(powers, rate),
            mfcc=mel_cepstrum(mel_db, self._coefficients),
            mel_db=mel_db,
        )

    def _onset_strength_db(self, mel_db: FloatArray) -> FloatArray:
        before = mel_db[:1] if self._mel_db is None else self._mel_db
        if len(mel_db):
            self._mel_db = mel_db[-1:]
        rises: FloatArray = np.maximum(np.diff(mel_db, axis=0, prepend=before), 0).mean(axis=1)
        return rises
