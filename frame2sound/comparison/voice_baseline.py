"""The vOICe's mapping from picture to sound as a baseline: a system that has learned nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.film.small_frames import luma
from frame2sound.sonification.the_voice import SCAN_SECONDS, SIZE, voice_amplitudes, voice_axis
from frame2sound.sound.windows import hann_fade_in
from frame2sound.training.dataset import PairDataset

FADE_SECONDS = 0.003
"""In which one column of a picture fades into the next."""

LEVEL_EXAMPLES = 512
"""Examples by which the level is set."""

Frames = NDArray[np.uint8]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class VoicePredictor(StatelessPredictor):
    """Predicts the sound into which The vOICe turns pictures; only its level is fitted.

    A scan takes 1.05 s, a frame much less. So that sound stays in time with the film, the scan goes
    on from column to column while pictures change under it: at each time, the column that it has
    reached in the frame that is shown then is heard.

    Each frame's excerpt is encoded by the target as that of a film would be, so that what is
    rendered of it is what a brain would sound like that had learned this mapping perfectly.

    Attributes
    ----------
    gain : float
        Amplitude of a white row.
    """

    clock: Clock
    target: Target
    gain: float

    @classmethod
    def fit(cls, clock: Clock, target: Target, examples: PairDataset) -> VoicePredictor:
        """Return the predictor whose mean power is that of the sound of examples."""
        histories, excerpts = examples.load(examples.spread_indices(LEVEL_EXAMPLES))
        last = histories[:, -1]
        frames = luma(last) if last.ndim == 4 else last
        audible = cls(clock, target, 1.0).audible_rows
        white = voice_amplitudes(_brightness(frames))[:, audible]
        mapped = float(np.square(white).sum(axis=1).mean()) / 2
        power = float(np.square(excerpts, dtype=np.float64).mean())
        return cls(clock, target, (power / mapped) ** 0.5 if mapped else 0.0)

    @cached_property
    def audible_rows(self) -> NDArray[np.int64]:
        """The rows whose sines are below half the sample rate."""
        return np.flatnonzero(voice_axis().hz < self.clock.sample_rate / 2)

    def start_prediction(self) -> VoiceScan:
        """Return a scan that begins at the left edge of a film's first frame."""
        return VoiceScan(self)


class VoiceScan:
    """The scan of one film, which remembers how far it is."""

    def __init__(self, predictor: VoicePredictor, seed: int = 0) -> None:
        self._predictor, self._frame = predictor, 0
        clock, target = predictor.clock, predictor.target
        self._cycles = voice_axis().hz[predictor.audible_rows] / clock.sample_rate
        self._phase = np.random.default_rng(seed).random(len(self._cycles))
        self._samples = np.arange(target.excerpt_length)
        turns = 2 * np.pi * np.outer(self._cycles, self._samples)
        self._pointers = np.exp(1j * turns).astype(np.complex64)
        self._column_samples = float(SCAN_SECONDS) * clock.sample_rate / SIZE
        fade = max(round(FADE_SECONDS * clock.sample_rate), 1)
        self._rise = np.append(hann_fade_in(fade), 1.0).astype(np.float32)

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Return predictions ``(n, ...)`` for the next frames ``(n, 64, 64)``."""
        first, self._frame = self._frame, self._frame + len(frames)
        excerpts = np.zeros((len(frames), len(self._samples)), np.float32)
        for excerpt, number, frame in zip(excerpts, range(first, self._frame), frames, strict=True):
            excerpt[:] = self._excerpt(number, frame)
        return self._predictor.target.reconstruct(excerpts)

    def _excerpt(self, number: int, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the sound around a frame, as if it were shown all the while."""
        amplitudes = voice_amplitudes(_brightness(frame))
        amplitudes = amplitudes[self._predictor.audible_rows]
        start = self._predictor.clock.start_sample(number) - self._predictor.target.lead_samples
        position = (start + self._samples) / self._column_samples
        column = np.floor(position).astype(np.int64)
        past = ((position - column) * self._column_samples).astype(np.int64)
        rise = self._rise[np.minimum(past, len(self._rise) - 1)]
        level = (
            rise * amplitudes[:, column % SIZE] + (1 - rise) * amplitudes[:, (column - 1) % SIZE]
        )
        turned = np.exp(2j * np.pi * ((start * self._cycles + self._phase) % 1))
        sines = (self._pointers * turned.astype(np.complex64)[:, None]).real
        return np.asarray(self._predictor.gain * (level * sines).sum(axis=0), np.float32)


def _brightness(frames: Frames) -> NDArray[np.float32]:
    return np.asarray(frames / np.float32(255), np.float32)
