"""From raw soundtrack to sound that may leave the program: each step named, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.errors import BrainError
from frame2sound.film.track import Sound
from frame2sound.sound.direct_current import DirectCurrentRemoval
from frame2sound.sound.limiter import Limiter

Chunks = Iterable[NDArray[np.float32]]


def remove_direct_current(chunks: Chunks, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Take away what is slower than sound."""
    removal = DirectCurrentRemoval(sample_rate)
    for chunk in chunks:
        yield removal.feed(chunk)


def amplify(chunks: Chunks, gain_db: float) -> Iterator[NDArray[np.float32]]:
    """Change the level."""
    gain = np.float32(10 ** (gain_db / 20))
    for chunk in chunks:
        yield chunk * gain


def resample(chunks: Chunks, rate: int, to_rate: int) -> Iterator[NDArray[np.float32]]:
    """Change the sample rate of mono sound, without delay (FFmpeg's resampler)."""
    if rate == to_rate:
        yield from chunks
        return
    resampler = av.AudioResampler("flt", "mono", to_rate)
    for chunk in chunks:
        if len(chunk):
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(chunk[None]), "flt", "mono")
            frame.sample_rate = rate
            yield from (ready.to_ndarray()[0] for ready in resampler.resample(frame))
    yield from (ready.to_ndarray()[0] for ready in resampler.resample(None))


def mix(
    chunks: Chunks, own: Iterable[Sound], gain_db: float, channels: int
) -> Iterator[NDArray[np.float32]]:
    """Lay the film's own sound under a soundtrack, which is spread over the same channels.

    Own sound farther than the soundtrack reaches is dropped.
    """
    gain = np.float32(10 ** (gain_db / 20))
    waiting = iter(own)
    held: Sound | None = next(waiting, None)
    position = 0
    for chunk in chunks:
        mixed = chunk if channels == 1 else np.repeat(chunk[:, None], channels, axis=1)
        mixed = mixed.copy()
        end = position + len(chunk)
        while held is not None and held.start < end:
            begin = max(held.start, position)
            stop = min(held.start + len(held.samples), end)
            if stop > begin:
                taken = held.samples[begin - held.start : stop - held.start]
                mixed[begin - position : stop - position] += gain * taken
            if held.start + len(held.samples) > end:
                break
            held = next(waiting, None)
        yield mixed
        position = end


def limit(chunks: Chunks, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Hold the true peak at -1 dBTP; `BrainError` where the sound is not finite."""
    limiter = Limiter(sample_rate)
    try:
        for chunk in chunks:
            yield limiter.feed(chunk)
    except ValueError as error:
        raise BrainError(f"the brain made no sound: {error}; train it again") from error
    yield limiter.flush()


def fit(
    chunks: Chunks, sample_rate: int, seconds: Callable[[], Fraction]
) -> Iterator[NDArray[np.float32]]:
    """Make the sound exactly ``round(seconds * sample_rate)`` samples long.

    ``seconds`` is asked when the chunks have ended. Resampling leaves a sample too many or too
    few; so much is cut from, or added in silence to, the last chunk.
    """
    given = 0
    last = np.empty(0, np.float32)
    for chunk in chunks:
        if len(chunk):
            if len(last):
                yield last
            given += len(last)
            last = chunk
    missing = sample_at(seconds(), sample_rate) - given
    padding = [(0, max(missing - len(last), 0))] + [(0, 0)] * (last.ndim - 1)
    yield np.pad(last[: max(missing, 0)], padding)
