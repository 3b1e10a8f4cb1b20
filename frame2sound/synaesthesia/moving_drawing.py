"""Strokes or pictures that move with a sound: one for each voice of each window."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from frame2sound.synaesthesia.sound_windows import BANDS, FLOOR_DB, RATE, log_mel, window_levels_db
from frame2sound.synaesthesia.stroke import SHAPE_VALUES

FloatArray = NDArray[np.float32]

MAX_VOICES = 12

SILENT_DB, FADED_DB = -66.0, -54.0
"""Voices at the first level, in dBFS, leave no ink; from the second on they have all of it."""


DrawSpectra = Callable[[FloatArray], FloatArray]
"""Returns a stroke, ``(n, 36 + colours)``, for each of log mel spectra ``(n, 42, 48)``.

Networks of the raster kind return a picture, ``(n, colours, 64, 64)``.
"""


class MovingDrawing:
    """Draws a sound window by window, and smooths the strokes in time.

    Parameters
    ----------
    draw_spectra : callable
        See `DrawSpectra`.
    fps : float
        Windows per second.
    voices : int
        Bands of the mel scale, equally wide, that have a stroke each; 1 to 12.
    smoothing_seconds : float
        Time constant of the smoothing; 0 for none.

    Attributes
    ----------
    has_ink : bool
        Whether any frame so far has ink: silence has none.
    """

    def __init__(
        self, draw_spectra: DrawSpectra, fps: float, voices: int = 1, smoothing_seconds: float = 0.0
    ) -> None:
        self._draw_spectra, self._voices = draw_spectra, voices
        self._memory = np.exp(-1 / (fps * smoothing_seconds)) if smoothing_seconds else 0.0
        self._last: FloatArray | None = None
        self.has_ink = False

    def frame(self, sounds: FloatArray) -> FloatArray:
        """Return the strokes of the next frame: the voices of each sound.

        Parameters
        ----------
        sounds : float32 array (sounds, 22050)
            The same second of each sound, as of the stems of a mix.

        Returns
        -------
        float32 array (sounds * voices, 36 + colours)
            In colour if there are several; or pictures, ``(sounds * voices, colours, 64, 64)``.
        """
        spectra = split_bands(log_mel(sounds), self._voices)
        strokes = self._draw_spectra(spectra)
        if self._last is not None:
            strokes = strokes + np.float32(self._memory) * (self._last - strokes)
        self._last = strokes
        inked = strokes.copy()
        share = _audible_share(spectra)
        self.has_ink |= bool(share.any())
        ink = _ink_of(inked)
        ink *= _in_shape_of(ink, share[:, None])
        return inked if len(inked) == 1 else in_hues(inked)

    def warm_up(self) -> FloatArray:
        """Return the strokes of silence, and forget them: the first frame is then as quick."""
        strokes = self.frame(np.zeros((1, RATE), np.float32))
        self._last = None
        return strokes


def split_bands(spectra: FloatArray, voices: int) -> FloatArray:
    """Return spectra of which each keeps one part of the bands, ``(n * voices, times, bands)``.

    The voices of a spectrum follow each other, from the lowest band to the highest.
    """
    edges = np.linspace(0, BANDS, voices + 1).round().astype(int)
    split = np.full((len(spectra), voices, *spectra.shape[1:]), FLOOR_DB, np.float32)
    for voice, (low, high) in enumerate(pairwise(edges)):
        split[:, voice, :, low:high] = spectra[:, :, low:high]
    return split.reshape(-1, *spectra.shape[1:])


def in_hues(strokes: FloatArray) -> FloatArray:
    """Return strokes in a hue each, as dark as before, ``(n, 39)``; those in colour stay.

    Pictures, ``(n, 1, 64, 64)``, become ``(n, 3, 64, 64)`` likewise.
    """
    ink = _ink_of(strokes)
    if ink.shape[1] == 3:
        return strokes
    hues = np.arange(len(strokes)) / len(strokes)
    tints = np.array([colorsys.hsv_to_rgb(hue, 0.7, 0.8) for hue in hues], np.float32)
    coloured = ink * _in_shape_of(ink, 1 - tints)
    if ink is strokes:
        return coloured
    return np.concatenate([strokes[:, :SHAPE_VALUES], coloured], axis=1)


def _ink_of(drawn: FloatArray) -> FloatArray:
    """Return the ink of strokes, ``(n, colours)``; pictures are all ink."""
    return drawn[:, SHAPE_VALUES:] if drawn.ndim == 2 else drawn


def _in_shape_of(ink: FloatArray, values: FloatArray) -> FloatArray:
    """Return values for each drawing and colour, shaped to be multiplied with ink."""
    return values.reshape(*values.shape, *[1] * (ink.ndim - 2))


def _audible_share(spectra: FloatArray) -> FloatArray:
    """Return how much ink the strokes of spectra keep, 0 where they are silent to 1, ``(n,)``."""
    share = (window_levels_db(spectra) - SILENT_DB) / (FADED_DB - SILENT_DB)
    return np.asarray(np.clip(share, 0, 1), np.float32)
