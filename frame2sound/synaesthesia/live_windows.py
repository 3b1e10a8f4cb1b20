"""The last second of a sound, again and again, as it is played or as it comes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.sound_input import SoundInput
from frame2sound.clock import sample_at
from frame2sound.live.pyo_input import PyoInput
from frame2sound.prefetch import prefetch
from frame2sound.sound.resampler import input_range, resample
from frame2sound.synaesthesia.sliding_windows import sliding_windows
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import mono_sound

Samples = NDArray[np.float32]

HALF_WINDOW = Fraction(1, 2)
"""The middle of a second is so long ago, in seconds, when the second is over."""


class PlaybackClock(Protocol):
    """The time at which sound is played."""

    def wait_until(self, seconds: Fraction) -> float:
        """Wait until so long after the start; return how long ago that was, in seconds."""


class NoClock:
    """Time that passes as fast as it is computed."""

    def wait_until(self, seconds: Fraction) -> float:
        """Return 0: it is never late."""
        return 0.0


@dataclass(frozen=True)
class LiveWindow:
    """A second of sound that has just ended.

    Attributes
    ----------
    samples : float32 array (22050,)
    late_seconds : float
        How long ago it ended.
    """

    samples: Samples
    late_seconds: float


def trailing_windows(blocks: Iterable[Samples], fps: Fraction) -> Iterator[Samples]:
    """Yield the second before the middle of each frame, until the middle of a window is the end.

    These are the windows of `sliding_windows`, of a sound that begins half a second later. Each is
    given as soon as its blocks are.

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,)
        The sound at 22050 Hz, block by block.
    fps : Fraction
        Frames per second.

    Yields
    ------
    float32 array (22050,)
    """
    delay = np.zeros(int(HALF_WINDOW * RATE), np.float32)
    return sliding_windows(chain([delay], blocks), fps)


def end_seconds(frame: int, fps: Fraction) -> Fraction:
    """Return when the second that a frame draws is over."""
    return (frame + Fraction(1, 2)) / fps


def file_windows(sound: SoundInput, fps: Fraction, clock: PlaybackClock) -> Iterator[LiveWindow]:
    """Yield each window of a file when it would have been heard."""
    windows = prefetch(trailing_windows(mono_sound(sound), fps))
    with closing(windows):  # type: ignore[type-var]
        for frame, samples in enumerate(windows):
            yield LiveWindow(samples, clock.wait_until(end_seconds(frame, fps)))


def card_windows(card: PyoInput, fps: Fraction) -> Iterator[LiveWindow]:
    """Yield each window of what comes into a sound card, without end."""
    for samples in trailing_windows(_card_blocks(card, fps), fps):
        yield LiveWindow(samples, card.waiting_samples / card.sample_rate)


def _card_blocks(card: PyoInput, fps: Fraction) -> Iterator[Samples]:
    """Yield sound at 22050 Hz; a block ends where a window does, so that none waits."""
    rates = (card.sample_rate, RATE)
    ends = (input_range(0, sample_at(end_seconds(frame, fps), RATE), rates)[1] for frame in count())
    blocks = (card.read(end - begin) for begin, end in pairwise(chain([0], ends)))
    return resample(blocks, rates, 0, 0, 2**62)
