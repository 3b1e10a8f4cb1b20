"""Renderers: what turns a brain's predictions into sound, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.sound.panner import Panner

MONO_GAIN = np.float32(np.sqrt(0.5))
"""The gain of two equal channels that are as loud together as one."""


class Synthesiser(Protocol):
    """Turns a brain's predictions, one per frame, into sound that is not delayed."""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], /
    ) -> NDArray[np.float32]:
        """Return what is ready, ``(m,)`` or ``(m, 2)``.

        Parameters
        ----------
        predictions : array (n, ...)
        bounds : int64 array (n + 1,)
            The first sample of each frame, and the end of the last, at the rate of the sound. The
            sound begins with the first of all.
        """

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""


class Renderer(Protocol):
    """Turns predictions into sound of one or two channels, controlled by the frame curves."""

    @property
    def sample_rate(self) -> int:
        """Of the sound, in Hz: the brain's, or that of the films' own sound."""

    @property
    def channels(self) -> int:
        """One or two."""

    @property
    def summary(self) -> str:
        """A line about the sound for the user; may be empty."""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return what is ready: ``(m,)``, or ``(m, 2)`` where there are two channels.

        ``bounds`` are in samples of the renderer's rate.
        """

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""


@dataclass(frozen=True)
class PlainRenderer:
    """A renderer that only runs a synthesiser and ignores the frame curves."""

    synthesiser: Synthesiser
    sample_rate: int
    channels: int = 1
    summary: str = ""

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return the sound that is ready."""
        return self.synthesiser.process(predictions, bounds)

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self.synthesiser.flush()


@dataclass(frozen=True)
class LevelledRenderer:
    """A renderer in stereo that is as loud as its films were when they were learned, in mono.

    The same sound at left and right is 3 dB louder than one channel of it (ITU-R BS.1770).
    """

    renderer: Renderer
    channels: int = 2

    @property
    def sample_rate(self) -> int:
        """That of the renderer."""
        return self.renderer.sample_rate

    @property
    def summary(self) -> str:
        """That of the renderer."""
        return self.renderer.summary

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return the sound that is ready, ``(m, 2)``."""
        return self.renderer.process(predictions, bounds, frame_curves) * MONO_GAIN

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self.renderer.flush() * MONO_GAIN


class StereoRenderer:
    """A renderer whose sound is panned, frame by frame, to where the light is.

    Parameters
    ----------
    renderer : Renderer
        If it has two channels, their mean is panned.
    taps : tuple of SoundTap
        Are told where the sound is placed.
    """

    channels = 2

    def __init__(self, renderer: Renderer, taps: tuple[SoundTap, ...] = ()) -> None:
        self.renderer = renderer
        self.taps = taps
        self.sample_rate = renderer.sample_rate
        self._panner = Panner()
        self._positions = np.empty(0)
        self._bounds = np.empty(0, np.int64)
        self._pending = np.empty(0, np.float32)

    @property
    def summary(self) -> str:
        """That of the renderer."""
        return self.renderer.summary

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return the sound of frames that are complete, ``(m, 2)``."""
        self._positions = np.concatenate([self._positions, frame_curves.place])
        self._bounds = np.concatenate([self._bounds, bounds[len(self._bounds) > 0 :]])
        return self._pan_ready(self.renderer.process(predictions, bounds, frame_curves))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self._pan_ready(self.renderer.flush())

    def _pan_ready(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pan the samples of all frames that are complete; keep the rest for later."""
        if not len(self._bounds):
            return np.empty((0, 2), np.float32)
        samples = samples if samples.ndim == 1 else samples.mean(axis=1)
        self._pending = np.concatenate([self._pending, samples])
        end = self._bounds[0] + len(self._pending)
        frames = int(np.searchsorted(self._bounds, end, side="right")) - 1
        bounds, self._bounds = self._bounds[: frames + 1], self._bounds[frames:]
        positions, self._positions = self._positions[:frames], self._positions[frames:]
        length = int(bounds[-1] - bounds[0])
        ready, self._pending = self._pending[:length], self._pending[length:]
        for tap in self.taps:
            tap.pan(positions, bounds)
        return self._panner.process(ready, positions, bounds)
