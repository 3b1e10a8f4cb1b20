"""Put the sounds of demo films where they are seen: panning by horizontal place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import STAGE_SIZE
from frame2sound.film.drawing.synthesis import FloatArray, soft_clip
from frame2sound.sound.panner import pan_gains

STEREO_WIDTH = 0.6
"""How far to the side the edges of the picture sound, 0 to 1.

At 0.6 the nearer channel is 9.8 dB louder, and mixed to mono no place is more than 1 dB quieter
than the middle: the level that is learned hardly depends on the place.
"""


def place_gains(x: NDArray[np.floating] | float) -> FloatArray:
    """Return the gains of left and right for horizontal places on the stage, ``(2, *x.shape)``.

    Their squares add up to 2: the mean power of the channels is that of the sound. In the middle of
    the stage both are 1. See `frame2sound.sound.panner.pan_gains`.
    """
    position = (2 * np.asarray(x, np.float64) / STAGE_SIZE[0] - 1) * STEREO_WIDTH
    gains: FloatArray = np.sqrt(2) * np.stack(pan_gains(position))
    return gains


def soft_clip_stereo(channels: FloatArray, ceiling: float) -> NDArray[np.float32]:
    """Return left and right ``(2, n)`` as samples ``(n, 2)`` whose RMS is below a ceiling.

    Both channels get the same gain, by their RMS at each sample, so that nothing moves. A single
    sound is compressed as `frame2sound.film.drawing.synthesis.soft_clip` compresses it in mono.
    """
    level = np.sqrt(np.mean(channels**2, axis=0))
    gain = np.divide(soft_clip(level, ceiling), level, out=np.ones_like(level), where=level > 0)
    clipped: NDArray[np.float32] = (channels * gain).T.astype(np.float32)
    return clipped
